import { afterEach, describe, expect, it } from 'vitest';
import { formatTime } from '../../../src/kube/condition.ts';
import { StockerWorld } from './stocker-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let world: StockerWorld;

afterEach(() => world[Symbol.asyncDispose]());

it('keeps one pod for each image that is kept warm, however often it is verified', async () => {
  world = await StockerWorld.start(['n1']);
  world.want('a', { spec: { keepWarm: true, pull: { verifyInterval: '1h' } } });
  for (let round = 0; round < 4; round += 1) {
    await world.reconcile('n1');
    world.finish('n1');
    await world.clock.advance(7 * MINUTE);
    await world.reconcile('n1');
    expect(world.pods('n1')).toHaveLength(1);
    await world.clock.advance(HOUR);
  }
});

describe('an image that is to be kept warm', () => {
  const LISTED = [{ names: [`x@sha256:${'61'.padEnd(64, '0')}`], sizeBytes: 1 }];

  it('and was there before gets a pod that keeps it, once', async () => {
    world = await StockerWorld.start([]);
    world.setNode('n1', { images: LISTED });
    world.want('a', { spec: { keepWarm: true } });
    await world.reconcile('n1');
    world.finish('n1');
    await world.clock.advance(24 * HOUR);
    for (let look = 0; look < 3; look += 1) await world.reconcile('n1');
    expect(world.pods('n1')).toHaveLength(1);
    expect(world.server.count('create', 'pods')).toBe(1);
  });

  it('gets no other pod at once when somebody deletes it, but in time', async () => {
    world = await StockerWorld.start([]);
    world.setNode('n1', { images: LISTED });
    world.want('a', { spec: { keepWarm: true } });
    await world.pullThrough('n1');
    world.erase(world.pod('n1').metadata);
    await world.clock.advance(2 * HOUR);
    await world.reconcile('n1');
    expect(world.pods('n1')).toEqual([]);
    await world.clock.advance(4 * HOUR);
    await world.reconcile('n1');
    expect(world.pods('n1')).toHaveLength(1);
  });

  it('and cannot be pulled by its own secret is tried with growing pauses, and is no trouble of others', async () => {
    world = await StockerWorld.start([]);
    world.setNode('n1', { images: LISTED });
    const want = world.want('a', { spec: { keepWarm: true } });
    for (let round = 0; round < 3; round += 1) {
      await world.reconcile('n1');
      world.date('n1', world.clock.now());
      world.finish('n1', { a: '401 unauthorized' });
      for (let look = 0; look < 3; look += 1) await world.reconcile('n1');
      expect(world.server.count('create', 'pods')).toBe(round + 1);
      await world.clock.advance(30_000 * 2 ** round);
    }
    expect(world.coverage.isPresent('n1', want)).toBe(true);
    expect(world.failures).toEqual([]);
  });

  it('and whose pod somebody deletes time and again before it has ended gets it with growing pauses', async () => {
    world = await StockerWorld.start([]);
    world.setNode('n1', { images: LISTED });
    world.want('a', { spec: { keepWarm: true } });
    for (let round = 0; round < 8; round += 1) {
      await world.reconcile('n1');
      for (const pod of world.pods('n1')) if (round % 2 === 1) world.erase(pod.metadata);
    }
    expect(world.server.count('create', 'pods')).toBe(2);
  });

  it('gets none where the cluster has as many as it may', async () => {
    world = await StockerWorld.start([], { maxKeptPods: 0 });
    world.setNode('n1', { images: LISTED });
    world.want('a', { spec: { keepWarm: true } });
    await world.reconcile('n1');
    expect(world.pods('n1')).toEqual([]);
  });
});

it('lets go only as many as are too many, when all nodes are looked at in a moment', async () => {
  const nodes = ['n1', 'n2', 'n3', 'n4', 'n5'];
  world = await StockerWorld.start(nodes, { maxKeptPods: 3 });
  world.want('a', { spec: { keepWarm: true } });
  for (const node of nodes) {
    await world.reconcile(node);
    world.finish(node);
  }
  await world.clock.advance(7 * MINUTE);
  // The watch has not shown yet what was deleted a moment ago.
  world.staleCache = world.pods();
  for (const node of nodes) await world.reconcile(node);
  expect(nodes.filter((node) => world.pods(node).length > 0)).toEqual(['n3', 'n4', 'n5']);
});

it('counts no pods that are still at work among those that are kept', async () => {
  world = await StockerWorld.start(['n1', 'n2'], { maxKeptPods: 1 });
  world.want('a', { spec: { keepWarm: true } });
  await world.reconcile('n1');
  world.finish('n1');
  await world.reconcile('n2');
  await world.clock.advance(7 * MINUTE);
  await world.reconcile('n1');
  expect(world.pods('n1')).toHaveLength(1);
});

it('pulls what the node still lacks, although somebody protects the pod that has rested', async () => {
  world = await StockerWorld.start(['n1']);
  world.want('a');
  await world.reconcile('n1');
  world.finish('n1');
  await world.clock.advance(7 * MINUTE);
  world.want('b');
  const action = { kind: 'status', code: 403, reason: 'Forbidden' } as const;
  world.server.fail({ when: ({ verb }) => verb === 'delete', action, times: 9 });
  await world.reconcile('n1');
  expect(world.pods('n1').map((pod) => world.pulls(pod))).toContainEqual(['b']);
});

it('ends a container that does not end by itself, and goes on with the others', async () => {
  world = await StockerWorld.start(['n1']);
  const stuck = world.want('stuck');
  await world.reconcile('n1');
  world.run('n1', formatTime(world.clock.now()));
  world.want('next');
  expect(await world.reconcile('n1')).toMatchObject({ requeueAfterMs: 6 * MINUTE });
  expect(world.coverage.isPresent('n1', stuck)).toBe(true);
  await world.clock.advance(6 * MINUTE);
  await world.reconcile('n1');
  expect(world.pods('n1')).toEqual([]);
  await world.reconcile('n1');
  expect(world.pulls(world.pod('n1'))).toEqual(['next']);
  expect(world.coverage.failure('n1', stuck.id)).toBeUndefined();
});
