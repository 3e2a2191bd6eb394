import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  formatDuration,
  InvalidDurationError,
  isValidDuration,
  parseDuration,
  validateDuration,
} from '../../src/domain/duration.ts';
import { readVectors } from '../support/vectors.ts';

describe('durations', () => {
  it.each(readVectors('duration_valid.txt'))('reads %s as %s ms, shortest %s', (text = '', ms, shortest) => {
    expect(parseDuration(text)).toBeCloseTo(Number(ms), 6);
    expect(formatDuration(parseDuration(text))).toBe(shortest);
    expect(isValidDuration(text)).toBe(true);
  });

  it.each(readVectors('duration_invalid.txt'))('refuses %j at %s: %s', (text = '', position, message) => {
    const result = validateDuration(text);
    expect(result).toMatchObject({ ok: false, error: { position: Number(position) } });
    expect(result.ok ? '' : result.error.message).toContain(message);
    expect(isValidDuration(text)).toBe(false);
    expect(() => parseDuration(text)).toThrow(InvalidDurationError);
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 12), max: 10 ** 12 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  it('keeps parts of a millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999 }), (ns) => {
        expect(parseDuration(formatDuration(ns / 1_000_000))).toBeCloseTo(ns / 1_000_000, 9);
      }),
    );
  });

  it('never says minus zero', () => {
    expect(Object.is(parseDuration('-0s'), 0)).toBe(true);
  });

  it('names the text and the place', () => {
    expect(() => parseDuration('5x')).toThrow(
      'parsing duration "5x": one of the units h, m, s, ms, us, ns is expected (at 1)',
    );
    expect(new InvalidDurationError('x', { message: 'm', position: 2 })).toMatchObject({
      name: 'InvalidDurationError',
      position: 2,
    });
  });
});
