import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PrepulledImage } from '../../../src/api/prepulled-image.ts';
import { AccessReader } from '../../../src/controllers/access.ts';
import { prepulledImageType } from '../../../src/controllers/kinds.ts';
import { prepulledImageReconciler } from '../../../src/controllers/prepulled-image/controller.ts';
import { Circuits } from '../../../src/domain/circuits.ts';
import { Coverage } from '../../../src/domain/coverage.ts';
import { StockIndex } from '../../../src/domain/stock-index.ts';
import { findCondition } from '../../../src/kube/condition.ts';
import type { Reconciler } from '../../../src/kube/controller.ts';
import type { RawObject } from '../../../src/kube/resource.ts';
import type { Result } from '../../../src/kube/result.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { RegistryClient } from '../../../src/registry/client.ts';
import { prepulledImage } from '../../support/builders.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { steppedThrough } from '../../support/registry-failure.ts';
import { PREPULLED_IMAGES, phaseContext, storeLister } from '../fixtures.ts';

const WORKERS = 8;
const SILENT = 40;
const INTERVAL = 300_000;

let silent: FakeRegistry;
let healthy: FakeRegistry;
let server: FakeApiServer;
let clock: FakeClock;
let client: RegistryClient;
let transport: Transport;
let reconciler: Reconciler;

beforeEach(async () => {
  [silent, healthy, server] = await Promise.all([
    FakeRegistry.start(),
    FakeRegistry.start(),
    FakeApiServer.start(),
  ]);
  for (const registry of [silent, healthy]) registry.putImage('lab', 'v1');
  clock = new FakeClock();
  client = new RegistryClient({ clock });
  const connected = server.connect(clock);
  ({ transport } = connected);
  const circuits = new Circuits(() => 0);
  reconciler = prepulledImageReconciler({
    client: connected.client,
    source: {
      type: prepulledImageType,
      lister: storeLister<PrepulledImage>(server, PREPULLED_IMAGES),
      project: (raw: RawObject) => raw as unknown as PrepulledImage,
    },
    registry: client,
    access: new AccessReader(connected.client),
    clock,
    circuits,
    index: new StockIndex({ coverage: new Coverage(), circuits }, () => clock.monotonic()),
    refusal: () => undefined,
  });
});

afterEach(async () => {
  await client.close();
  await Promise.all([silent[Symbol.asyncDispose](), healthy[Symbol.asyncDispose](), transport.close()]);
  await server.close();
});

function put(name: string, { host }: FakeRegistry): void {
  const spec = { image: `${host}/lab:v1`, access: { plainHTTP: true } };
  server.store.put(PREPULLED_IMAGES, prepulledImage({ metadata: { name }, spec }));
}

function find(name: string): PrepulledImage {
  return server.store.get(PREPULLED_IMAGES, `default/${name}`) as unknown as PrepulledImage;
}

function resolved(name: string): string | undefined {
  return findCondition(find(name).status, 'Resolved')?.reason;
}

function reconcile(name: string): Promise<Result> {
  const key = { namespace: 'default', name };
  return reconciler.reconcile(key, phaseContext({ key, now: clock.now() }));
}

it('a registry that says nothing holds up no image of another one', async () => {
  silent.intercept = () => true;
  const names = Array.from({ length: SILENT }, (_, n) => `silent-${String(n)}`);
  for (const name of names) put(name, silent);
  put('healthy', healthy);
  const queue = [...names, 'healthy'].values();
  const work = async (): Promise<void> => {
    for (const name of queue) await reconcile(name);
  };
  const workers = Promise.all(Array.from({ length: WORKERS }, work));
  await expect.poll(() => resolved('healthy')).toBe('TagResolved');
  expect(clock.monotonic()).toBe(0);
  expect(silent.apiRequests.length).toBeLessThanOrEqual(4);
  await steppedThrough(workers, clock);
  expect(resolved('silent-0')).toBe('RegistryTimeout');
});

it('an image that waits for its registry in vain takes nothing from the others, nor their turns', async () => {
  put('first', silent);
  put('second', silent);
  await reconcile('first');
  await reconcile('second');
  await clock.advance(INTERVAL);
  silent.intercept = () => true;
  await steppedThrough(reconcile('first'), clock);
  expect(resolved('first')).toBe('RegistryTimeout');
  silent.log.length = 0;
  const { requeueAfterMs = 0 } = await reconcile('second');
  expect(requeueAfterMs).toBeLessThanOrEqual(30_000);
  expect(resolved('second')).toBe('TagResolved');
  expect(silent.apiRequests).toEqual([]);
  put('third', silent);
  await reconcile('third');
  expect(resolved('third')).toBe('RegistryTimeout');
  expect(silent.apiRequests).toEqual([]);
  silent.intercept = undefined;
  await clock.advance(30_000);
  await reconcile('second');
  await reconcile('third');
  expect([resolved('second'), resolved('third')]).toEqual(['TagResolved', 'TagResolved']);
});
