import { afterEach, describe, expect, it } from 'vitest';
import type { Want } from '../../../src/domain/want.ts';
import { StockerWorld } from './stocker-world.ts';

/** How `finish` calls the container that pulls by tag: only digests tell a name. */
const BY_TAG = '';

let world: StockerWorld;

afterEach(() => world[Symbol.asyncDispose]());

function wantBoth(): Want {
  return world.want('a', { spec: { pull: { by: 'Both' } } });
}

async function failTag(node: string): Promise<void> {
  await world.reconcile(node);
  world.date(node, world.clock.now());
  world.finish(node, { [BY_TAG]: 'manifest unknown' });
  await world.reconcile(node);
}

describe('an image whose digest comes and whose tag does not', () => {
  it('is left alone for longer each time', async () => {
    world = await StockerWorld.start(['n1']);
    const want = wantBoth();
    const waits: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      await failTag('n1');
      const { attempts = 0, notBefore = 0 } = world.coverage.failure('n1', want.id) ?? {};
      expect(attempts).toBe(round + 1);
      waits.push(notBefore - world.clock.monotonic());
      await world.clock.advance(notBefore - world.clock.monotonic());
    }
    expect(waits).toEqual([30_000, 60_000, 120_000, 240_000]);
  });

  it('opens its circuit after three nodes', async () => {
    world = await StockerWorld.start(['n1', 'n2', 'n3']);
    const want = wantBoth();
    for (const node of ['n1', 'n2', 'n3']) await failTag(node);
    expect(world.circuits.findOpen(`image:${want.id}`)?.message).toContain('manifest unknown');
  });
});

it('a pod that failed and rests is no news once another one has brought the image', async () => {
  world = await StockerWorld.start(['n1', 'n2', 'n3']);
  const bad = world.want('bad');
  world.want('good');
  for (const node of ['n1', 'n2', 'n3']) {
    await world.reconcile(node);
    world.finish(node, { bad: '503 service unavailable' });
    if (node !== 'n3') await world.reconcile(node);
  }
  await world.clock.advance(31_000);
  await world.pullThrough('n1');
  const before = world.failures.length;
  for (let pass = 0; pass < 2; pass += 1) await world.reconcile('n1');
  expect(world.coverage.failure('n1', bad.id)).toBeUndefined();
  expect(world.failures).toHaveLength(before);
});

describe('the pause after a failure', () => {
  it('begins when it is seen, however long the pull took', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await world.reconcile('n1');
    await world.clock.advance(300_000);
    world.finish('n1', { a: 'connection reset' });
    expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 30_000 });
    expect(world.coverage.failure('n1', want.id)?.notBefore).toBe(world.clock.monotonic() + 30_000);
    expect(world.pods()).toEqual([]);
  });

  it('does not grow because a clock is set back, nor end because it is set forward', async () => {
    world = await StockerWorld.start(['n1']);
    world.want('a');
    await world.pullThrough('n1', { a: 'connection reset' });
    world.clock.jump(86_400_000);
    await world.reconcile('n1');
    expect(world.pods()).toEqual([]);
    world.clock.jump(-2 * 86_400_000);
    await world.clock.advance(30_000);
    await world.reconcile('n1');
    expect(world.pods()).toHaveLength(1);
  });

  it('is kept although the clock of the API server is behind ours', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await world.reconcile('n1');
    for (const { metadata } of world.pods('n1')) world.erase(metadata);
    await world.clock.advance(31_000);
    await world.reconcile('n1');
    expect(world.coverage.failure('n1', want.id)?.reason).toBe('PodVanished');
    await world.reconcile('n1');
    world.date('n1', world.clock.now() - 120_000);
    world.finish('n1', { a: 'manifest unknown' });
    const { requeueAfterMs = 0 } = await world.reconcile('n1');
    expect(world.coverage.failure('n1', want.id)).toMatchObject({ reason: 'ImageNotFound', attempts: 2 });
    expect(requeueAfterMs).toBe(60_000);
    expect(world.pods()).toEqual([]);
  });
});

describe('the circuit of a registry that does not answer', () => {
  const HOST = 'host:registry.example.org';

  async function pull(node: string, failures: Readonly<Record<string, string>> = {}): Promise<void> {
    await world.reconcile(node);
    world.date(node, world.clock.now());
    world.finish(node, failures);
    await world.reconcile(node);
  }

  async function open(by: 'Digest' | 'Tag'): Promise<void> {
    world = await StockerWorld.start(['has', 'n1', 'n2', 'n3']);
    world.want('a', { spec: { pull: { by } } });
    await pull('has');
    const container = by === 'Tag' ? BY_TAG : 'a';
    for (const node of ['n1', 'n2', 'n3']) await pull(node, { [container]: '503 service unavailable' });
    expect(world.circuits.findOpen(HOST)).toBeDefined();
    await world.clock.advance(7 * 3_600_000);
  }

  it('is not closed by a node that had the image: nothing was asked of the registry', async () => {
    await open('Digest');
    await pull('has');
    expect(world.pods('has').length).toBeGreaterThan(0);
    expect(world.circuits.findOpen(HOST)).toBeDefined();
    await pull('n1');
    expect(world.circuits.findOpen(HOST)).toBeUndefined();
  });

  it('is closed by a tag, which is asked for each time', async () => {
    await open('Tag');
    await pull('has');
    expect(world.circuits.findOpen(HOST)).toBeUndefined();
  });
});
