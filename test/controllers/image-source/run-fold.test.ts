import { expect, it } from 'vitest';
import { runFoldAsync } from '../../../src/controllers/image-source/run-fold.ts';
import type { Fold } from '../../../src/domain/fold.ts';

/** Works for `ms` between two steps. */
function* laboured(steps: number, ms: number): Fold<string> {
  for (let step = 0; step < steps; step += 1) {
    const until = performance.now() + ms;
    while (performance.now() < until);
    yield;
  }
  return 'done';
}

it('gives the result', async () => {
  expect(await runFoldAsync(laboured(1_000, 0))).toBe('done');
});

it('lets others have their turn during long work', async () => {
  let turns = 0;
  let isOver = false;
  function count(): void {
    turns += 1;
    if (!isOver) setImmediate(count);
  }
  setImmediate(count);
  await runFoldAsync(laboured(30, 3));
  isOver = true;
  expect(turns).toBeGreaterThan(3);
});

it('passes on what the work throws', async () => {
  function* broken(): Fold<never> {
    yield;
    throw new RangeError('broken');
  }
  await expect(runFoldAsync(broken())).rejects.toThrow('broken');
});
