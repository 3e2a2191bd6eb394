import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonNumber, type JsonValue, parseJsonText } from '../../../src/server/docker/json-text.ts';
import { pythonText, pythonType } from '../../../src/server/docker/python-text.ts';

function parsed(text: string): JsonValue {
  const result = parseJsonText(text);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

/** What JSON.parse would give. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return value.value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(plain);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries(
    [...(value as ReadonlyMap<string, JsonValue>)].map(([name, member]) => [name, plain(member)]),
  );
}

describe('parseJsonText', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(plain(parsed(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses what JSON.parse refuses, and nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}[]",:0-1.eE tru\\nul"')) }), (text) => {
        const isJson = (() => {
          try {
            JSON.parse(text);
            return true;
          } catch {
            return false;
          }
        })();
        expect(parseJsonText(text).ok).toBe(isJson);
      }),
    );
  });

  it('keeps the text of numbers', () => {
    expect(parsed('11.10')).toEqual(new JsonNumber('11.10'));
    expect(parsed('[1,1.0,-0,1e3]')).toEqual(['1', '1.0', '-0', '1e3'].map((text) => new JsonNumber(text)));
  });

  // Each of these was printed by json.loads of Python 3.11.
  it.each([
    ['{', 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
    ['', 'Expecting value: line 1 column 1 (char 0)'],
    ['[1,]', 'Expecting value: line 1 column 4 (char 3)'],
    ['{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"],
    ['{"a":1 "b":2}', "Expecting ',' delimiter: line 1 column 8 (char 7)"],
    ['{"a":1,}', 'Expecting property name enclosed in double quotes: line 1 column 8 (char 7)'],
    ['[1 2]', "Expecting ',' delimiter: line 1 column 4 (char 3)"],
    ['1 2', 'Extra data: line 1 column 3 (char 2)'],
    ['"abc', 'Unterminated string starting at: line 1 column 1 (char 0)'],
    ['["😀",\n x]', 'Expecting value: line 2 column 2 (char 7)'],
    ['"a\nb"', 'Invalid control character at: line 1 column 3 (char 2)'],
    ['\uFEFF{}', 'Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)'],
    ['NaN', "Out of range float values are not JSON compliant: 'NaN'"],
    ['"\\x"', 'Invalid \\escape: line 1 column 2 (char 1)'],
    ['"\\u12"', 'Invalid \\uXXXX escape: line 1 column 3 (char 2)'],
  ])('says of %j what Python says', (text, message) => {
    expect(parseJsonText(text)).toEqual({ ok: false, error: message });
  });

  it('refuses deep nesting instead of running out of stack', () => {
    expect(parseJsonText('['.repeat(100_000)).ok).toBe(false);
  });

  it('takes __proto__ for a name like any other', () => {
    const value = parsed('{"__proto__": {"staff": true}}') as ReadonlyMap<string, JsonValue>;
    expect([...value.keys()]).toEqual(['__proto__']);
  });
});

describe('pythonText', () => {
  it.each([
    ['"plain"', 'plain'],
    ['["it\'s", "a\\"b"]', `["it's", 'a"b']`],
    ['["\'\\"\\n"]', `['\\'"\\n']`],
    [
      '{"pk": 4, "min": 6.0, "a": null, "b": [true, false]}',
      "{'pk': 4, 'min': 6.0, 'a': None, 'b': [True, False]}",
    ],
    ['1.50', '1.5'],
    ['1e16', '1e+16'],
    ['1e-5', '1e-05'],
    ['123456789012345678901', '123456789012345678901'],
    ['-0.0', '-0.0'],
  ])('prints %s as %s', (json, text) => {
    expect(pythonText(parsed(json))).toBe(text);
  });

  it.each([
    ['null', 'NoneType'],
    ['true', 'bool'],
    ['1', 'int'],
    ['1.0', 'float'],
    ['"a"', 'str'],
    ['[]', 'list'],
    ['{}', 'dict'],
  ])('calls %s a %s', (json, type) => {
    expect(pythonType(parsed(json))).toBe(type);
  });
});
