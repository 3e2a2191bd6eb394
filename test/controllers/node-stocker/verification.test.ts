import { afterEach, describe, expect, it } from 'vitest';
import type { Want } from '../../../src/domain/want.ts';
import { StockerWorld } from './stocker-world.ts';

const HOUR = 3_600_000;
/** How `finish` calls the container that pulls by tag. */
const BY_TAG = '';

let world: StockerWorld;

afterEach(() => world[Symbol.asyncDispose]());

async function pull(node: string, failures: Readonly<Record<string, string>> = {}): Promise<void> {
  await world.reconcile(node);
  world.date(node, world.clock.now());
  world.finish(node, failures);
  await world.reconcile(node);
}

/** The image is on the node, which does not list it, and so long that nobody can be sure any more. */
async function forgetIt(by: 'Digest' | 'Both', spec: object = {}): Promise<Want> {
  world = await StockerWorld.start(['n1']);
  const want = world.want('a', { spec: { pull: { by }, ...spec } });
  await pull('n1');
  expect(world.coverage.isPresent('n1', want)).toBe(true);
  await world.clock.advance(7 * HOUR);
  return want;
}

async function waitOut(want: Want): Promise<number> {
  const wait = (world.coverage.failure('n1', want.id)?.notBefore ?? 0) - world.clock.monotonic();
  await world.clock.advance(Math.max(0, wait));
  return wait;
}

describe('a verification that fails', () => {
  it('proves that the image has gone, and is tried again with growing pauses', async () => {
    const want = await forgetIt('Digest');
    const waits: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await pull('n1', { a: 'manifest unknown' });
      expect(world.coverage.isPresent('n1', want)).toBe(false);
      for (let look = 0; look < 3; look += 1) await world.reconcile('n1');
      waits.push(await waitOut(want));
    }
    expect(waits).toEqual([30_000, 60_000, 120_000]);
    expect(world.server.count('create', 'pods')).toBe(4);
    await pull('n1');
    expect(world.coverage.isPresent('n1', want)).toBe(true);
    expect(world.coverage.failure('n1', want.id)).toBeUndefined();
  });

  it.each([
    ['its secret is refused: another one may have brought it', '401 unauthorized'],
    ['the runtime is in trouble', 'error reading from server: EOF; containerd.sock'],
  ])('proves nothing where %s, but is not tried again at once', async (_why, cause) => {
    const want = await forgetIt('Digest');
    await pull('n1', { a: cause });
    await world.reconcile('n1');
    expect(world.coverage.isPresent('n1', want)).toBe(true);
    expect(world.server.count('create', 'pods')).toBe(2);
    expect(await waitOut(want)).toBe(30_000);
  });

  it('says nothing of a tag that is asked for each time, and waits longer each time', async () => {
    const want = await forgetIt('Both', { keepWarm: true });
    const waits: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await pull('n1', { [BY_TAG]: '503 service unavailable' });
      for (let look = 0; look < 3; look += 1) await world.reconcile('n1');
      expect(world.coverage.isPresent('n1', want)).toBe(true);
      waits.push(await waitOut(want));
    }
    expect(waits).toEqual([30_000, 60_000, 120_000]);
    expect(world.server.count('create', 'pods')).toBe(4);
  });
});

it('a verification pod that somebody deletes time and again is made with growing pauses', async () => {
  const want = await forgetIt('Digest');
  const lose = async (): Promise<void> => {
    for (let look = 0; look < 2; look += 1) await world.reconcile('n1');
    for (const pod of world.pods('n1')) world.erase(pod.metadata);
  };
  for (let round = 0; round < 5; round += 1) await lose();
  // The first pull, the verification, and one more try at once.
  expect(world.server.count('create', 'pods')).toBe(3);
  expect(world.coverage.failure('n1', want.id)).toMatchObject({ reason: 'PodVanished', attempts: 2 });
});

it('two pods that rest with the same image are news once each, and let it grow old', async () => {
  world = await StockerWorld.start(['n1']);
  const want = world.want('a', { spec: { pull: { verifyInterval: '1m' } } });
  await pull('n1');
  await world.clock.advance(60_000);
  await pull('n1');
  expect(world.pods('n1')).toHaveLength(2);
  await world.clock.advance(20_000);
  await world.reconcile('n1');
  expect(world.finished).toHaveLength(2);
  const { coverage, clock } = world;
  expect(coverage.isUnverified('n1', want, { monotonic: clock.monotonic(), maxAgeMs: 20_000 })).toBe(true);
});

it('an old failure in a pod that is kept for another image is no news when the image goes', async () => {
  world = await StockerWorld.start(['n1', 'n2', 'n3']);
  world.want('warm', { spec: { keepWarm: true } });
  const lost = world.want('lost');
  const nodes = ['n1', 'n2', 'n3'];
  for (const node of nodes) {
    await pull(node, node === 'n3' ? {} : { lost: 'manifest unknown' });
    await world.clock.advance(31_000);
    if (node !== 'n3') await pull(node);
  }
  const listing = [{ names: ['other/one@sha256:1', 'other/one:1'], sizeBytes: 1 }];
  const warm = {
    names: [`x@${world.want('warm', { spec: { keepWarm: true } }).pulls[0]?.key ?? ''}`],
    sizeBytes: 1,
  };
  for (const node of nodes) world.setNode(node, { images: [...listing, warm] });
  await world.clock.advance(90_000);
  const before = world.failures.length;
  await world.reconcile('n1');
  await world.reconcile('n2');
  expect(world.failures).toHaveLength(before);
  expect(world.coverage.failure('n1', lost.id)).toBeUndefined();
  expect(
    world
      .pods('n1')
      .map((pod) => world.pulls(pod))
      .at(-1),
  ).toEqual(['lost']);
});

it('what a change of the spec has forgiven is not held against the image again by a pod that rests', async () => {
  world = await StockerWorld.start(['n1']);
  world.want('good');
  const bad = world.want('bad');
  await pull('n1', { bad: 'manifest unknown' });
  world.coverage.clearFailures(bad.id);
  await world.reconcile('n1');
  expect(
    world
      .pods('n1')
      .map((pod) => world.pulls(pod))
      .at(-1),
  ).toEqual(['bad']);
});
