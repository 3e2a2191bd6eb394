import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  type Fold,
  foldEach,
  foldOrder,
  foldSort,
  ITEMS_PER_STEP,
  type Keys,
  runFold,
} from '../../src/domain/fold.ts';

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

const byKey = (left: Item, right: Item): number => left.key - right.key;

function keysOf(ranks: readonly number[], tieRanks: readonly number[]): Keys {
  return { ranks: Float64Array.from(ranks), tieRanks: Float64Array.from(tieRanks) };
}

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
        expect(runFold(foldSort(items, byKey))).toEqual(items.toSorted(byKey));
        expect(items).toEqual(itemsOf(keys));
      }),
    );
  });

  it.each([1023, 1024, 1025, 2048, 5000, 9000])('sort %s items over several runs', (count) => {
    const items = itemsOf(Array.from({ length: count }, (_, index) => (index * 7919) % 1000));
    const { steps, value } = countSteps(foldSort(items, byKey));
    expect(value).toEqual(items.toSorted(byKey));
    expect(steps).toBeGreaterThanOrEqual(Math.ceil(count / 1024));
    const sorted = runFold(foldSort(value, byKey));
    expect(sorted).toEqual(value);
    expect(runFold(foldSort(value.toReversed(), byKey)).map(({ key }) => key)).toEqual(
      value.map(({ key }) => key),
    );
  });

  it('order places by rank first, and compare only where it is equal', () => {
    let compared = 0;
    const ranks = [3, 1, 2, 2];
    const compareAt = (): number => {
      compared++;
      return 0;
    };
    const places = runFold(foldOrder(4, { compareAt, keys: keysOf(ranks, [0, 0, 0, 0]) }));
    expect([...places]).toEqual([1, 2, 3, 0]);
    expect(compared).toBe(1);
  });

  it('look at the second rank where the first is equal, and compare only where both are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -60, max: 60 }), { maxLength: 200 }), (values) => {
        const items = itemsOf(values);
        const keys = keysOf(
          values.map((value) => Math.floor(value / 20)),
          values.map((value) => Math.floor(value / 4)),
        );
        const compareAt = (left: number, right: number): number => (values[left] ?? 0) - (values[right] ?? 0);
        const places = runFold(foldOrder(values.length, { compareAt, keys }));
        expect(Array.from(places, (place) => items[place])).toEqual(items.toSorted(byKey));
      }),
    );
  });

  it('leave the keys as they were', () => {
    const keys = keysOf([2, -1], [0, 0]);
    runFold(foldOrder(2, { compareAt: () => 0, keys }));
    expect(keys).toEqual(keysOf([2, -1], [0, 0]));
  });

  it('sort long stretches of one rank in steps too', () => {
    const values = Array.from({ length: 5000 }, (_, index) => (index * 7919) % 1000);
    const keys = keysOf(
      values.map((value) => (value < 10 ? 0 : 1)),
      values.map(() => 0),
    );
    const compareAt = (left: number, right: number): number => (values[left] ?? 0) - (values[right] ?? 0);
    const { steps, value } = countSteps(foldOrder(values.length, { compareAt, keys }));
    expect(Array.from(value, (place) => values[place])).toEqual(values.toSorted((a, b) => a - b));
    expect(steps).toBeGreaterThanOrEqual(5);
  });
});
