import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DockerImageRecord } from '../../../src/api/docker-image-record.ts';
import { ReferenceSweep } from '../../../src/controllers/docker-image-record/reference-sweep.ts';
import { RecordReferences } from '../../../src/controllers/record-references.ts';
import { silentLogger } from '../../../src/kube/logger.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { dockerImageRecord } from '../../support/builders.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { eventually, FakeClock } from '../../support/fake-clock.ts';
import { PODS } from '../fixtures.ts';

const clock = { current: new FakeClock() };
let server: FakeApiServer;
let transport: Transport;
let records: DockerImageRecord[];
let told: string[];
let sweep: ReferenceSweep;
let stop: AbortController;
let running: Promise<void>;

beforeEach(async () => {
  clock.current = new FakeClock();
  server = await FakeApiServer.start();
  const connection = server.connect(clock.current);
  transport = connection.transport;
  records = [dockerImageRecord()];
  told = [];
  sweep = new ReferenceSweep({
    references: new RecordReferences(connection.client),
    records: {
      list: (namespace) => records.filter((each) => [undefined, each.metadata.namespace].includes(namespace)),
    },
    clock: clock.current,
    log: silentLogger,
    onChange: ({ name }) => void told.push(name),
  });
  stop = new AbortController();
  running = sweep.run({ stop: stop.signal, abort: stop.signal });
});

afterEach(async () => {
  stop.abort();
  await running;
  await transport.close();
  await server.close();
});

function pod(name: string, image = 'a:1', annotations: object = { 'larder.dev/record': 'yolo-v5' }): void {
  server.store.put(PODS, {
    metadata: { name, namespace: 'default', annotations },
    spec: { containers: [{ image }] },
  });
}

async function holders(record = records[0]): Promise<readonly string[]> {
  if (record === undefined) return [];
  const { annotated } = await sweep.survey(record, stop.signal);
  return (annotated.get(record.metadata.name) ?? []).map(({ name }) => name);
}

/** Time passes until everything that a sweep asks for is answered. */
async function pass(milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= 1_000) await clock.current.advance(Math.min(left, 1_000));
}

describe('the sweep', () => {
  it('looks when it is asked for the first time, then answers from what it saw', async () => {
    pod('train');
    expect(await holders()).toEqual(['train']);
    const lists = server.count('list');
    expect(await holders()).toEqual(['train']);
    expect(server.count('list')).toBe(lists);
  });

  it('does not look at namespaces without records', async () => {
    records = [];
    await pass(120_000);
    expect(server.count('list')).toBe(0);
  });

  it('tells of records whose holders have changed, and of no others', async () => {
    records = [dockerImageRecord(), dockerImageRecord({ metadata: { name: 'other' } })];
    await holders();
    pod('train');
    await pass(59_000);
    expect(told).toEqual([]);
    await pass(2_000);
    await eventually(() => told.length > 0);
    expect(told).toEqual(['yolo-v5']);
    expect(await holders()).toEqual(['train']);
    const lists = server.count('list');
    await pass(61_000);
    await eventually(() => server.count('list') > lists);
    expect(told).toEqual(['yolo-v5']);
  });

  it('is in a hurry where somebody waits for a record to go', async () => {
    await holders();
    records = [
      dockerImageRecord({ metadata: { name: 'yolo-v5', deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    ];
    pod('train');
    await pass(6_000);
    await eventually(() => told.length > 0);
    expect(told).toEqual(['yolo-v5']);
  });

  it('rests in proportion to what it had to look at', async () => {
    for (let index = 0; index < 400; index += 1) pod(`pod-${index}`, 'a:1', {});
    for (const plural of ['deployments', 'statefulsets', 'daemonsets']) {
      for (let index = 0; index < 3_000; index += 1) {
        server.store.put(
          { group: 'apps', version: 'v1', plural },
          { metadata: { name: `a-${index}`, namespace: 'default' } },
        );
      }
    }
    await holders();
    const lists = server.count('list');
    await pass(90_000);
    expect(server.count('list')).toBe(lists);
    await pass(6_000);
    await eventually(() => server.count('list') > lists);
  });

  it('looks again soon when a record has an image that nobody looked for', async () => {
    pod('by-image', 'registry.example.org:443/waikato/pytorch-yolov5:2022-11-05_cuda11.1', {});
    await holders();
    const matching = dockerImageRecord({ spec: { matchByImage: true } });
    records = [matching];
    await pass(6_000);
    await eventually(() => told.length > 0);
    const { podsByImage } = await sweep.survey(matching, stop.signal);
    expect([...podsByImage.values()].flat().map(({ name }) => name)).toEqual(['by-image']);
    const lists = server.count('list');
    await pass(30_000);
    expect(server.count('list')).toBe(lists);
  });

  it('keeps what it saw when the server fails, and tells a first failure to all who ask', async () => {
    await holders();
    server.fail({
      when: ({ verb }) => verb === 'list',
      action: { kind: 'status', code: 403, reason: 'Forbidden' },
      times: 100,
    });
    await pass(61_000);
    await eventually(() => server.requests.length > 6);
    expect(await holders()).toEqual([]);
    const elsewhere = dockerImageRecord({ metadata: { name: 'other', namespace: 'other' } });
    records = [elsewhere];
    await expect(holders(elsewhere)).rejects.toMatchObject({ status: 403 });
    const asked = server.requests.length;
    await expect(holders(elsewhere)).rejects.toMatchObject({ status: 403 });
    expect(server.requests).toHaveLength(asked);
    server.clearFaults();
    await pass(16_000);
    expect(await holders(elsewhere)).toEqual([]);
  });

  it('shares one look between all who ask at the same moment', async () => {
    await Promise.all(Array.from({ length: 20 }, () => holders()));
    expect(server.count('list')).toBe(6);
  });
});
