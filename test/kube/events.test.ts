import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventWriter } from '../../src/kube/events.ts';
import type { KubeObject } from '../../src/kube/resource.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { memoryLog, WIDGETS } from './fixtures.ts';

const REF = { group: 'events.k8s.io', version: 'v1', plural: 'events' };
const NOTE = { type: 'Warning', reason: 'PullFailed', action: 'Pull', message: 'no route' } as const;

let server: FakeApiServer;
let transport: Transport;
let clock: FakeClock;
let writer: EventWriter;
const { log, lines } = memoryLog();

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  const connection = server.connect(clock);
  transport = connection.transport;
  writer = new EventWriter({
    client: connection.client,
    clock,
    controller: 'larder.dev/operator',
    instance: 'pod-1',
    log,
  });
});

afterEach(async () => {
  await transport.close();
  await server.close();
});

function object(name = 'a', namespace: string | undefined = 'ns'): KubeObject {
  return { metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: '5' } };
}

async function recorded(): Promise<readonly Record<string, unknown>[]> {
  await writer.flush();
  return server.store.list(REF);
}

describe('EventWriter', () => {
  it('writes what kubectl describe needs', async () => {
    writer.record({ type: WIDGETS, object: object() }, NOTE);
    const [event] = await recorded();
    expect(event).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: 'ns' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'larder.dev/operator',
      reportingInstance: 'pod-1',
      action: 'Pull',
      reason: 'PullFailed',
      type: 'Warning',
      note: 'no route',
      regarding: { apiVersion: 'test.dev/v1', kind: 'Widget', name: 'a', namespace: 'ns', uid: 'uid-a' },
    });
  });

  it('puts events of cluster-scoped objects into default, under a name the server takes', async () => {
    writer.record({ type: WIDGETS, object: { metadata: { name: 'node.example.', uid: 'u' } } }, NOTE);
    const [event] = await recorded();
    expect(event?.['metadata']).toMatchObject({ namespace: 'default' });
    expect((event?.['metadata'] as { name: string }).name).toMatch(/^node\.example-/);
  });

  it('says the same thing again only after ten minutes', async () => {
    for (let round = 0; round < 5; round += 1) writer.record({ type: WIDGETS, object: object() }, NOTE);
    writer.record({ type: WIDGETS, object: object() }, { ...NOTE, message: 'other' });
    writer.record({ type: WIDGETS, object: object('b') }, NOTE);
    expect(await recorded()).toHaveLength(3);
    await clock.advance(600_001);
    writer.record({ type: WIDGETS, object: object() }, NOTE);
    expect(await recorded()).toHaveLength(4);
  });

  it('lets one object say 25 things, then one each five minutes', async () => {
    const say = (message: string): void => {
      writer.record({ type: WIDGETS, object: object() }, { ...NOTE, message });
    };
    for (let index = 0; index < 100; index += 1) say(`m${index}`);
    expect(await recorded()).toHaveLength(25);
    await clock.advance(300_000);
    say('later');
    say('too soon');
    expect(await recorded()).toHaveLength(26);
  });

  it('cuts long notes', async () => {
    writer.record({ type: WIDGETS, object: object() }, { ...NOTE, message: 'x'.repeat(2_000) });
    expect(String((await recorded())[0]?.['note'])).toHaveLength(1_024);
  });

  it('drops what cannot be written, and goes on', async () => {
    server.fail({ when: () => true, action: { kind: 'status', code: 403, reason: 'Forbidden' } });
    writer.record({ type: WIDGETS, object: object() }, NOTE);
    writer.record({ type: WIDGETS, object: object('b') }, NOTE);
    expect(await recorded()).toHaveLength(1);
    expect(lines.at(-1)).toMatchObject({ level: 'debug', message: 'event not written' });
  });

  it('bounds what waits to be written', async () => {
    server.freeze();
    for (let index = 0; index < 1_000; index += 1)
      writer.record({ type: WIDGETS, object: object(`n${index}`) }, NOTE);
    server.thaw();
    expect((await recorded()).length).toBeLessThanOrEqual(501);
  });

  it('forgets the oldest of many notes', async () => {
    for (let index = 0; index < 4_200; index += 1) {
      writer.record({ type: WIDGETS, object: object(`n${index}`) }, NOTE);
      if (index % 400 === 0) await writer.flush();
    }
    await writer.flush();
    const before = (await recorded()).length;
    writer.record({ type: WIDGETS, object: object('n0') }, NOTE);
    expect((await recorded()).length).toBe(before + 1);
  });
});
