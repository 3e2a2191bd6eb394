import * as fc from 'fast-check';
import { satisfies, validRange } from 'semver';
import { describe, expect, it } from 'vitest';

import { compileRange, type Dialect, isDialect, type Range } from '../../../src/domain/range/range.ts';
import { readLooseVersion, type Version } from '../../../src/domain/tag/version.ts';

function range(text: string, dialect: Dialect, prereleases = false): Range {
  const compiled = compileRange(text, dialect, prereleases);
  if (!compiled.ok) throw new Error(compiled.error.message);
  return compiled.value;
}

function version(text: string): Version {
  const read = readLooseVersion(text);
  if (read === undefined) throw new Error(text);
  return read;
}

const small = fc.integer({ min: 0, max: 3 });
const versions = fc
  .tuple(small, small, small, fc.constantFrom('', '', '-0', '-alpha', '-alpha.1', '-rc.2'))
  .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre}`);
const operator = fc.constantFrom('', '=', '>', '>=', '<', '<=', '~', '^');
const comparators = fc.tuple(operator, versions).map(([sign, text]) => sign + text);
const ranges = fc
  .array(
    fc.array(fc.oneof(comparators, fc.constantFrom('*', '1.x', '2.1', '1 - 2', '>=0.x')), {
      minLength: 1,
      maxLength: 2,
    }),
    { minLength: 1, maxLength: 2 },
  )
  .map((groups) => groups.map((group) => group.join(' ')).join(' || '));

describe('npm ranges', () => {
  it('agree with npm semver', () => {
    fc.assert(
      fc.property(ranges, versions, fc.boolean(), (text, candidate, includePrerelease) => {
        const compiled = compileRange(text, 'npm', includePrerelease);
        expect(compiled.ok).toBe(validRange(text) !== null);
        expect(compiled.ok && compiled.value.includes(version(candidate))).toBe(
          satisfies(candidate, text, { includePrerelease }),
        );
      }),
      { numRuns: 1500 },
    );
  });

  it.each([
    ['1.x.5', '1.2.0', true],
    ['2.*.3', '2.5.1', true],
    ['1.x.5+bad', '1.9.9', true],
    ['x.1', '7.0.0', true],
    ['^1.x.2', '1.0.0', true],
    ['1.x.5', '2.0.0', false],
    ['1.x.10', '1.2.0', true],
    ['1.x.10', '2.2.0', false],
  ])('take nothing from numbers after a wildcard: %s has %s: %s', (text, candidate, expected) => {
    expect(range(text, 'npm').includes(version(candidate))).toBe(expected);
  });

  it.each([
    ['1.2.3', '1.2.3', true],
    ['=1.2.3', '1.2.3', true],
    ['1.2.3', '1.2.4', false],
    ['<=1.2.3', '1.2.3', true],
    ['<1.2.3', '1.2.3', false],
    ['>1.2.3', '1.2.3', false],
    ['>=1.2.3', '1.2.3', true],
    ['>=1.0.0', '1.5.0-rc', false],
    ['>=1.2.3-alpha', '1.2.3-beta', true],
    ['>=1.2.3-alpha', '1.2.4-beta', false],
    ['>=1.0.0 <=1.2.3-rc.2', '1.2.3-rc.1', true],
    ['>1.2.2 <1.2.3', '1.2.3-rc', false],
    ['*', '0.0.0-alpha', false],
    ['>=1.2.3-alpha || 2', '2.0.0-beta', false],
  ])('%s has %s: %s', (text, candidate, expected) => {
    expect(range(text, 'npm').includes(version(candidate))).toBe(expected);
    expect(satisfies(candidate, text)).toBe(expected);
  });

  it('leave out pre-releases unless asked', () => {
    for (const dialect of ['npm', 'Masterminds'] as const) {
      const [without, asked] = [compileRange('>=1', dialect), compileRange('>=1', dialect, true)];
      expect(without.ok && without.value.includes(version('1.5.0-rc'))).toBe(false);
      expect(asked.ok && asked.value.includes(version('1.5.0-rc'))).toBe(true);
    }
  });

  it('count their alternatives', () => {
    expect(range('1 || 2 || 3', 'npm').alternatives).toBe(3);
    expect(range('', 'npm').alternatives).toBe(1);
  });

  it.each([
    ['foo', 0],
    ['>=1 <<2', 0],
    ['1.2.3 & 4', 6],
    ['17.04.0', 0],
  ])('refuse %s at %s', (text, position) => {
    expect(compileRange(text, 'npm')).toEqual({
      ok: false,
      error: { message: 'not a range of npm semver', position },
    });
  });

  it.each([
    ['>=2', '1.9.9', true],
    ['>=2', '2.0.0', false],
    ['>2.0.0', '2.0.0', true],
    ['>2.0.0', '2.0.1', false],
    ['<=2.0.0', '0.0.1', false],
    ['<2', '0.0.1', false],
    ['^2 || ^3', '1.0.0', true],
    ['^2 || <1', '1.5.0', false],
    ['=2.0.0', '1.0.0', true],
    ['*', '0.0.0', false],
  ])('say whether %s is above %s: %s', (text, candidate, expected) => {
    expect(range(text, 'npm').isAbove(version(candidate))).toBe(expected);
  });
});

describe('Masterminds ranges', () => {
  it.each([
    ['', '1.2.3', true],
    ['  ', '1.2.3', true],
    ['', '1.2.3-alpha', false],
    ['v1.2', '1.2.9', true],
    ['1.0.0 - 2.0.0, <=1.5', '1.5.9', true],
    ['1.0.0 - 2.0.0, <=1.5', '1.6.0', false],
    ['1 - 2 || 5', '5.1.0', true],
    ['1 - 2.1', '2.1.9', true],
    ['>=1.0.0-0', '9.9.9-rc', true],
    ['>=1.0.0, >=1.0.0-0', '9.9.9-rc', true],
    ['>=1.0.0 || >=9.0.0-0', '2.0.0-rc', false],
    ['~>1.2', '1.2.9', true],
    ['=>1.2', '1.2.0', true],
    ['=<1.2', '1.2.9', true],
    ['!=1.x', '1.5.0', false],
    ['!=1.x', '2.5.0', true],
    ['!=1.2', '1.2.5', false],
    ['!=1.2', '1.3.5', true],
    ['!=1.2-alpha', '1.2.0-beta', true],
    ['!=1.2.3', '1.2.3', false],
    ['!=*', '0.0.0', false],
    ['!=*', '1.0.0', true],
    ['>*', '0.0.0', false],
    ['>*', '0.0.1', true],
    ['>1', '1.9.9', false],
    ['>1', '2.0.0', true],
    ['>1.1', '1.1.9', false],
    ['>1.1', '1.2.0', true],
    ['>1.1', '0.9.0', false],
    ['<=1', '1.9.9', true],
    ['<=1', '2.0.0', false],
    ['<=1.1', '1.1.9', true],
    ['<=1.1', '1.2.0', false],
    ['<=*', '0.0.5', true],
    ['<=*', '0.1.0', false],
    ['~0.0.0', '7.0.0', true],
    ['~*', '7.0.0', true],
    ['~0.0', '0.1.0', false],
    ['~0', '0.9.0', true],
    ['~1.2.3', '1.2.2', false],
    ['^0.0', '0.0.9', true],
    ['^0.0', '0.1.0', false],
    ['^0', '0.9.0', true],
    ['^0.0.3', '0.0.4', false],
    ['^0.2.3', '0.2.9', true],
    ['^0.2.3', '0.3.0', false],
    ['^1.2.3', '1.9.0', true],
    ['^1.2.3', '1.2.2', false],
    ['^*', '0.0.0', true],
    ['^*', '1.0.0', false],
    ['1.x.3', '1.9.0', true],
    ['X', '3.0.0', true],
    ['1.2.3+build', '1.2.3', true],
  ])('%j has %s: %s', (text, candidate, expected) => {
    expect(range(text, 'Masterminds').includes(version(candidate))).toBe(expected);
  });

  it('take all pre-releases if asked', () => {
    expect(range('>=1', 'Masterminds', true).includes(version('1.1.0-rc'))).toBe(true);
    expect(range('>=1', 'Masterminds').includes(version('1.1.0-rc'))).toBe(false);
  });

  it.each([
    ['bar', 0, 'operator or a version'],
    ['>= bar', 0, 'operator or a version'],
    ['12.3.4.1234', 6, 'blank or a comma'],
    ['12.3.34~ 1.2.3', 7, 'blank or a comma'],
    ['1 ||', 4, 'version is expected'],
    ['|| 1', 0, 'version is expected'],
    ['1 || foo', 5, 'operator or a version'],
    ['*-*', 1, 'blank or a comma'],
    ['1.2.3-beta.01', 0, 'leading zero'],
    ['99999999999999999999999', 0, '64 bits'],
    ['1.0.0p', 5, 'blank or a comma'],
  ])('refuse %s at %s: %s', (text, position, message) => {
    const compiled = compileRange(text, 'Masterminds');
    expect(compiled).toMatchObject({ ok: false, error: { position } });
    expect(compiled.ok ? '' : compiled.error.message).toContain(message);
  });

  it('count their alternatives', () => {
    expect(range('3 - 4 || => 3.0, < 4', 'Masterminds').alternatives).toBe(2);
  });

  it.each([
    ['>=2', '1.9.9', true],
    ['>2', '2.9.9', true],
    ['>2', '3.0.0', false],
    ['~2.1', '2.0.9', true],
    ['<2', '1.0.0', false],
    ['!=2', '1.0.0', false],
    ['<=2', '1.0.0', false],
    ['2 || 5', '1.0.0', true],
    ['2 || <1', '1.0.0', false],
  ])('say whether %s is above %s: %s', (text, candidate, expected) => {
    expect(range(text, 'Masterminds').isAbove(version(candidate))).toBe(expected);
  });

  it('never throw on any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), (text) => {
        expect(typeof compileRange(text, 'Masterminds').ok).toBe('boolean');
        expect(typeof compileRange(text, 'npm').ok).toBe('boolean');
      }),
    );
  });
});

describe('ranges', () => {
  it('are bounded in length', () => {
    expect(compileRange('1'.repeat(257), 'npm')).toEqual({
      ok: false,
      error: { message: 'a range has at most 256 characters', position: 256 },
    });
    expect(compileRange(' '.repeat(255) + '1', 'npm').ok).toBe(true);
  });

  it('have two dialects', () => {
    expect(['npm', 'Masterminds', 'masterminds'].map(isDialect)).toEqual([true, true, false]);
  });
});
