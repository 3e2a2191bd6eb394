import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import { prepulledImageType } from '../../src/controllers/kinds.ts';
import { type NodeObject, nodeType, projectNode } from '../../src/controllers/node.ts';
import { Stock } from '../../src/controllers/stock.ts';
import { NO_NAMESPACE_LIMITS } from '../../src/domain/namespace-limits.ts';
import { formatTime } from '../../src/kube/condition.ts';
import { Informer } from '../../src/kube/informer.ts';
import { formatKey } from '../../src/kube/resource.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { DIGEST_A, prepulledImage } from '../support/builders.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { eventually, FakeClock, settle } from '../support/fake-clock.ts';
import { PREPULLED_IMAGES } from './fixtures.ts';

const NODES = { group: '', version: 'v1', plural: 'nodes' };
const LIMIT_MS = 15_000;
/** One image is asked for no more often. */
const LOOK_MS = 500;
const IMAGE = 'default/lab-w-2026-40';

let server: FakeApiServer;
let transport: Transport;
let clock: FakeClock;
let stock: Stock;
let informers: readonly Promise<void>[];
let whenSynced: Promise<unknown>;
let stop: AbortController;
/** Keys that the stock asked to be looked at, since they were last taken. */
let fired: { images: Set<string>; nodes: Set<string> };

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  stop = new AbortController();
  const connection = server.connect(clock);
  ({ transport } = connection);
  const { client } = connection;
  const images = new Informer<PrepulledImage>({ client, clock, type: prepulledImageType });
  const nodes = new Informer<NodeObject>({ client, clock, type: nodeType, project: projectNode });
  stock = new Stock({
    images,
    nodes,
    clock,
    random: () => 0,
    nodeStatusMaxImages: 50,
    pullLimits: { slots: 4, slotsPerHost: Infinity, slotsPerImage: Infinity },
    namespaceLimits: NO_NAMESPACE_LIMITS,
  });
  fired = { images: new Set(), nodes: new Set() };
  stock.imageTrigger.start((key) => fired.images.add(formatKey(key)));
  stock.nodeTrigger.start((key) => fired.nodes.add(formatKey(key)));
  informers = [images.run(stop.signal), nodes.run(stop.signal)];
  whenSynced = Promise.all([images.whenSynced(stop.signal), nodes.whenSynced(stop.signal)]);
});

afterEach(async () => {
  stop.abort();
  await Promise.all(informers);
  await transport.close();
  await server.close();
});

/** The caches are synced and this replica leads. */
async function lead(): Promise<{ readonly running: Promise<void> }> {
  await whenSynced;
  const running = stock.run({ stop: stop.signal, abort: stop.signal });
  // Subscribing shows what is there already.
  await settle();
  await rest();
  fired.nodes.clear();
  return { running };
}

function putNode(
  name: string,
  extra: { labels?: object; images?: readonly object[]; createdAt?: string } = {},
): void {
  server.store.put(NODES, {
    metadata: {
      name,
      uid: `uid-of-${name}`,
      creationTimestamp: extra.createdAt ?? '2025-12-01T00:00:00Z',
      labels: extra.labels ?? {},
    },
    spec: {},
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      nodeInfo: { operatingSystem: 'linux', architecture: 'amd64' },
      images: extra.images ?? [],
    },
  });
}

function putImage(status: object = {}, spec: object = {}): void {
  const object = prepulledImage();
  const image = {
    reference: 'registry.example.org/sciplat/lab:w_2026_40',
    digest: DIGEST_A,
    registry: 'registry.example.org',
    repository: 'sciplat/lab',
  };
  server.store.put(PREPULLED_IMAGES, {
    ...object,
    spec: { ...object.spec, ...spec },
    status: { image, ...status },
  });
}

/** Waits until exactly these images were asked to be looked at, and until they may be asked for again. */
async function expectImages(...ids: readonly string[]): Promise<void> {
  await eventually(() => [...fired.images].sort().join() === ids.join(), LIMIT_MS);
  await rest();
}

