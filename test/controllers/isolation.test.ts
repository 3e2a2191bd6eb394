import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ImageSource } from '../../src/api/image-source.ts';
import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import { AccessReader } from '../../src/controllers/access.ts';
import { imageSourceReconciler } from '../../src/controllers/image-source/controller.ts';
import { imageSourceType, prepulledImageType } from '../../src/controllers/kinds.ts';
import { prepulledImageReconciler } from '../../src/controllers/prepulled-image/controller.ts';
import { Circuits } from '../../src/domain/circuits.ts';
import { Coverage } from '../../src/domain/coverage.ts';
import { StockIndex } from '../../src/domain/stock-index.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { CommonStatus } from '../../src/kube/conclusion.ts';
import { findCondition } from '../../src/kube/condition.ts';
import type { Reconciler } from '../../src/kube/controller.ts';
import type { KubeObject, RawObject } from '../../src/kube/resource.ts';
import type { Result } from '../../src/kube/result.ts';
import { RegistryClient } from '../../src/registry/client.ts';
import { imageSource, prepulledImage } from '../support/builders.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import type { ResourceRef } from '../support/fake-api-store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { steppedThrough } from '../support/registry-failure.ts';
import { RecordWorld } from './docker-image-record/record-world.ts';
import { IMAGE_SOURCES, PREPULLED_IMAGES, phaseContext, storeLister } from './fixtures.ts';

const WORKERS = 8;
const SILENT = 40;
const INTERVAL = 300_000;

/** Objects of one kind, and the operator's work on them. */
interface World extends AsyncDisposable {
  readonly clock: FakeClock;
  put(name: string, registry: FakeRegistry): void;
  reconcile(name: string): Promise<Result>;
  /** What the object says of its registry. */
  reason(name: string): string | undefined;
  status(name: string): CommonStatus;
}

interface Kind {
  readonly ref: ResourceRef;
  /** The condition in which the object speaks of its registry. */
  readonly condition: string;
  readonly make: (name: string, repository: string) => Parameters<FakeApiServer['store']['put']>[1];
  readonly build: (
    server: FakeApiServer,
    client: KubeClient,
    registry: RegistryClient,
    clock: FakeClock,
  ) => Reconciler;
}

async function startWorld({ ref, condition, make, build }: Kind): Promise<World> {
  const server = await FakeApiServer.start();
  const clock = new FakeClock();
  const { client, transport } = server.connect(clock);
  const registry = new RegistryClient({ clock });
  const reconciler = build(server, client, registry, clock);
  const statusOf = (name: string): CommonStatus =>
    (server.store.get(ref, `default/${name}`) as { readonly status?: CommonStatus }).status ?? {};
  return {
    clock,
    put: (name, { host }) => {
      const before = server.store.find(ref, `default/${name}`);
      const { metadata: { generation = 0 } = {}, status } = (before ?? {}) as Partial<
        KubeObject & { status: CommonStatus }
      >;
      const object = make(name, `${host}/lab`);
      const metadata = { ...object.metadata, generation: generation + 1 };
      server.store.put(ref, { ...object, metadata, ...(status && { status }) });
    },
    reconcile: (name) => {
      const key = { namespace: 'default', name };
      return reconciler.reconcile(key, phaseContext({ key, now: clock.now() }));
    },
    reason: (name) => findCondition(statusOf(name), condition)?.reason,
    status: statusOf,
    async [Symbol.asyncDispose]() {
      await Promise.all([registry.close(), transport.close()]);
      await server.close();
    },
  };
}

const access = { plainHTTP: true };

const sources: Kind = {
  ref: IMAGE_SOURCES,
  condition: 'Ready',
  make: (name, image) => imageSource({ metadata: { name }, spec: { image, access } }),
  build: (server, client, registry, clock) =>
    imageSourceReconciler({
      client,
      source: {
        type: imageSourceType,
        lister: storeLister<ImageSource>(server, IMAGE_SOURCES),
        project: (raw: RawObject) => raw as unknown as ImageSource,
      },
      registry,
      access: new AccessReader(client),
      clock,
      random: () => 0,
      images: storeLister<PrepulledImage>(server, PREPULLED_IMAGES),
    }),
};

const images: Kind = {
  ref: PREPULLED_IMAGES,
  condition: 'Resolved',
  make: (name, repository) =>
    prepulledImage({ metadata: { name }, spec: { image: `${repository}:v1`, access } }),
  build: (server, client, registry, clock) => {
    const circuits = new Circuits(() => 0);
    return prepulledImageReconciler({
      client,
      source: {
        type: prepulledImageType,
        lister: storeLister<PrepulledImage>(server, PREPULLED_IMAGES),
        project: (raw: RawObject) => raw as unknown as PrepulledImage,
      },
      registry,
      access: new AccessReader(client),
      clock,
      circuits,
      index: new StockIndex({ coverage: new Coverage(), circuits }, () => clock.monotonic()),
      refusal: () => undefined,
    });
  },
};

