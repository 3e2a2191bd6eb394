/** Single fields of a request body: what the original takes, and the words in which it refuses. */

import type { CudaRow } from '../../api/catalogue.ts';
import { compareDotted, parseDotted } from '../../domain/dotted-version.ts';
import { JsonNumber, type JsonValue } from './json-text.ts';
import { pythonText, pythonType } from './python-text.ts';

/** A value, or everything that is wrong with it. */
export type FieldResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: readonly string[] };

/** Reads a value that is there. */
export type ReadField<T> = (value: JsonValue) => FieldResult<T>;

/** Said of a field that is left out. */
export const REQUIRED = 'This field is required.';
/** Said of a field that is null. */
export const NOT_NULL = 'This field may not be null.';

/** The value of a field. */
export function accept<T>(value: T): FieldResult<T> {
  return { ok: true, value };
}

/** What is wrong with a field. */
export function reject(...error: readonly string[]): FieldResult<never> {
  return { ok: false, error };
}

/** Text of at most `max` characters; numbers become text, white space around it goes. */
export function textField(
  max: number,
  check: (text: string) => string | undefined = () => undefined,
): ReadField<string> {
  return (value) => {
    if (value === null) return reject(NOT_NULL);
    if (typeof value !== 'string' && !(value instanceof JsonNumber)) return reject('Not a valid string.');
    const text = pythonText(value).trim();
    if (text === '') return reject('This field may not be blank.');
    const problems = textProblems(text, max);
    if (problems.length > 0) return reject(...problems);
    const problem = check(text);
    return problem === undefined ? accept(text) : reject(problem);
  };
}

function textProblems(text: string, max: number): readonly string[] {
  const problems: string[] = [];
  if (Array.from(text).length > max) problems.push(`Ensure this field has no more than ${max} characters.`);
  if (text.includes('\0')) problems.push('Null characters are not allowed.');
  if (!text.isWellFormed()) problems.push('Surrogate characters are not allowed.');
  return problems;
}

/** Null is a value: nothing is set. */
export function nullable<T>(read: ReadField<T>): ReadField<T | null> {
  return (value) => (value === null ? accept(null) : read(value));
}

const TRUE_WORDS: ReadonlySet<string> = new Set(['t', 'y', 'yes', 'true', 'on', '1']);
const FALSE_WORDS: ReadonlySet<string> = new Set(['f', 'n', 'no', 'false', 'off', '0']);

/** true and false, and the words and numbers that forms have for them. */
export const booleanField: ReadField<boolean> = (value) => {
  if (value === null) return reject(NOT_NULL);
  if (typeof value === 'boolean') return accept(value);
  if (value instanceof JsonNumber && (value.value === 0 || value.value === 1))
    return accept(value.value === 1);
  const word = typeof value === 'string' ? value.toLowerCase() : '';
  if (TRUE_WORDS.has(word)) return accept(true);
  if (FALSE_WORDS.has(word)) return accept(false);
  return reject('Must be a valid boolean.');
};

/** A row by the text of its column `name`; the empty text counts as null. */
export function slugField<T>(name: string, find: (text: string) => T | undefined): ReadField<T> {
  return (value) => {
    if (value === null || value === '') return reject(NOT_NULL);
    const text = pythonText(value);
    const row = find(text);
    return row === undefined ? reject(`Object with ${name}=${text} does not exist.`) : accept(row);
  };
}

/** A row by its number, or the number as text. */
export function keyField<T extends { readonly pk: number }>(rows: readonly T[]): ReadField<T> {
  return (value) => {
    if (value === null || value === '') return reject(NOT_NULL);
    const isNumber = value instanceof JsonNumber;
    const text = isNumber ? value.text : typeof value === 'string' ? value.trim() : '';
    if (!isNumber && !/^[+-]?[0-9]+$/.test(text)) {
      return reject(`Incorrect type. Expected pk value, received ${pythonType(value)}.`);
    }
    const row = rows.find(({ pk }) => pk === Number(text));
    return row === undefined
      ? reject(`Invalid pk "${pythonText(value)}" - object does not exist.`)
      : accept(row);
  };
}

const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

/** A CUDA version, as text or number: 11.10 is not 11.1, so a number counts as it was written. */
export function cudaField(rows: readonly CudaRow[]): ReadField<CudaRow> {
  return (value) => {
    if (value === null || value === '') return reject(NOT_NULL);
    const text = value instanceof JsonNumber ? value.text : pythonText(value);
    if (typeof value !== 'boolean' && !DECIMAL.test(text.trim()))
      return reject(`“${text}” value must be a decimal number.`);
    const wanted = parseDotted(text.trim());
    const row = rows.find(
      ({ version }) => wanted !== undefined && compareDotted(parseDotted(version) ?? [], wanted) === 0,
    );
    return row === undefined ? reject(`Object with version=${text} does not exist.`) : accept(row);
  };
}

/** A list of rows by name; the first that is wrong is told. Repeated ones count once. */
export function namesField(read: ReadField<string>): ReadField<readonly string[]> {
  return (value) => {
    if (value === null) return reject(NOT_NULL);
    if (!Array.isArray(value)) return reject(`Expected a list of items but got type "${pythonType(value)}".`);
    const names = new Set<string>();
    for (const item of value as readonly JsonValue[]) {
      const name = read(item);
      if (!name.ok) return name;
      names.add(name.value);
    }
    return accept([...names]);
  };
}
