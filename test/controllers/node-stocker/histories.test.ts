/** Whatever happens to nodes, pods and images in whatever order: one pod a node, no slot lost, and all is stocked at last. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { judgePullPod } from '../../../src/controllers/node-stocker/pull-verdict.ts';
import { StockerWorld } from './stocker-world.ts';

const NODES = ['n1', 'n2', 'n3'] as const;
const SLOTS = 2;
const MINUTE = 60_000;
/** What was pulled is not verified before the end. */
const SURE = { spec: { pull: { verifyInterval: '48h' } } };

type Step = (world: StockerWorld) => Promise<void> | void;

it('any history ends with every image on every node', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step(), { maxLength: 25, size: 'max' }), async (steps) => {
      await using world = await StockerWorld.start(NODES, { slots: SLOTS });
      for (const happen of steps) {
        await happen(world);
        expectOrder(world);
      }
      await comeToRest(world);
    }),
    { numRuns: 40 },
  );
});

function step(): fc.Arbitrary<Step> {
  const node = fc.constantFrom(...NODES);
  const image = fc.constantFrom('a', 'b', 'c');
  const cause = fc.constantFrom('manifest unknown', '503 service unavailable', 'no space left on device');
  return fc.oneof(
    node.map((name) => (world: StockerWorld) => look(world, name)),
    image.map((name) => (world: StockerWorld) => void world.want(name, SURE)),
    image.map((name) => (world: StockerWorld) => {
      world.drop(name);
    }),
    node.map((name) => (world: StockerWorld) => {
      if (unfinished(world, name) > 0) world.finish(name);
    }),
    fc.tuple(node, image, cause).map(([name, failing, message]) => (world: StockerWorld) => {
      if (unfinished(world, name) > 0) world.finish(name, { [failing]: message });
    }),
    node.map((name) => (world: StockerWorld) => {
      const pod = world.pods(name).at(-1);
      if (pod !== undefined) world.erase(pod.metadata);
    }),
    fc.tuple(node, fc.nat(1)).map(([name, n]) => async (world: StockerWorld) => {
      world.removeNode(name);
      for (const { metadata } of world.pods(name)) world.erase(metadata);
      if (n === 1) await look(world, name);
      world.setNode(name, { uid: `${name}-${String(world.clock.monotonic())}` });
    }),
    fc.tuple(node, fc.boolean()).map(([name, unschedulable]) => (world: StockerWorld) => {
      const { uid } = world.node(name);
      world.setNode(name, { uid, unschedulable });
    }),
    fc.constantFrom(5_000, 31_000, 7 * MINUTE).map((ms) => (world: StockerWorld) => world.clock.advance(ms)),
  );
}

/** The node, and whoever was woken by that. */
async function look(world: StockerWorld, name: string): Promise<void> {
  const queue = [name];
  for (let turn = 0; turn < 20; turn += 1) {
    const next = queue.shift();
    if (next === undefined) return;
    const before = new Set(world.pods(next).map(({ metadata }) => metadata.uid));
    await world.reconcile(next);
    if (world.pods(next).some(({ metadata }) => !before.has(metadata.uid)))
      world.date(next, world.clock.now());
    queue.push(...new Set(world.woken.splice(0)));
  }
}

function unfinished(world: StockerWorld, node: string): number {
  return world.pods(node).filter((pod) => !judgePullPod(pod).finished).length;
}

function expectOrder(world: StockerWorld): void {
  for (const node of NODES) expect(unfinished(world, node)).toBeLessThanOrEqual(1);
  expect(world.budget.taken('cluster')).toBeLessThanOrEqual(SLOTS);
}

async function comeToRest(world: StockerWorld): Promise<void> {
  for (const node of NODES) world.setNode(node, { uid: world.node(node).uid });
  for (let round = 0; round < 12; round += 1) {
    for (const node of NODES) {
      await look(world, node);
      if (unfinished(world, node) > 0) world.finish(node);
      await look(world, node);
      expectOrder(world);
    }
    await world.clock.advance(31 * MINUTE);
  }
  for (const want of world.wants.list())
    expect(NODES.filter((node) => world.coverage.isPresent(node, want))).toEqual(NODES);
  expect(world.budget.taken('cluster')).toBe(0);
  expect(world.pods()).toEqual([]);
}
