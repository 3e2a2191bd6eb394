import * as fc from 'fast-check';
import { compare as npmCompare, SemVer } from 'semver';
import { describe, expect, it } from 'vitest';

import {
  compareNumbers,
  compareText,
  compareVersions,
  compareVersionsNaturally,
  formatVersion,
  formatWritten,
  makeVersion,
  rankText,
  rankVersion,
  readIdentifiers,
  readLooseVersion,
  readStrictVersion,
  type Version,
  versionOf,
} from '../../../src/domain/tag/version.ts';

const number = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 2 ** 40 }));
const identifier = fc.oneof(
  fc.integer({ min: 0, max: 20 }).map(String),
  fc.stringMatching(/^[a-z-][0-9a-z-]{0,3}$/),
  fc.integer({ min: 0, max: 30 }).map((count) => `rc${count}`),
);
/** Texts of semver 2.0.0. */
const semverTexts = fc
  .tuple(number, number, number, fc.array(identifier, { maxLength: 3 }), fc.boolean())
  .map(
    ([major, minor, patch, pre, built]) =>
      `${major}.${minor}.${patch}${pre.length > 0 ? `-${pre.join('.')}` : ''}${built ? '+b.1' : ''}`,
  );

function read(text: string): Version {
  const version = readStrictVersion(text);
  if (version === undefined) throw new Error(`${text} is no version`);
  return version;
}

describe('strict versions', () => {
  it.each([
    '0.0.0',
    '1.2.3',
    '1.2.3-0',
    '1.2.3-rc.1+b.7',
    '1.0.0--',
    '1.0.0-0A.is.legal',
    '9007199254740993.0.0',
  ])('read and format %s', (text) => {
    expect(formatVersion(read(text))).toBe(text);
  });

  it.each([
    '',
    '1',
    '1.2',
    'v1.2.3',
    '01.2.3',
    '1.02.3',
    '1.2.03',
    '1.2.3-',
    '1.2.3-01',
    '1.2.3-a..b',
    '1.2.3+',
    '1.2.3.4',
    ' 1.2.3',
    '1.2.3\n',
  ])('refuse %j', (text) => {
    expect(readStrictVersion(text)).toBeUndefined();
  });

  it('agree with npm semver on what is one and which is newer', () => {
    fc.assert(
      fc.property(semverTexts, semverTexts, (left, right) => {
        expect(formatVersion(read(left))).toBe(left);
        const npm = npmCompare(new SemVer(left), new SemVer(right));
        expect(compareVersions(read(left), read(right))).toBe(npm);
      }),
    );
  });
});

describe('loose versions', () => {
  it.each([
    ['v1.2.3', '1.2.3', 3],
    ['1.2', '1.2', 2],
    ['v1', '1', 1],
    ['01.002', '1.2', 2],
    ['1.2-rc.1', '1.2-rc.1', 2],
    ['1-alpine', '1-alpine', 1],
    ['1.2.3+b', '1.2.3+b', 3],
  ])('read %s as %s', (text, written, precision) => {
    const version = readLooseVersion(text);
    expect(version).toMatchObject({ precision });
    expect(version && formatWritten(version)).toBe(written);
  });

  it.each(['', 'v', 'V1', '1.', '.1', '1.2.3.4', '1.2.x', 'latest', '1.2.3-beta.01', '1.2.3 ', 'vv1'])(
    'refuse %j',
    (text) => {
      expect(readLooseVersion(text)).toBeUndefined();
    },
  );

  it('fill missing numbers with 0', () => {
    expect(formatVersion(readLooseVersion('1') ?? makeVersion(9, 9, 9))).toBe('1.0.0');
    expect(readLooseVersion('7.8')).toMatchObject({ major: 7, minor: 8, patch: 0 });
  });
});

