import { describe, expect, it } from 'vitest';
import { retryPause } from '../../src/controllers/retry-pause.ts';

describe('the pause after failures in a row', () => {
  it.each([
    [1, 600_000, 30_000],
    [2, 600_000, 60_000],
    [5, 600_000, 480_000],
    [6, 600_000, 600_000],
    [1, 10_000, 10_000],
    [2, 10_000, 20_000],
    [6, 10_000, 300_000],
    [1_000, 10_000, 300_000],
  ])('after %d at an interval of %d ms is %d ms', (failures, intervalMs, pauseMs) => {
    expect(retryPause(failures, intervalMs)).toBe(pauseMs);
  });
});
