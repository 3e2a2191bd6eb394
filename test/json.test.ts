import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEqual, isJsonObject, parseJSON } from '../src/json.ts';

describe('parseJSON', () => {
  it('reads what JSON.stringify wrote, from text and from bytes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parseJSON(text)).toEqual(JSON.parse(text));
        expect(parseJSON(Buffer.from(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each(['', '{', 'undefined', '{"a":1}x', "{'a':1}"])('has nothing of %j', (text) => {
    expect(parseJSON(text)).toBeUndefined();
  });
});

describe('isJsonObject', () => {
  it.each([
    [{}, true],
    [{ a: 1 }, true],
    [[], false],
    [null, false],
    ['{}', false],
    [undefined, false],
  ])('%j: %s', (value, expected) => {
    expect(isJsonObject(value)).toBe(expected);
  });
});

describe('isEqual', () => {
  it.each([
    [{ a: 1, b: undefined }, { a: 1 }, true],
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, true],
    [{ a: [1, 2] }, { a: [2, 1] }, false],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1 }, { b: 1 }, false],
    [{}, [], false],
    [null, {}, false],
    ['a', 'a', true],
  ])('%j and %j: %s', (left, right, expected) => {
    expect(isEqual(left, right)).toBe(expected);
  });
});
