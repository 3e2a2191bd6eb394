import { afterEach, describe, expect, it } from 'vitest';
import { formatKey } from '../../../src/kube/resource.ts';
import { PODS } from '../fixtures.ts';
import { StockerWorld } from './stocker-world.ts';

let world: StockerWorld;

afterEach(() => world[Symbol.asyncDispose]());

describe('a pull pod that somebody deletes', () => {
  async function loseBeforeEnd(): Promise<void> {
    await world.reconcile('n1');
    world.begin('n1');
    await world.reconcile('n1');
    for (const { metadata } of world.pods()) world.server.store.delete(PODS, formatKey(metadata));
  }

  it('is made again at once', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await loseBeforeEnd();
    await world.reconcile('n1');
    expect(world.pods()).toHaveLength(1);
    expect(world.coverage.failure('n1', want.id)).toMatchObject({ reason: 'PodVanished', attempts: 1 });
    world.finish('n1');
    await world.reconcile('n1');
    expect(world.coverage.failure('n1', want.id)).toBeUndefined();
  });

  it('time and again is made with growing pauses', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await loseBeforeEnd();
    await loseBeforeEnd();
    expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 30_000 });
    expect(world.coverage.failure('n1', want.id)?.attempts).toBe(2);
    await world.reconcile('n1');
    expect(world.coverage.failure('n1', want.id)?.attempts).toBe(2);
    await world.clock.advance(30_000);
    await loseBeforeEnd();
    expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 60_000 });
  });

  it('after it has brought its images is no loss', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await world.reconcile('n1');
    world.begin('n1');
    await world.pullThrough('n1');
    for (const { metadata } of world.pods()) world.server.store.delete(PODS, formatKey(metadata));
    expect(await world.reconcile('n1')).toEqual({});
    expect(world.coverage.isPresent('n1', want)).toBe(true);
  });
});
