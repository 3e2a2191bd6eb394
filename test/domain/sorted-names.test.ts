import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareNames, SortedNames } from '../../src/domain/sorted-names.ts';

it('is a set in order, whatever comes and goes', () => {
  const step = fc.tuple(fc.boolean(), fc.constantFrom('a', 'B', 'c', 'ä', 'n10', 'n9', ''));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const names = new SortedNames(['n9', 'a']);
      const plain = new Set(['a', 'n9']);
      for (const [adds, name] of steps) {
        if (adds) names.add(name);
        else names.delete(name);
        if (adds) plain.add(name);
        else plain.delete(name);
      }
      expect(names.first(Infinity)).toEqual([...plain].sort());
      expect(names.size).toBe(plain.size);
      expect(names.first(2)).toEqual([...plain].sort().slice(0, 2));
    }),
  );
});

it('names are compared by code unit', () => {
  const pairs = [
    ['a', 'b'],
    ['b', 'a'],
    ['a', 'a'],
    ['B', 'a'],
    ['n10', 'n9'],
  ] as const;
  expect(pairs.map(([left, right]) => compareNames(left, right))).toEqual([-1, 1, 0, -1, -1]);
});
