import { describe, expect, it } from 'vitest';

import { readPlain } from '../../../src/domain/tag/plain.ts';
import { BLANK, ReadTag } from '../../../src/domain/tag/read-tag.ts';
import { compareSemVer, rankSemVer, readSemVer } from '../../../src/domain/tag/semver.ts';
import {
  formatDate,
  formatTagVersion,
  isPossibleAlias,
  isTagType,
  listingOrder,
  TAG_TYPES,
} from '../../../src/domain/tag/tag.ts';
import { titleCase } from '../../../src/domain/tag/title-case.ts';

describe('tags', () => {
  it('have types in a fixed order', () => {
    const tags = TAG_TYPES.map((type) => new ReadTag({ ...BLANK, tag: type, type }, () => type));
    expect(tags.toReversed().toSorted(listingOrder(() => 0))).toEqual(tags);
    expect(TAG_TYPES).toEqual([
      'alias',
      'release',
      'weekly',
      'daily',
      'releaseCandidate',
      'experimental',
      'unknown',
    ]);
    expect([isTagType('weekly'), isTagType('Weekly')]).toEqual([true, false]);
  });

  it('come newest first within a type', () => {
    const order = listingOrder(compareSemVer);
    expect(order(readSemVer('2.0.0'), readSemVer('1.0.0'))).toBeLessThan(0);
    expect(order(readSemVer('1.0.0'), readSemVer('1.0.0-rc1'))).toBeLessThan(0);
  });

  it('may be aliases if nobody knows them', () => {
    expect(
      [{ type: 'alias' }, { type: 'unknown' }, { type: 'release' }].map((tag) =>
        isPossibleAlias(tag as never),
      ),
    ).toEqual([true, true, false]);
  });

  it('tell date and version as text, or null', () => {
    expect(formatDate(0)).toBe('1970-01-01T00:00:00Z');
    expect(formatDate(null)).toBeNull();
    expect(formatTagVersion(readSemVer('1.2'))).toBe('1.2.0');
    expect(formatTagVersion(readPlain('x'))).toBeNull();
  });
});

describe('semantic version tags', () => {
  it.each([
    ['v1.2.3', 'release', '1.2.3'],
    ['1.2', 'release', '1.2'],
    ['1.2.3-rc.1', 'releaseCandidate', '1.2.3-rc.1'],
    ['1.2.3-alpine', 'releaseCandidate', '1.2.3-alpine'],
    ['latest', 'unknown', 'latest'],
  ])('read %s as %s %s', (text, type, name) => {
    expect(readSemVer(text)).toMatchObject({ type, tag: text });
    expect(readSemVer(text).displayName).toBe(name);
  });

  it('break ties by precision, then by text; names are below', () => {
    expect(compareSemVer(readSemVer('1.2'), readSemVer('1.2.0'))).toBeLessThan(0);
    expect(compareSemVer(readSemVer('1.2.0'), readSemVer('v1.2.0'))).toBeLessThan(0);
    expect(compareSemVer(readSemVer('zzz'), readSemVer('0.0.1'))).toBeLessThan(0);
    expect(compareSemVer(readSemVer('aaa'), readSemVer('bbb'))).toBeLessThan(0);
    expect(rankSemVer(readSemVer('zzz'))).toBeLessThan(rankSemVer(readSemVer('0.0.0')));
  });
});

describe('title case', () => {
  it.each([
    ['o_brien2nd', 'O_Brien2Nd'],
    ['ALL_CAPS', 'All_Caps'],
    ["it's", "It'S"],
    ['my-image', 'My-Image'],
    ['éa ÉA', 'Éa Éa'],
    ['', ''],
  ])('makes %s %s', (text, expected) => {
    expect(titleCase(text)).toBe(expected);
  });
});