/** An event may ask twice: the second time comes when the first has rested, and rests as well. */
async function rest(): Promise<void> {
  await clock.advance(LOOK_MS);
  await clock.advance(LOOK_MS);
  fired.images.clear();
}

describe('while another replica leads', () => {
  it('listens, and asks for nothing', async () => {
    putNode('n1', { images: [{ names: [`registry.example.org/sciplat/lab@${DIGEST_A}`], sizeBytes: 1 }] });
    putImage();
    await whenSynced;
    await eventually(() => stock.wants.list().length === 1, LIMIT_MS);
    const [want] = stock.wants.list();
    expect(want && stock.coverage.isPresent('n1', want)).toBe(true);
    expect([...fired.images, ...fired.nodes]).toEqual([]);
    expect(stock.totals()).toBeUndefined();
  });
});

describe('while this replica leads', () => {
  it('knows which nodes joined a moment before it', async () => {
    putNode('old');
    putNode('new', { createdAt: formatTime(clock.now() - 60_000) });
    putImage();
    await lead();
    await eventually(() => stock.wants.list().length === 1, LIMIT_MS);
    expect(stock.index.newcomers(IMAGE)).toEqual({ missing: 1, lookAfterMs: 540_000 - 2 * LOOK_MS });
  });

  it('takes in at the start what the statuses tell', async () => {
    putNode('n1');
    const condition = {
      type: 'Prepulled',
      status: 'True',
      observedGeneration: 1,
      reason: 'AllNodes',
      message: '',
    };
    const nodes = { eligible: 1, present: 1 };
    putImage({ coverageTime: '2026-01-01T00:00:00Z', conditions: [condition], presentOn: ['n1'], nodes });
    await lead();
    const [want] = stock.wants.list();
    expect(want && stock.coverage.isPresent('n1', want)).toBe(true);
  });

  it('has every node looked at once new wants have settled', async () => {
    putNode('n1');
    putNode('n2');
    await lead();
    putImage();
    await eventually(() => fired.images.has(IMAGE), LIMIT_MS);
    expect(stock.isSettled()).toBe(false);
    expect([...fired.nodes]).toEqual([]);
    await clock.advance(500);
    expect(stock.isSettled()).toBe(true);
    expect([...fired.nodes].sort()).toEqual(['n1', 'n2']);
  });

  it('forgets failures and circuits of an image that was changed', async () => {
    putNode('n1');
    putImage();
    await lead();
    const [want] = stock.wants.list();
    if (want === undefined) throw new Error('no want');
    const failure = { reason: 'ImageNotFound', message: '', attempts: 5, lastAttempt: 0, notBefore: 1 };
    stock.coverage.setFailure({ name: 'n1', uid: 'uid-of-n1' }, want, failure);
    for (const node of ['a', 'b', 'c'])
      stock.circuits.fail(`image:${want.id}`, node, { now: 0, monotonic: 0, message: '' });
    await expectImages(IMAGE);
    putImage({}, { keepWarm: true });
    await expectImages(IMAGE);
    expect(stock.coverage.failure('n1', want.id)).toBeUndefined();
    expect(stock.circuits.findOpen(`image:${want.id}`)).toBeUndefined();
  });

  it('has the images of a registry looked at when its circuit opens, and the nodes too when it closes', async () => {
    putNode('n1');
    putImage();
    await lead();
    const moment = { now: 0, monotonic: 0, message: '' };
    for (const node of ['a', 'b', 'c']) stock.circuits.fail('host:registry.example.org', node, moment);
    for (const node of ['a', 'b', 'c']) stock.circuits.fail('host:other.example.org', node, moment);
    await expectImages(IMAGE);
    expect([...fired.nodes]).toEqual([]);
    stock.circuits.succeed('host:registry.example.org');
    expect([...fired.nodes]).toEqual(['n1']);
    await expectImages(IMAGE);
  });

  it('forgets the registry and the namespace of the last image that goes', async () => {
    putNode('n1');
    putImage();
    await lead();
    const moment = { now: 0, monotonic: 0, message: '' };
    for (const node of ['a', 'b', 'c']) stock.circuits.fail('host:registry.example.org', node, moment);
    stock.budget.tryTake('n1', ['cluster', 'namespace:default']);
    stock.budget.leave('n1');
    await expectImages(IMAGE);
    server.store.delete(PREPULLED_IMAGES, IMAGE);
    await expectImages(IMAGE);
    expect(stock.circuits.findOpen('host:registry.example.org')).toBeUndefined();
    expect(stock.budget.turnOf('default')).toBe(0);
  });

  it('has the images looked at when nodes come, change their place or go', async () => {
    putNode('n1');
    putImage();
    await lead();
    putNode('n2');
    await expectImages(IMAGE);
    putNode('n2', { labels: { pool: 'lab' } });
    await expectImages(IMAGE);
    server.store.delete(NODES, 'n2');
    await expectImages(IMAGE);
  });

  it('has no image looked at whose selector leaves the changed node out', async () => {
    putNode('n1', { labels: { pool: 'lab' } });
    putImage({}, { nodes: { nodeSelector: { pool: 'gpu' } } });
    const other = { metadata: { ...prepulledImage().metadata, name: 'all' }, spec: prepulledImage().spec };
    server.store.put(PREPULLED_IMAGES, { ...server.store.get(PREPULLED_IMAGES, IMAGE), ...other });
    await lead();
    putNode('n1', { labels: { pool: 'lab', rack: '1' } });
    await expectImages('default/all');
    putNode('n1', { labels: { pool: 'gpu', rack: '1' } });
    await expectImages('default/all', IMAGE);
    putNode('n1', { labels: { pool: 'lab' } });
    await expectImages('default/all', IMAGE);
  });

  it('has only those images looked at whose presence a node reports', async () => {
    putNode('n1');
    putImage();
    await lead();
    putNode('n1', { images: [{ names: ['registry.example.org/other@sha256:1'], sizeBytes: 1 }] });
    putNode('n1', { images: [{ names: [`registry.example.org/sciplat/lab@${DIGEST_A}`], sizeBytes: 1 }] });
    await expectImages(IMAGE);
    const [want] = stock.wants.list();
    expect(want && stock.coverage.isPresent('n1', want)).toBe(true);
    server.store.delete(PREPULLED_IMAGES, IMAGE);
    await expectImages(IMAGE);
    expect(stock.wants.list()).toEqual([]);
  });

  it('keeps slots for old nodes, as long as there are any', async () => {
    const newcomers = (): boolean => {
      for (const node of ['a', 'b', 'c', 'd']) stock.budget.leave(node);
      const claims = ['cluster', 'newcomers'];
      return ['a', 'b', 'c', 'd'].every((node) => stock.budget.tryTake(node, claims));
    };
    putNode('young', { createdAt: '2025-12-31T23:59:00Z' });
    await lead();
    expect(newcomers()).toBe(true);
    putNode('old');
    putImage();
    await expectImages(IMAGE);
    await eventually(() => !newcomers(), LIMIT_MS);
    server.store.delete(NODES, 'old');
    await eventually(newcomers, LIMIT_MS);
  });

  it('ends when it is stopped, with no timer left of its own', async () => {
    putNode('n1');
    const { running } = await lead();
    putImage();
    await expectImages(IMAGE);
    expect(stock.totals()).toEqual({ eligible: 1, present: 0 });
    stop.abort();
    await running;
    expect(stock.totals()).toBeUndefined();
    fired.nodes.clear();
    await clock.advance(20_000);
    expect([...fired.nodes]).toEqual([]);
    await stock.run({ stop: stop.signal, abort: stop.signal });
  });
});
