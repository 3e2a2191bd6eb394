import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compareIntegers, integerToJson, parseInteger, readDigits } from '../../src/domain/integer.ts';

const digits = fc.stringMatching(/^[0-9]{1,30}$/);

describe('integers', () => {
  it.each([
    ['0', 0],
    ['0045', 45],
    ['999999999999999', 999_999_999_999_999],
    ['9007199254740991', 9_007_199_254_740_991],
    ['9007199254740992', 9_007_199_254_740_992n],
    ['0000000000000000000001', 1],
  ])('reads %s', (text, value) => {
    expect(parseInteger(text)).toBe(value);
    expect(readDigits(`x${text}y`, 1, text.length + 1)).toBe(value);
  });

  it('never lose a digit', () => {
    fc.assert(
      fc.property(digits, (text) => {
        expect(BigInt(parseInteger(text))).toBe(BigInt(text));
        expect(String(integerToJson(parseInteger(text)))).toBe(BigInt(text).toString());
      }),
    );
  });

  it('compare across both forms as whole numbers do', () => {
    fc.assert(
      fc.property(digits, digits, (left, right) => {
        const expected = BigInt(left) === BigInt(right) ? 0 : BigInt(left) < BigInt(right) ? -1 : 1;
        expect(compareIntegers(parseInteger(left), parseInteger(right))).toBe(expected);
      }),
    );
  });

  it('are numbers in JSON where JSON keeps them, else text', () => {
    expect(integerToJson(5)).toBe(5);
    expect(integerToJson(2n ** 60n)).toBe('1152921504606846976');
  });
});
