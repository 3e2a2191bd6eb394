/** The filter language of the original: what the body of a list request may say. */

import * as z from 'zod';
import { err, ok, type Result } from '../../domain/result.ts';
import { JsonNumber, type JsonValue } from './json-text.ts';

/** With those within others; far more than anybody writes, and little enough that no list keeps others waiting. */
const MAX_EXPRESSIONS = 200;
const MAX_ORDERS = 16;

const field = z
  .string()
  .min(1)
  .describe('Name of a field; dots lead to fields of what it refers to, such as framework.name.');
const invert = z.boolean().default(false).describe('Keeps what does not match.');
const caseInsensitive = z.boolean().default(false).describe('Whether a and A are the same.');

const exact = z.strictObject({
  type: z.literal('exact'),
  field,
  value: z.union([z.string(), z.number(), z.boolean()]),
  case_insensitive: caseInsensitive,
  invert,
});

const contains = z.strictObject({
  type: z.literal('contains'),
  field,
  sub_string: z.string().min(1),
  case_insensitive: caseInsensitive.describe('Ignored: a and A are always the same here.'),
  invert,
});

const compare = z.strictObject({
  type: z.literal('compare'),
  field,
  operator: z.enum(['<', '>', '<=', '>=']),
  value: z.union([z.string(), z.number()]),
  invert,
});

/** `is_null` is how the documentation of the original spells it. */
const isNull = z.strictObject({ type: z.enum(['isnull', 'is_null']), field, invert });

const leaf = z.discriminatedUnion('type', [exact, contains, compare, isNull]);

const and = z.strictObject({
  type: z.literal('and'),
  sub_expressions: z.array(leaf).min(2).describe('All must match; of tasks, one and the same task.'),
  invert,
});

const or = z.strictObject({
  type: z.literal('or'),
  sub_expressions: z.array(z.discriminatedUnion('type', [exact, contains, compare, isNull, and])).min(2),
  invert,
});

const order = z.strictObject({
  field,
  ascending: z.boolean().default(true),
  nulls_first: z.boolean().optional().describe('true: what has no value comes first. false: as if left out.'),
});

/** The whole body. */
export const filterSchema = z.strictObject({
  expressions: z
    .array(z.discriminatedUnion('type', [exact, contains, compare, isNull, and, or]))
    .max(MAX_EXPRESSIONS)
    .default([])
    .describe('Applied one after the other.'),
  order_by: z.array(order).max(MAX_ORDERS).default([]).describe('Without: by pk.'),
  include_inactive: z.boolean().default(false).describe('Without effect: nothing here is deleted softly.'),
});

/** With all defaults. */
export type Filter = z.output<typeof filterSchema>;
/** One of the outermost level. */
export type Expression = Filter['expressions'][number];
/** One that asks for a field. */
export type LeafExpression = z.output<typeof leaf>;
/** One entry of order_by. */
export type Order = z.output<typeof order>;

/** Selects everything. */
const EMPTY_FILTER: Filter = { expressions: [], order_by: [], include_inactive: false };

/** The filter in a body; nothing, null, `{}` and `[]` filter nothing. The error says where it goes wrong. */
export function readFilter(body: JsonValue | undefined): Result<Filter> {
  if (body === undefined || body === null || (Array.isArray(body) && body.length === 0))
    return ok(EMPTY_FILTER);
  const parsed = filterSchema.safeParse(toPlain(body));
  if (!parsed.success) return err(describe(parsed.error.issues[0]));
  const count = parsed.data.expressions.reduce((sum, expression) => sum + countOf(expression), 0);
  return count > MAX_EXPRESSIONS ? err(`more than ${MAX_EXPRESSIONS} expressions`) : ok(parsed.data);
}

function describe(issue: z.core.$ZodIssue | undefined): string {
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  return `${where}${issue?.message ?? 'not a filter'}`;
}

function countOf(expression: Expression): number {
  if (expression.type !== 'and' && expression.type !== 'or') return 1;
  return expression.sub_expressions.reduce((sum, part) => sum + countOf(part), 1);
}

function toPlain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return value.value;
  if (value instanceof Map) {
    const members = [...(value as ReadonlyMap<string, JsonValue>)];
    return Object.fromEntries(members.map(([name, member]) => [name, toPlain(member)]));
  }
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(toPlain) : value;
}
