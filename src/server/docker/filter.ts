/** Filters and orders rows as the original's database does, save that no row comes twice. */

import { err, ok, type Result } from '../../domain/result.ts';
import {
  compareValues,
  type Field,
  type FieldTable,
  type FieldValue,
  findField,
  readOperand,
  textOf,
} from './field-table.ts';
import type { Expression, Filter, LeafExpression, Order } from './filter-schema.ts';

/** What every row has: lists are in the order of it unless asked otherwise. */
export interface Row {
  readonly pk: number;
}

/** Chooses and orders rows. */
export type Selection<T> = (rows: readonly T[]) => readonly T[];

/**
 * Whether a row matches. Of a many-valued relation (tasks) an expression looks at one related row at a time, `index`;
 * what lies below an inverted expression looks at all of them instead: "not X" means that no related row is X.
 */
type Test<T> = (row: T, index: number) => boolean;

/** The error is for people: which field or value is wrong, and why. */
export function compileFilter<T extends Row>(filter: Filter, table: FieldTable<T>): Result<Selection<T>> {
  const tests: ((row: T) => boolean)[] = [];
  const many = [...table.values()].find(({ isMany }) => isMany === true);
  for (const expression of filter.expressions) {
    const test = compileExpression(expression, table, false);
    if (!test.ok) return test;
    tests.push((row) => relatedIndexes(row, many).some((index) => test.value(row, index)));
  }
  const order = compileOrder(filter.order_by, table);
  if (!order.ok) return order;
  return ok((rows) => order.value(rows.filter((row) => tests.every((test) => test(row)))));
}

/** One index a related row; one for the row itself if nothing is related. */
function relatedIndexes<T>(row: T, many: Field<T> | undefined): readonly number[] {
  return Array.from({ length: Math.max(1, many?.read(row).length ?? 0) }, (_, index) => index);
}

function compileExpression<T>(
  expression: Expression,
  table: FieldTable<T>,
  isBelowInverted: boolean,
): Result<Test<T>> {
  const independent = isBelowInverted || expression.invert;
  const test =
    expression.type === 'and' || expression.type === 'or'
      ? compileGroup(expression, table, independent)
      : compileLeaf(expression, table, independent);
  if (!test.ok || !expression.invert) return test;
  return ok((row, index) => !test.value(row, index));
}

function compileGroup<T>(
  { type, sub_expressions: parts }: Extract<Expression, { readonly type: 'and' | 'or' }>,
  table: FieldTable<T>,
  independent: boolean,
): Result<Test<T>> {
  const tests: Test<T>[] = [];
  for (const part of parts) {
    const test = compileExpression(part, table, independent);
    if (!test.ok) return test;
    tests.push(test.value);
  }
  return ok(
    type === 'and'
      ? (row, index) => tests.every((test) => test(row, index))
      : (row, index) => tests.some((test) => test(row, index)),
  );
}

function compileLeaf<T>(leaf: LeafExpression, table: FieldTable<T>, independent: boolean): Result<Test<T>> {
  const found = findField(table, leaf.field);
  if (found === undefined) return err(unknownField(leaf.field, table));
  const matches = compileMatch(leaf, found);
  if (!matches.ok) return err(`Cannot filter by ${leaf.field}: ${matches.error}`);
  return ok((row, index) => {
    const values = found.read(row);
    if (found.isMany !== true) return matches.value(values[0] ?? null);
    if (!independent) return matches.value(values[index] ?? null);
    return (values.length === 0 ? [null] : values).some(matches.value);
  });
}

/** What has no value matches nothing but `isnull`. */
function compileMatch<T>(leaf: LeafExpression, found: Field<T>): Result<(value: FieldValue) => boolean> {
  switch (leaf.type) {
    case 'isnull':
    case 'is_null':
      return ok((value) => value === null);
    case 'contains':
      return compileContains(leaf.sub_string, found);
    case 'exact':
      return compileExact(leaf, found);
    case 'compare':
      return compileCompare(leaf, found);
  }
}

function compileContains<T>(
  part: string,
  { kind, isRelation }: Field<T>,
): Result<(value: FieldValue) => boolean> {
  if (isRelation === true || kind === 'boolean') return err('it is not text');
  const wanted = part.toLowerCase();
  return ok((value) => value !== null && textOf(value).toLowerCase().includes(wanted));
}

function compileExact<T>(
  { value: given, case_insensitive: anyCase }: Extract<LeafExpression, { readonly type: 'exact' }>,
  { kind }: Field<T>,
): Result<(value: FieldValue) => boolean> {
  const operand = readOperand(kind, given);
  if (!operand.ok) return operand;
  // As the original, which makes whole numbers of what keys are compared with.
  const wantedKey = kind === 'integer' ? Math.trunc(Number(operand.value)) : operand.value;
  if (kind === 'text' && anyCase) {
    const wanted = textOf(operand.value).toLowerCase();
    return ok((value) => value !== null && textOf(value).toLowerCase() === wanted);
  }
  return ok((value) => value !== null && compareValues(kind, value, wantedKey) === 0);
}

const HOLDS: Readonly<Record<'<' | '>' | '<=' | '>=', (difference: number) => boolean>> = {
  '<': (difference) => difference < 0,
  '>': (difference) => difference > 0,
  '<=': (difference) => difference <= 0,
  '>=': (difference) => difference >= 0,
};

function compileCompare<T>(
  { operator, value: given }: Extract<LeafExpression, { readonly type: 'compare' }>,
  { kind }: Field<T>,
): Result<(value: FieldValue) => boolean> {
  const operand = readOperand(kind, given);
  if (!operand.ok) return operand;
  const holds = HOLDS[operator];
  return ok((value) => value !== null && holds(compareValues(kind, value, operand.value)));
}

/** What one entry of order_by makes of a row, and how two of them compare. */
interface Ordering<T> {
  readonly keyOf: (row: T) => FieldValue;
  readonly compare: (left: FieldValue, right: FieldValue) => number;
}

/** Rows that are equal in all of it are in the order of their pk. */
function compileOrder<T extends Row>(orders: readonly Order[], table: FieldTable<T>): Result<Selection<T>> {
  const orderings: Ordering<T>[] = [];
  for (const order of orders) {
    const found = findField(table, order.field);
    if (found === undefined) return err(unknownField(order.field, table));
    orderings.push(orderingBy(order, found));
  }
  return ok((rows) =>
    rows
      .map((row) => ({ row, keys: orderings.map(({ keyOf }) => keyOf(row)) }))
      .sort((left, right) => compareKeys(left.keys, right.keys, orderings) || left.row.pk - right.row.pk)
      .map(({ row }) => row),
  );
}

function compareKeys<T>(
  left: readonly FieldValue[],
  right: readonly FieldValue[],
  orderings: readonly Ordering<T>[],
): number {
  for (const [index, { compare }] of orderings.entries()) {
    const difference = compare(left[index] ?? null, right[index] ?? null);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** No value comes first, last if descending. Of many related values the one counts that comes first in this order. */
function orderingBy<T>({ ascending, nulls_first: nullsFirst }: Order, { kind, read }: Field<T>): Ordering<T> {
  const direction = ascending ? 1 : -1;
  const compare = (left: FieldValue, right: FieldValue): number => {
    const isApart = nullsFirst === true && (left === null || right === null);
    return compareValues(kind, left, right) * (isApart ? 1 : direction);
  };
  return { compare, keyOf: (row) => [...read(row)].sort(compare)[0] ?? null };
}

function unknownField<T>(name: string, table: FieldTable<T>): string {
  return `Cannot resolve '${name}' into a field. Choices are: ${[...table.keys()].join(', ')}`;
}
