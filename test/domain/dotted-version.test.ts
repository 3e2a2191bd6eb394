import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareDotted, parseDotted } from '../../src/domain/dotted-version.ts';

test.each([
  ['11.1', [11, 1]],
  ['11.10', [11, 10]],
  ['455.23.05', [455, 23, 5]],
  ['10', [10]],
  ['7.0', [7]],
  ['0.0', []],
])('%s is %j', (text, numbers) => {
  expect(parseDotted(text)).toEqual(numbers);
});

test.each(['', '.', '1.', '.1', '1..2', 'v1', '8.0.61 GA2', '-1', '1,5', '1e3', ' 1', '1'.repeat(16)])(
  '%j is no version',
  (text) => {
    expect(parseDotted(text)).toBeUndefined();
  },
);

test.each([
  ['9.2', '10.1', -1],
  ['1000.10', '530.30.02', 1],
  ['11.1', '11.10', -1],
  ['440.33', '440.33.00', 0],
  ['450.36.06', '450.36.6', 0],
  ['0.0', '0', 0],
])('%s against %s: %d', (left, right, sign) => {
  expect(Math.sign(compareDotted(parseDotted(left) ?? [], parseDotted(right) ?? []))).toBe(sign);
});

const dotted = fc.array(fc.nat(30), { minLength: 1, maxLength: 4 });

test('the order is total and agrees with the numbers', () => {
  fc.assert(
    fc.property(dotted, dotted, dotted, (a, b, c) => {
      const sign = (left: readonly number[], right: readonly number[]): number =>
        Math.sign(compareDotted(left, right));
      expect(sign(a, b)).toBe(-sign(b, a) + 0);
      if (sign(a, b) <= 0 && sign(b, c) <= 0) expect(sign(a, c)).toBeLessThanOrEqual(0);
      expect(sign(a, [...a, 0])).toBe(0);
    }),
  );
});
