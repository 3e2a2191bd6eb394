import { describe, expect, it } from 'vitest';
import { backoffDelay } from '../../src/kube/backoff.ts';

describe('backoffDelay', () => {
  it('doubles up to the limit', () => {
    const options = { baseMs: 100, maxMs: 1_000 };
    expect([0, 1, 2, 3, 4, 5_000].map((failures) => backoffDelay(failures, options))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  it('spreads around the delay, never beyond the limit', () => {
    const at = (random: number) =>
      backoffDelay(1, { baseMs: 100, maxMs: 250, jitter: 0.5, random: () => random });
    expect([at(0), at(0.5), at(1)]).toEqual([100, 200, 250]);
    expect(backoffDelay(0, { baseMs: 100, maxMs: 250, jitter: 0.5 })).toBeLessThanOrEqual(150);
  });
});