describe('order of versions', () => {
  it('is a total order', () => {
    fc.assert(
      fc.property(semverTexts, semverTexts, semverTexts, (a, b, c) => {
        for (const compare of [compareVersions, compareVersionsNaturally]) {
          const [left, middle, right] = [read(a), read(b), read(c)].sort(compare);
          if (left === undefined || middle === undefined || right === undefined) throw new Error('three');
          expect(compare(left, middle)).toBeLessThanOrEqual(0);
          expect(compare(middle, right)).toBeLessThanOrEqual(0);
          expect(compare(left, right)).toBeLessThanOrEqual(0);
          expect(Math.sign(compare(left, right)) + Math.sign(compare(right, left))).toBe(0);
        }
      }),
    );
  });

  it('is never contradicted by the rank of a text', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', '~', '\u007f', '\u0080', '\u{1f600}', '\0'),
      maxLength: 16,
    });
    fc.assert(
      fc.property(text, text, (left, right) => {
        const byRank = rankText(left) - rankText(right) || rankText(left, 7) - rankText(right, 7);
        expect(Math.sign(byRank) * compareText(left, right)).toBeGreaterThanOrEqual(0);
      }),
    );
    expect(rankText('team_12')).toBeLessThan(rankText('team_13'));
    expect(rankText('a')).toBeLessThan(rankText('aa'));
    expect(rankText('team_12a', 7)).toBeLessThan(rankText('team_12b', 7));
    expect(rankText('team_12345678', 7)).toBe(rankText('345678'));
    expect(rankText('t\u00e9am_12b', 7)).toBe(0);
  });

  it('is never contradicted by the rank', () => {
    fc.assert(
      fc.property(semverTexts, semverTexts, (a, b) => {
        const [left, right] = [read(a), read(b)];
        if (rankVersion(left) < rankVersion(right)) expect(compareNumbers(left, right)).toBe(-1);
        if (compareNumbers(left, right) < 0)
          expect(rankVersion(left)).toBeLessThanOrEqual(rankVersion(right));
      }),
    );
  });

  it('has ranks that decide for everyday numbers, and give up only where they must', () => {
    expect(rankVersion(makeVersion(1, 2, 4))).toBe(rankVersion(makeVersion(1, 2, 3)) + 1);
    expect(rankVersion(makeVersion(1, 3, 0))).toBeGreaterThan(rankVersion(makeVersion(1, 2, 65_535)));
    expect(rankVersion(makeVersion(2, 0, 0))).toBeGreaterThan(rankVersion(makeVersion(1, 65_535, 9)));
    expect(rankVersion(makeVersion(2 ** 21, 5, 5))).toBe(rankVersion(makeVersion(2n ** 80n, 0, 0)));
    expect(rankVersion(makeVersion(1, 2 ** 17, 5))).toBe(rankVersion(makeVersion(1, 2n ** 80n, 6)));
    expect(rankVersion(makeVersion(2 ** 20 - 1, 0, 0))).toBeLessThan(rankVersion(makeVersion(2 ** 20, 0, 0)));
  });

  it.each([
    ['1.0.0-rc2', '1.0.0-rc10', -1, 1],
    ['1.0.0-rc02', '1.0.0-rc2', 0, -1],
    ['1.0.0-rc10', '1.0.0-rcx', -1, -1],
    ['1.0.0-rc2.1', '1.0.0-rc2.2', -1, -1],
    ['1.0.0-rc2', '1.0.0', -1, -1],
    ['1.0.0-xrc2', '1.0.0-xrc10', 1, 1],
  ])('reads %s and %s by candidate number: %s, by text: %s', (left, right, naturally, strictly) => {
    expect(Math.sign(compareVersionsNaturally(read(left), read(right)))).toBe(naturally);
    expect(compareVersions(read(left), read(right))).toBe(strictly);
  });

  it('counts numbers beyond the third, missing ones as 0', () => {
    expect(compareNumbers(versionOf([1, 2, 3, 4]), versionOf([1, 2, 3, 10]))).toBe(-1);
    expect(compareNumbers(versionOf([1, 2, 3, 0]), versionOf([1, 2, 3]))).toBe(0);
    expect(compareNumbers(versionOf([1, 2, 3]), versionOf([1, 2, 3, 1]))).toBe(-1);
    expect(compareNumbers(versionOf([1]), versionOf([1, 0, 1]))).toBe(-1);
  });

  it('has 1.0.0 above all of its pre-releases, longer ones above their beginnings', () => {
    const order = [
      '1.0.0-1',
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0',
    ];
    expect([...order].reverse().map(read).sort(compareVersions).map(formatVersion)).toEqual(order);
  });
});

describe('parts of versions', () => {
  it('reads identifiers as numbers where they are', () => {
    expect(readIdentifiers('rc.10.x1.007')).toEqual(['rc', 10, 'x1', 7]);
  });

  it('formats what was written, and what is meant', () => {
    expect(formatWritten(versionOf([1, 2]))).toBe('1.2');
    expect(formatVersion(versionOf([1, 2]))).toBe('1.2.0');
    expect(formatWritten(versionOf([1, 2, 3, 4, 5]))).toBe('1.2.3.4.5');
    expect(versionOf([1, 2, 3]).rest).toEqual([]);
    expect(formatVersion(makeVersion(1, 2, 3, ['rc', 1]))).toBe('1.2.3-rc.1');
  });

  it('compares text by code unit', () => {
    expect([
      compareText('A', 'a'),
      compareText('10', '2'),
      compareText('b', 'a'),
      compareText('a', 'a'),
    ]).toEqual([-1, -1, 1, 0]);
  });
});
