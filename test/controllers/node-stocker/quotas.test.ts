/** Quotas on pods that lag, shrink, close and open: every node gets its image, soon after it can, without a storm. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type QuotaSettings, QuotaWorld } from './quota-world.ts';

const MINUTE = 60_000;
const DEFAULTS: QuotaSettings = { nodes: 30, room: () => 10, lagMs: 0, pullMs: MINUTE };

async function stockAll(settings: Partial<QuotaSettings>): Promise<QuotaWorld> {
  const quota = await QuotaWorld.start({ ...DEFAULTS, ...settings });
  const want = quota.world.want('a');
  const isOn = (node: string): boolean => quota.world.coverage.isPresent(node, want);
  await quota.until(() => quota.nodes.every(isOn), 120 * MINUTE);
  return quota;
}

describe('a quota of ten for thirty nodes', () => {
  it.each([
    ['at once', 0, MINUTE],
    ['a second late', 1_000, MINUTE],
    ['three seconds late', 3_000, MINUTE],
    ['late, of pulls that take longer than their timeout', 1_000, 15 * MINUTE],
  ])('that notes ends %s is used up three times', async (_when, lagMs, pullMs) => {
    await using quota = await stockAll({ lagMs, pullMs });
    expect(quota.elapsedMs).toBeLessThan(3 * pullMs + 10_000);
    expect(quota.refused).toBeLessThan(30);
    expect(quota.world.failures).toEqual([]);
  });

  it('that is taken away for a while is tried by one node, then told as what keeps all from pulling', async () => {
    const room = (at: number): number => (at < 1_000 || at >= 20 * MINUTE ? 10 : 0);
    await using quota = await QuotaWorld.start({ ...DEFAULTS, room });
    const want = quota.world.want('a');
    await quota.until(() => quota.elapsedMs >= MINUTE + 20_000, 2 * MINUTE);
    expect(quota.refused).toBeLessThan(30);
    expect(quota.world.failures).toEqual([]);
    await quota.until(() => quota.elapsedMs >= 19 * MINUTE, 20 * MINUTE);
    expect(quota.world.coverage.failure('n29', want.id)?.message).toContain('exceeded quota');
    // Each node tries on its own by then: after 30 s, then after twice as long each time, up to eight minutes.
    expect(quota.refused).toBeLessThan(20 * 10);
    await quota.until(
      () => quota.nodes.every((node) => quota.world.coverage.isPresent(node, want)),
      12 * MINUTE,
    );
  });

  it('goes on although the node that tries for all is deleted', async () => {
    const room = (at: number): number => (at < 1_000 || at >= MINUTE + 10_000 ? 10 : 0);
    await using quota = await QuotaWorld.start({ ...DEFAULTS, room });
    const want = quota.world.want('a');
    await quota.until(() => quota.refused > 1, 2 * MINUTE);
    const trying = quota.nodes.find((node) => quota.isDue(node, 2_000));
    expect(trying).toBeDefined();
    quota.remove(trying ?? '');
    const others = quota.nodes.filter((node) => node !== trying);
    await quota.until(() => others.every((node) => quota.world.coverage.isPresent(node, want)), 5 * MINUTE);
    expect(quota.world.failures).toEqual([]);
  });
});

it('whatever a quota does, every node has its image soon after it is open', async () => {
  const settings = fc.record({
    nodes: fc.integer({ min: 2, max: 9 }),
    slots: fc.constantFrom(2, 4, Infinity),
    lagMs: fc.constantFrom(0, 700, 4_000),
    pullMs: fc.constantFrom(2_000, 40_000, 11 * MINUTE),
    rooms: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 6 }),
    everyMs: fc.constantFrom(3_000, MINUTE, 7 * MINUTE),
    gone: fc.nat({ max: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(settings, async ({ rooms, everyMs, gone, ...given }) => {
      const openAt = rooms.length * everyMs;
      const room = (at: number): number => rooms[Math.floor(at / everyMs)] ?? 3;
      await using quota = await QuotaWorld.start({ ...given, room });
      const want = quota.world.want('a');
      await quota.until(() => quota.elapsedMs >= openAt / 2, openAt);
      const lost = `n${String(gone % given.nodes)}`;
      quota.remove(lost);
      const others = quota.nodes.filter((node) => node !== lost);
      const limitMs = openAt + 9 * MINUTE + given.nodes * (given.pullMs + 15_000);
      await quota.until(() => others.every((node) => quota.world.coverage.isPresent(node, want)), limitMs);
      expect(quota.world.budget.taken('cluster')).toBe(0);
    }),
    { numRuns: 25 },
  );
});