async function startRecords(): Promise<World> {
  const world = await RecordWorld.start();
  return {
    clock: world.clock,
    put: (name, { host }) => {
      world.put(name, { image: `${host}/lab:v1` });
    },
    reconcile: (name) => world.reconcile(name),
    reason: (name) => findCondition(world.status(name), 'Available')?.reason,
    status: (name) => world.status(name),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

describe.each([
  { kind: 'an ImageSource', start: () => startWorld(sources), good: 'Succeeded' },
  { kind: 'a PrepulledImage', start: () => startWorld(images), good: 'TagResolved' },
  { kind: 'a DockerImageRecord', start: startRecords, good: 'ManifestFound' },
])('$kind of a registry that says nothing', ({ start, good }) => {
  let silent: FakeRegistry;
  let healthy: FakeRegistry;
  let world: World;

  beforeEach(async () => {
    [silent, healthy, world] = await Promise.all([FakeRegistry.start(), FakeRegistry.start(), start()]);
    for (const registry of [silent, healthy]) registry.putImage('lab', 'v1');
  });

  afterEach(async () => {
    await world[Symbol.asyncDispose]();
    await Promise.all([silent[Symbol.asyncDispose](), healthy[Symbol.asyncDispose]()]);
  });

  it('holds up none of another one', async () => {
    silent.intercept = () => true;
    const names = Array.from({ length: SILENT }, (_, n) => `silent-${String(n)}`);
    for (const name of names) world.put(name, silent);
    world.put('healthy', healthy);
    const queue = [...names, 'healthy'].values();
    const work = async (): Promise<void> => {
      for (const name of queue) await world.reconcile(name);
    };
    const workers = Promise.all(Array.from({ length: WORKERS }, work));
    await expect.poll(() => world.reason('healthy')).toBe(good);
    expect(world.clock.monotonic()).toBe(0);
    expect(silent.apiRequests.length).toBeLessThanOrEqual(4);
    await steppedThrough(workers, world.clock);
    expect(world.reason('silent-0')).toBe('RegistryTimeout');
  });

  it('is not spoken of by those who wait for others to hear of it', async () => {
    const first = ['one', 'two', 'three', 'four'];
    for (const name of [...first, 'moved']) {
      world.put(name, healthy);
      await world.reconcile(name);
    }
    const before = world.status('moved');
    silent.intercept = () => true;
    for (const name of first) world.put(name, silent);
    const asking = Promise.all(first.map((name) => world.reconcile(name)));
    await expect.poll(() => silent.apiRequests.length).toBeGreaterThan(0);
    world.put('moved', silent);
    world.put('new', silent);
    for (const name of ['moved', 'new']) {
      const { requeueAfterMs = 0 } = await world.reconcile(name);
      expect(requeueAfterMs).toBe(100);
    }
    expect(findCondition(world.status('new'), 'Ready')).toBeUndefined();
    expect(world.status('moved')).toEqual(before);
    await world.clock.advance(10_000);
    expect(await world.reconcile('new')).toEqual({ requeueAfterMs: 5_000 });
    await steppedThrough(asking, world.clock);
    for (const name of ['moved', 'new']) {
      await world.reconcile(name);
      expect(world.reason(name)).toBe('RegistryTimeout');
      expect(findCondition(world.status(name), 'Ready')?.status).not.toBe('True');
    }
  });

  it('is not written about again and again while one tries it for all', async () => {
    silent.intercept = () => true;
    for (const name of ['first', 'second', 'third']) world.put(name, silent);
    await steppedThrough(world.reconcile('first'), world.clock);
    await world.reconcile('second');
    await world.reconcile('third');
    const before = world.status('second');
    await world.clock.advance(30_000);
    const trial = world.reconcile('third');
    await expect(world.reconcile('second')).resolves.toEqual({ requeueAfterMs: 5_000 });
    expect(world.status('second')).toEqual(before);
    await steppedThrough(trial, world.clock);
    await world.reconcile('second');
    expect(world.status('second')).toEqual(before);
  });

  it('waits in vain alone: the others keep what they know, and their turns', async () => {
    world.put('first', silent);
    world.put('second', silent);
    await world.reconcile('first');
    await world.reconcile('second');
    await world.clock.advance(INTERVAL);
    silent.intercept = () => true;
    await steppedThrough(world.reconcile('first'), world.clock);
    expect(world.reason('first')).toBe('RegistryTimeout');
    silent.log.length = 0;
    const { requeueAfterMs = 0 } = await world.reconcile('second');
    expect(requeueAfterMs).toBeGreaterThan(0);
    expect(requeueAfterMs).toBeLessThanOrEqual(30_000);
    expect(world.reason('second')).toBe(good);
    expect(silent.apiRequests).toEqual([]);
    world.put('third', silent);
    await world.reconcile('third');
    expect(world.reason('third')).toBe('RegistryTimeout');
    expect(silent.apiRequests).toEqual([]);
    silent.intercept = undefined;
    await world.clock.advance(30_000);
    await world.reconcile('second');
    await world.reconcile('third');
    expect([world.reason('second'), world.reason('third')]).toEqual([good, good]);
  });
});
