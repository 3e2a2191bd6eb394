import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullPod } from '../../../src/controllers/node-stocker/pull-pod.ts';
import { PulledEvents, parsePulledEvent } from '../../../src/controllers/node-stocker/pulled-events.ts';
import type { PullObservation } from '../../../src/domain/pull-observation.ts';
import { silentLogger } from '../../../src/kube/logger.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const EVENTS = { group: '', version: 'v1', plural: 'events' };

describe('parsePulledEvent', () => {
  it('reads what a kubelet says', () => {
    const text =
      'Successfully pulled image "reg.example:5000/lab@sha256:aa" in 126ms (29.068s including waiting). Image size: 2733 bytes.';
    expect(parsePulledEvent(text)).toEqual({
      image: 'reg.example:5000/lab@sha256:aa',
      seconds: 0.126,
      waitedSeconds: 28.942,
      bytes: 2_733,
    });
  });

  it('reads kubelets that do not tell the size, and minutes', () => {
    const text = 'Successfully pulled image "lab:1" in 1m2.5s (1m2.5s including waiting)';
    expect(parsePulledEvent(text)).toEqual({ image: 'lab:1', seconds: 62.5, waitedSeconds: 0, bytes: 0 });
  });

  it.each([
    'Container image "lab:1" already present on machine and can be accessed by the pod',
    'Successfully pulled image "lab:1"',
    '',
  ])('reads nothing from: %s', (text) => {
    expect(parsePulledEvent(text)).toBeUndefined();
  });
});

describe('PulledEvents', () => {
  let server: FakeApiServer;
  let transport: Transport;
  let clock: FakeClock;
  let events: PulledEvents;
  let pulled: PullObservation[];

  beforeEach(async () => {
    server = await FakeApiServer.start();
    clock = new FakeClock();
    pulled = [];
    const connection = server.connect(clock);
    ({ transport } = connection);
    const observer = {
      pulled: (observation: PullObservation) => void pulled.push(observation),
      failed: () => undefined,
    };
    events = new PulledEvents({ client: connection.client, observer, clock, log: silentLogger });
  });

  afterEach(async () => {
    await transport.close();
    await server.close();
  });

  function pod(name: string): PullPod {
    return { metadata: { name, namespace: 'lab', uid: `uid-of-${name}` }, spec: {} };
  }

  function putEvent(name: string, message: string, of = 'p'): void {
    const involvedObject = { name: of, uid: `uid-of-${of}` };
    server.store.put(EVENTS, {
      metadata: { name, namespace: 'lab' },
      involvedObject,
      reason: 'Pulled',
      message,
    });
  }

  it('reports each pull of a finished pod, from one list', async () => {
    putEvent(
      'a',
      'Successfully pulled image "reg.example/a:1" in 2s (3s including waiting). Image size: 7 bytes.',
    );
    putEvent('b', 'Container image "reg.example/b:1" already present on machine');
    putEvent('c', 'Successfully pulled image "c:1" in 2s (3s including waiting)', 'another');
    events.finished(pod('p'), clock.now());
    events.finished(pod('p'), clock.now());
    await events.idle();
    const observation = { namespace: 'lab', host: 'reg.example', seconds: 2, waitedSeconds: 1, bytes: 7 };
    expect(pulled).toEqual([observation]);
    expect(server.count('list', 'events')).toBe(1);
  });

  it('lists slowly, and forgoes what is too much', async () => {
    for (let index = 0; index < 200; index += 1) events.finished(pod(`p${String(index)}`), clock.now());
    const idle = events.idle();
    await clock.advanceUntil(() => server.count('list', 'events') >= 4, { stepMs: 250 });
    expect(clock.monotonic()).toBeGreaterThanOrEqual(750);
    let isIdle = false;
    void idle.then(() => {
      isIdle = true;
    });
    await clock.advanceUntil(() => isIdle, { stepMs: 250 });
    expect(server.count('list', 'events')).toBe(101);
  });

  it('leaves alone what finished before this process began', async () => {
    events.finished(pod('p'), clock.now() - 1);
    await events.idle();
    expect(server.count('list', 'events')).toBe(0);
  });

  it('goes on when it may not list', async () => {
    server.fail({ when: ({ verb }) => verb === 'list', action: { kind: 'status', code: 403 }, times: 1 });
    events.finished(pod('p'), clock.now());
    await events.idle();
    putEvent('a', 'Successfully pulled image "a:1" in 2s (3s including waiting)', 'q');
    events.finished(pod('q'), clock.now());
    await events.idle();
    expect(pulled).toHaveLength(1);
  });
});
