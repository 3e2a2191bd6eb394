/** The warm gate as part of stocking a node: when the taint really goes. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import { StockerWorld } from './stocker-world.ts';

const NODES = { group: '', version: 'v1', plural: 'nodes' };
const TAINTS = [
  { key: 'team', value: 'red', effect: 'PreferNoSchedule' as const },
  { key: 'larder.dev/not-stocked', effect: 'NoSchedule' as const },
];

let world: StockerWorld;

beforeEach(async () => {
  world = await StockerWorld.start([], { warmGate: true });
  world.server.store.put(NODES, { metadata: { name: 'n1', uid: 'uid-of-n1' }, spec: { taints: TAINTS } });
  world.setNode('n1', { taints: TAINTS }, world.clock.now());
});

afterEach(() => world[Symbol.asyncDispose]());

function taints(): readonly string[] {
  const { spec } = world.server.store.get(NODES, 'n1') as unknown as {
    readonly spec: { readonly taints: readonly { readonly key: string }[] };
  };
  return spec.taints.map(({ key }) => key);
}

it('goes when the last image is there, and takes no other taint along', async () => {
  world.want('a');
  await world.reconcile('n1');
  expect(taints()).toHaveLength(2);
  world.finish('n1');
  await world.reconcile('n1');
  expect(taints()).toEqual(['team']);
});

it('goes once: the cache may show it a moment longer', async () => {
  await world.reconcile('n1');
  await world.reconcile('n1');
  expect(world.server.count('patch', 'nodes')).toBe(1);
  expect(taints()).toEqual(['team']);
});

it('goes again from a node that somebody has tainted again', async () => {
  await world.reconcile('n1');
  world.server.store.put(NODES, { metadata: { name: 'n1', uid: 'uid-of-n1' }, spec: { taints: TAINTS } });
  world.setNode('n1', { taints: TAINTS }, world.clock.now());
  await world.reconcile('n1');
  expect(taints()).toEqual(['team']);
});

it('stays while a source has not been scanned, though no image is known, and goes when it has', async () => {
  world.isPending = true;
  expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 2_000 });
  expect(taints()).toHaveLength(2);
  world.isPending = false;
  await world.reconcile('n1');
  expect(taints()).toEqual(['team']);
});

it('stays while wants are still coming in', async () => {
  world.isSettled = false;
  await world.reconcile('n1');
  expect(taints()).toHaveLength(2);
});

it('goes in any case after ten minutes', async () => {
  world.want('a');
  await world.reconcile('n1');
  world.begin('n1');
  await world.clock.advance(599_000);
  await world.reconcile('n1');
  expect(taints()).toHaveLength(2);
  await world.clock.advance(1_000);
  await world.reconcile('n1');
  expect(taints()).toEqual(['team']);
});

it('goes after ten minutes also if the node cannot be stocked at all', async () => {
  world.want('a');
  await world.clock.advance(600_000);
  const action = { kind: 'status', code: 500 } as const;
  world.server.fail({ when: ({ verb }) => verb === 'create', action, times: 9 });
  await expect(world.reconcile('n1')).rejects.toMatchObject({ status: 500 });
  expect(taints()).toEqual(['team']);
});
