import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compareSemVer, rankSemVer, readSemVer, tieRankSemVer } from '../../../src/domain/tag/semver.ts';

/** Oldest first, each told from the next by the ranks alone. */
const RANKED = [
  'a-name',
  'a-name-of-a',
  'a-name-of-b',
  'latest',
  '0.0.0-0',
  '0.0.0-7',
  '0.0.0-20240601',
  '0.0.0-alph',
  '0.0.0-alph.1',
  '0.0.0-alph.x',
  '0.0.0-alpha',
  '0.0.0-alpha.0',
  '0.0.0-alpha.1',
  '0.0.0-alpha.2',
  '0.0.0-alpha.beta',
  '0.0.0-alphabet.1',
  '0.0.0-rc',
  '0.0.0-rc.2',
  '0.0.0-rc.10',
  '0.0.0-rc1',
  '0.0.0',
  '0.0.1-dev.1',
];

describe('the order of semantic versions', () => {
  it('is told by the ranks alone for everyday names and pre-releases', () => {
    for (const [index, text] of RANKED.entries()) {
      const older = RANKED[index - 1];
      if (older === undefined) continue;
      const [left, right] = [readSemVer(older), readSemVer(text)];
      const byRank = rankSemVer(left) - rankSemVer(right) || tieRankSemVer(left) - tieRankSemVer(right);
      expect(byRank, `${older} ${text}`).toBeLessThan(0);
      expect(compareSemVer(left, right), `${older} ${text}`).toBeLessThan(0);
    }
  });

  it('is left to comparing where numbers are too large, names or pre-releases too long', () => {
    const ties = [
      ['9999999.0.0-rc.1', '9999999.0.0'],
      ['1.65535.0-rc.1', '1.65536.0'],
      ['1.0.65535', '1.0.65536-rc.1'],
      ['1.0.0-alphabet', '1.0.0-alphabets.2'],
      ['1.0.0-rc.131069', '1.0.0-rc.131070'],
      ['1.0.0-1099511627776', '1.0.0-1099511627777'],
      ['1.0.0-rc.1.1', '1.0.0-rc.1.2'],
      ['a-name-of-many-characters', 'a-name-of-many-others'],
    ] as const;
    for (const [older, newer] of ties) {
      const [left, right] = [readSemVer(older), readSemVer(newer)];
      expect(compareSemVer(left, right), older).toBeLessThan(0);
      expect([rankSemVer(left), tieRankSemVer(left)], older).toEqual([
        rankSemVer(right),
        tieRankSemVer(right),
      ]);
    }
  });

  it('is never contradicted by the ranks', () => {
    const number = fc.constantFrom('0', '1', '65533', '65534', '65535', '1048576', '9'.repeat(20));
    const identifier = fc.constantFrom(
      ...['0', '9', '131068', '131069', '131070', '1099511627775', '1099511627776', '9'.repeat(20)],
      ...['a', 'alph', 'alpha', 'alphabet', 'alphabets', 'rc', 'rc1', '-', 'z'.repeat(9)],
    );
    const tag = fc
      .tuple(
        fc.array(number, { minLength: 1, maxLength: 3 }),
        fc.array(identifier, { maxLength: 3 }),
        fc.constantFrom('', 'v'),
      )
      .map(([numbers, identifiers, prefix]) => {
        const tail = identifiers.length === 0 ? '' : `-${identifiers.join('.')}`;
        return readSemVer(prefix + numbers.join('.') + tail);
      });
    const name = fc.constantFrom('latest', 'late', 'a-name-of-someone', '\u00e9t\u00e9').map(readSemVer);
    const any = fc.oneof({ weight: 9, arbitrary: tag }, name);
    fc.assert(
      fc.property(any, any, (left, right) => {
        const byRank = rankSemVer(left) - rankSemVer(right) || tieRankSemVer(left) - tieRankSemVer(right);
        expect(Math.sign(byRank) * Math.sign(compareSemVer(left, right))).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 5000 },
    );
  });
});
