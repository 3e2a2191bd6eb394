import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pageOf } from '../../src/server/page.ts';

const keyOf = (item: string): string => item;

/** All pages, with `change` applied to the list between them. */
function readAll(
  list: readonly string[],
  limit: number,
  change: (list: readonly string[], page: number) => readonly string[] = (same) => same,
): readonly string[] {
  const seen: string[] = [];
  let current = list;
  let cursor: string | undefined;
  for (let page = 0; page < 1_000; page += 1) {
    const { items, next } = pageOf(current, keyOf, { limit, cursor });
    seen.push(...items);
    if (next === null) return seen;
    cursor = next;
    current = change(current, page);
  }
  throw new Error('the pages have no end');
}

const lists = fc.uniqueArray(fc.string(), { maxLength: 60 });
const limits = fc.integer({ min: 1, max: 20 });

describe('pages', () => {
  it('hold everything once', () => {
    fc.assert(
      fc.property(lists, limits, (list, limit) => {
        expect(readAll(list, limit)).toEqual(list);
      }),
    );
  });

  it('miss nothing and repeat nothing while something is put in front', () => {
    fc.assert(
      fc.property(lists, limits, (list, limit) => {
        const change = (current: readonly string[], page: number) => [`new tag ${page}`, ...current];
        expect(readAll(list, limit, change)).toEqual(list);
      }),
    );
  });

  it('go on at the same place when the last item is gone', () => {
    const list = ['a', 'b', 'c', 'd'];
    const { next } = pageOf(list, keyOf, { limit: 2 });
    const { items } = pageOf(['a', 'c', 'd'], keyOf, { limit: 2, cursor: next ?? '' });
    expect(items).toEqual(['c', 'd']);
  });

  it.each(['', 'x', 'bnVsbA', 'WzEsMl0', 'Wy0xLCJhIl0'])('refuse %j as a cursor', (cursor) => {
    expect(() => pageOf(['a'], keyOf, { cursor })).toThrow('query.cursor');
  });
});
