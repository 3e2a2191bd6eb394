/** Fields that lists can be filtered and ordered by: how their values compare, and where they are found. */

import { compareDotted, parseDotted } from '../../domain/dotted-version.ts';
import { err, ok, type Result } from '../../domain/result.ts';

/** What a field holds; null stands for no value. */
export type FieldValue = string | number | boolean | null;

/** How values are compared; see `FieldKind`. */
export const FIELD_KINDS = ['integer', 'float', 'text', 'dotted', 'boolean'] as const;
/** `dotted` are versions, compared number by number: 9.2 is below 10.1, and 11.10 is not 11.1. */
export type FieldKind = (typeof FIELD_KINDS)[number];

/** A field of T. */
export interface Field<T> {
  readonly kind: FieldKind;
  /** Refers to another table; its value is the pk there, and it has no text to search in. */
  readonly isRelation?: boolean;
  /** One value; for a field of a many-valued relation (`isMany`) one a row, always in the same order. */
  readonly isMany?: boolean;
  readonly read: (item: T) => readonly FieldValue[];
}

/** By name, with dots. */
export type FieldTable<T> = ReadonlyMap<string, Field<T>>;

/** A field with one value. */
export function field<T>(kind: FieldKind, read: (item: T) => FieldValue): Field<T> {
  return { kind, read: (item) => [read(item)] };
}

/** A field that refers to one row of another table, or none. */
export function relation<T>(read: (item: T) => number | null): Field<T> {
  return { ...field('integer', read), isRelation: true };
}

/** Two underscores mean a dot: the original takes both. */
export function findField<T>(table: FieldTable<T>, name: string): Field<T> | undefined {
  return table.get(name.replaceAll('__', '.'));
}

/** What can be asked for, read as the kind of the field; the error ends a sentence. */
export function readOperand(
  kind: FieldKind,
  value: string | number | boolean,
): Result<string | number | boolean> {
  switch (kind) {
    case 'text':
      return ok(textOf(value));
    case 'boolean':
      return readBoolean(value);
    case 'dotted':
      return parseDotted(textOf(value).trim()) === undefined
        ? err('must be a version')
        : ok(textOf(value).trim());
    case 'integer':
    case 'float':
      return readNumber(kind, value);
  }
}

const NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const INTEGER = /^[+-]?[0-9]+$/;

function readNumber(kind: 'integer' | 'float', value: string | number | boolean): Result<number> {
  if (typeof value !== 'string') return ok(Number(value));
  const pattern = kind === 'integer' ? INTEGER : NUMBER;
  const text = value.trim();
  return pattern.test(text)
    ? ok(Number(text))
    : err(`must be ${kind === 'integer' ? 'a whole number' : 'a number'}`);
}

const BOOLEANS: ReadonlyMap<string | number | boolean, boolean> = new Map<string | number | boolean, boolean>(
  [
    [true, true],
    [false, false],
    [1, true],
    [0, false],
    ['t', true],
    ['True', true],
    ['1', true],
    ['f', false],
    ['False', false],
    ['0', false],
  ],
);

function readBoolean(value: string | number | boolean): Result<boolean> {
  const found = BOOLEANS.get(value);
  return found === undefined ? err('must be true or false') : ok(found);
}

/** As the original turns JSON into text. */
export function textOf(value: FieldValue): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  return value === null ? '' : String(value);
}

/** Order of two values of one kind; no value comes first. Text is ordered by code unit. */
export function compareValues(kind: FieldKind, left: FieldValue, right: FieldValue): number {
  if (left === null || right === null) return Number(left !== null) - Number(right !== null);
  if (kind === 'dotted') return compareVersions(textOf(left), textOf(right));
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** What is no dotted number comes first. */
function compareVersions(left: string, right: string): number {
  return compareDotted(parseDotted(left) ?? [], parseDotted(right) ?? []);
}
