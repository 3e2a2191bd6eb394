import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { runFold } from '../../src/domain/fold.ts';
import { type Indexes, radixSort } from '../../src/domain/radix-sort.ts';

function places(count: number): Indexes {
  return Uint32Array.from(Array(count).keys());
}

function sortedByKey(keys: readonly number[]): readonly number[] {
  return [...places(keys.length)].sort((left, right) => {
    const [first = 0, second = 0] = [keys[left], keys[right]];
    return first === second ? 0 : first < second ? -1 : 1;
  });
}

describe('sorting by digits', () => {
  it('orders like comparing, and leaves equals as they were', () => {
    const key = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.double({ noNaN: true }),
      fc.constantFrom(Infinity, -Infinity, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER),
    );
    fc.assert(
      fc.property(fc.array(key.map((value) => value + 0)), (keys) => {
        const sorted = runFold(radixSort(places(keys.length), Float64Array.from(keys)));
        expect([...sorted]).toEqual(sortedByKey(keys));
      }),
    );
  });

  it('keeps the given order where keys are equal', () => {
    const sorted = runFold(radixSort(Uint32Array.of(2, 0, 1), Float64Array.of(5, 4, 5)));
    expect([...sorted]).toEqual([1, 2, 0]);
  });

  it('pauses in between, and moves nothing where all keys have the same', () => {
    const steps = (keys: readonly number[]): number =>
      [...radixSort(places(keys.length), Float64Array.from(keys))].length;
    expect(steps([7, 7])).toBe(2);
    expect(steps([1, 1.5])).toBe(3);
  });

  it('sorts nothing', () => {
    expect([...runFold(radixSort(places(0), new Float64Array(0)))]).toEqual([]);
  });
});
