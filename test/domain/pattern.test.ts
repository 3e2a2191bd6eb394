import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  compilePattern,
  literalPrefix,
  MAX_PATTERN_LENGTH,
  MAX_PROGRAM_SIZE,
  type Pattern,
} from '../../src/domain/pattern.ts';
import { estimateSize } from '../../src/domain/pattern-size.ts';

function pattern(source: string): Pattern {
  const compiled = compilePattern(source);
  if (!compiled.ok) throw new Error(compiled.error.message);
  return compiled.value;
}

function problem(source: string): { readonly message: string; readonly position: number } | undefined {
  const compiled = compilePattern(source);
  return compiled.ok ? undefined : compiled.error;
}

describe('patterns of users', () => {
  it.each([
    ['^nightly-(?<d>\\d{8})$', 'nightly-20240601', true],
    ['^nightly-(?P<d>\\d{8})$', 'nightly-20240601x', false],
    ['b', 'abc', true],
    ['^b', 'abc', false],
    ['^abc*$', 'ab', true],
    ['^abc?$', 'ab', true],
    ['^abc{0,1}$', 'ab', true],
    ['^abc+$', 'ab', false],
    ['^a|b', 'xb', true],
    ['(?i)^ABC$', 'abc', true],
    ['^sha256-[0-9a-f]{64}(\\.[a-z]+)?$', `sha256-${'a'.repeat(64)}.sig`, true],
  ])('%s matches %s: %s', (source, text, expected) => {
    expect(pattern(source).test(text)).toBe(expected);
  });

  it('agree with JavaScript where both read the same', () => {
    const sources = fc.stringMatching(/^\^?[ab]{1,3}([*+?]|\{1,2\})?[ab_-]{0,2}\$?$/);
    fc.assert(
      fc.property(sources, fc.stringMatching(/^[ab_-]{0,6}$/), (source, text) => {
        expect(pattern(source).test(text)).toBe(new RegExp(source).test(text));
      }),
    );
  });

  it.each([
    ['^nightly-(?<d>\\d+)$', 'nightly-'],
    ['^sha256-[0-9a-f]{64}$', 'sha256-'],
    ['^abc', 'abc'],
    ['^abc*d', 'ab'],
    ['^abc?d', 'ab'],
    ['^abc{0,2}', 'ab'],
    ['^abc+', 'abc'],
    ['^a.c', 'a'],
    ['^abc|d', ''],
    ['abc', ''],
    ['(?i)^abc', ''],
    ['', ''],
  ])('begin with what is certain: every match of %s with %j', (source, prefix) => {
    expect(literalPrefix(source)).toBe(prefix);
  });

  it('capture a named group', () => {
    expect(pattern('^n-(?<d>\\d+)').capture('n-42', 'd')).toBe('42');
    expect(pattern('^n-(?<d>\\d+)').capture('x-42', 'd')).toBeUndefined();
    expect(pattern('(?<d>x)?y').capture('y', 'd')).toBeUndefined();
  });

  it.each([
    ['[=', 0, 'missing closing ]'],
    ['a(?=b)', 1, 'invalid or unsupported Perl syntax'],
    ['a**', 1, 'invalid nested repetition'],
    ['(\\d', 0, 'missing closing )'],
    ['(a)\\1', 3, 'invalid escape'],
  ])('refuse %s at %s: %s', (source, position, message) => {
    expect(problem(source)).toMatchObject({ position });
    expect(problem(source)?.message).toContain(message);
    expect(problem(source)?.message).toContain('not a regular expression in RE2 syntax');
  });

  it('are bounded in length', () => {
    expect(problem('a'.repeat(MAX_PATTERN_LENGTH))).toBeUndefined();
    expect(problem('a'.repeat(MAX_PATTERN_LENGTH + 1))).toEqual({
      message: 'a pattern has at most 256 characters',
      position: MAX_PATTERN_LENGTH,
    });
  });

  it.each([
    '((a{1,10}){1,10}){1,10}$',
    '\\pL{1,1000}',
    '(\\pL{1,50}){20}',
    '(((x{9}){9}){9}){9}',
    '[a-z]{501}',
    `(\\Q${'a'.repeat(230)}\\E){249}`,
  ])('refuse %s before compiling it', (source) => {
    expect(problem(source)).toEqual({ message: 'the pattern repeats too much', position: 0 });
  });

  it.each([
    ['(a?){249}', 998],
    ['(|a){240}', 1202],
    ['(a{1,2}b?){120}', 842],
  ])('refuse %s, which only turns out large when compiled', (source, steps) => {
    expect(estimateSize(source)).toBeLessThanOrEqual(MAX_PROGRAM_SIZE);
    expect(problem(source)).toEqual({
      message: `the pattern is too large: ${steps} steps, at most 500`,
      position: 0,
    });
  });

  it('may have as many steps as are allowed, and not one more', () => {
    expect(problem('a{498}')).toBeUndefined();
    expect(problem('a{499}')?.message).toBe('the pattern is too large: 501 steps, at most 500');
    expect(problem('a{500}')?.message).toBe('the pattern is too large: 502 steps, at most 500');
    expect(problem('a{501}')?.message).toBe('the pattern repeats too much');
  });

  it('say how many texts are a millisecond or two', () => {
    expect(pattern('a').itemsPerStep).toBe(1666);
    expect(pattern('a{98}').itemsPerStep).toBe(50);
    expect(pattern('[ab]{1,200}').itemsPerStep).toBeLessThan(20);
    expect(pattern('[ab]{1,200}').itemsPerStep).toBeGreaterThanOrEqual(1);
  });

  it('stay fast on hostile text', () => {
    const hostile = pattern('(a|a)*(b|b)*(c|c)*$x');
    const begin = performance.now();
    expect(hostile.test('abc'.repeat(40))).toBe(false);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});

describe('the size of patterns', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['a*b+c?', 3],
    ['a|b', 2],
    ['a{5}', 5],
    ['a{2,5}', 5],
    ['a{2,}', 2],
    ['a{0}', 1],
    ['a{x}', 4],
    ['(ab){3}', 9],
    ['((a){2}){3}', 15],
    ['[a-z]{4}', 4],
    ['[]a]{4}', 4],
    ['[^]a]{4}', 4],
    ['[[:alpha:]x]{4}', 4],
    ['\\d{4}', 4],
    ['\\pL{4}', 4],
    ['\\p{Greek}{4}', 4],
    ['\\x{10FFFF}{4}', 4],
    ['\\x41{4}', 4],
    ['\\{4}', 3],
    ['(ab', 2],
    ['a)b', 3],
    ['(a(b', 2],
    ['[ab', 1],
    ['x(ab){3}', 10],
    ['a{2}{3}', 6],
    ['\\', 1],
    ['\\Qa{9}\\E', 4],
    ['\\Qab\\E{4}', 5],
    ['(\\Qab){4}', 6],
    ['(ab)\\Q\\E{4}', 12],
  ])('of %s is about %s', (source, size) => {
    expect(estimateSize(source)).toBe(size);
  });

  it('never shrinks when something is added', () => {
    const piece = fc.constantFrom('a', '(', ')', '[bc]', '{2}', '{1,3}', '\\d', '*', '|');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const source = pieces.join('');
        expect(estimateSize(`${source}a`)).toBeGreaterThan(estimateSize(source));
      }),
    );
  });

  it('is what the compiled program has, about', () => {
    for (const source of ['a{100}', '(ab){50}', '[a-z]{1,200}', '\\d{8}-\\d{6}']) {
      expect(estimateSize(source)).toBeGreaterThan(0);
      expect(estimateSize(source)).toBeLessThanOrEqual(MAX_PROGRAM_SIZE);
    }
  });
});
