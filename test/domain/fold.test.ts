import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type Fold, foldEach, foldSort, ITEMS_PER_STEP, runFold } from '../../src/domain/fold.ts';

interface Item {
  readonly key: number;
  readonly index: number;
}

function countSteps<T>(fold: Fold<T>): { readonly steps: number; readonly value: T } {
  for (let steps = 0; ; steps++) {
    const step = fold.next();
    if (step.done === true) return { steps, value: step.value };
  }
}

function itemsOf(keys: readonly number[]): readonly Item[] {
  return keys.map((key, index) => ({ key, index }));
}

const byKey = { compare: (left: Item, right: Item) => left.key - right.key };

describe('folds', () => {
  it('visit every item in order, pausing in between', () => {
    const seen: number[] = [];
    const { steps } = countSteps(foldEach(Array(ITEMS_PER_STEP * 3).keys(), (item) => seen.push(item)));
    expect(seen).toEqual([...Array(ITEMS_PER_STEP * 3).keys()]);
    expect(steps).toBe(3);
  });

  it('pause as often as told', () => {
    expect(countSteps(foldEach([1, 2, 3, 4, 5], () => undefined, 2)).steps).toBe(2);
    expect(countSteps(foldEach([], () => undefined)).steps).toBe(0);
  });

  it('tell the index', () => {
    const indexes: number[] = [];
    runFold(foldEach(['a', 'b'], (_, index) => indexes.push(index)));
    expect(indexes).toEqual([0, 1]);
  });

  it('sort like Array.prototype.sort: stably, and without touching the input', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (keys) => {
        const items = itemsOf(keys);
        expect(runFold(foldSort(items, byKey))).toEqual(items.toSorted(byKey.compare));
        expect(items).toEqual(itemsOf(keys));
      }),
    );
  });

  it.each([1023, 1024, 1025, 2048, 5000, 9000])('sort %s items over several runs', (count) => {
    const items = itemsOf(Array.from({ length: count }, (_, index) => (index * 7919) % 1000));
    const { steps, value } = countSteps(foldSort(items, byKey));
    expect(value).toEqual(items.toSorted(byKey.compare));
    expect(steps).toBeGreaterThanOrEqual(Math.ceil(count / 1024));
    const sorted = runFold(foldSort(value, byKey));
    expect(sorted).toEqual(value);
    expect(runFold(foldSort(value.toReversed(), byKey)).map(({ key }) => key)).toEqual(
      value.map(({ key }) => key),
    );
  });

  const rankedBy = (keys: readonly number[], tieRanks: readonly number[]) => ({
    ranks: { ranks: keys, tieRanks },
  });

  it('look at the rank first, and compare only where it is equal', () => {
    let compared = 0;
    const keys = [3, 1, 2, 2];
    const compare = (): number => {
      compared++;
      return 0;
    };
    const sorted = runFold(foldSort(itemsOf(keys), { compare, ...rankedBy(keys, [0, 0, 0, 0]) }));
    expect(sorted.map(({ index }) => index)).toEqual([1, 2, 3, 0]);
    expect(compared).toBeGreaterThan(0);
    expect(compared).toBeLessThan(4);
  });

  it('look at the second rank where the first is equal, and compare only where both are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -60, max: 60 }), { maxLength: 200 }), (keys) => {
        const ranks = keys.map((key) => Math.floor(key / 20));
        const tieRanks = keys.map((key) => Math.floor(key / 4));
        const sorted = runFold(foldSort(itemsOf(keys), { ...byKey, ...rankedBy(ranks, tieRanks) }));
        expect(sorted).toEqual(itemsOf(keys).toSorted(byKey.compare));
      }),
    );
  });

  it('sort long stretches of one rank in steps too', () => {
    const keys = Array.from({ length: 5000 }, (_, index) => (index * 7919) % 1000);
    const ranks = rankedBy(
      keys.map((key) => (key < 10 ? 0 : 1)),
      keys.map(() => 0),
    );
    const { steps, value } = countSteps(foldSort(itemsOf(keys), { ...byKey, ...ranks }));
    expect(value).toEqual(itemsOf(keys).toSorted(byKey.compare));
    expect(steps).toBeGreaterThanOrEqual(5);
  });
});
