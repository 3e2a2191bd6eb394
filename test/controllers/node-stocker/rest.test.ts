import { afterEach, expect, it } from 'vitest';
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
