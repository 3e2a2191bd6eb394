/** Building blocks of the schemas: each carries the bounds that the API server and zod both check. */
import * as z from 'zod';
import { durationMs } from './duration.ts';

/** A rule across fields: CEL for the API server, `check` is its twin for zod. */
export interface Rule<T> {
  /** CEL expression; `self` is the value. */
  readonly rule: string;
  /** What a person reads when it fails. */
  readonly message: string;
  /** The same question for zod; absent for rules that only a server can answer (transitions, RE2). */
  readonly check?: (value: T) => boolean;
  /** Points at a field below, such as `.cpu`. */
  readonly fieldPath?: string;
}

/** Adds rules to a schema; call it before optional() and default(). */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  let checked = schema;
  for (const { check, message } of rules) {
    if (check !== undefined) checked = checked.refine(check, { message });
  }
  const known = (schema.meta()?.['x-kubernetes-validations'] ?? []) as readonly object[];
  const added = rules.map(({ rule, message, fieldPath }) => ({
    rule,
    message,
    ...(fieldPath !== undefined && { fieldPath }),
  }));
  return checked.meta({ 'x-kubernetes-validations': [...known, ...added] });
}

/** A string of at most `max` characters (code points, as the API server counts them). */
export function text(max: number, min = 0): z.ZodString {
  return z
    .string()
    .refine((value) => lengthWithin(value, min, max), { message: `must have ${min} to ${max} characters` })
    .meta({ maxLength: max, ...(min > 0 && { minLength: min }) });
}

function lengthWithin(value: string, min: number, max: number): boolean {
  const length = Array.from(value).length;
  return length >= min && length <= max;
}

/** A string of at most `max` characters that matches `pattern`, written so that RE2 and JavaScript agree. */
export function matching(pattern: string, message: string, max: number): z.ZodString {
  const expression = new RegExp(pattern, 'u');
  return withRules(text(max), [
    { rule: `self.matches(${celString(pattern)})`, message, check: (value) => expression.test(value) },
  ]);
}

/** A CEL string literal. */
export function celString(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

const DURATION_PATTERN = '^([0-9]{1,5}(\\.[0-9]{1,9})?h|[0-9]{1,7}(\\.[0-9]{1,9})?(m|s|ms)){1,4}$';

/** A Go duration such as `5m` or `1h30m`, at least `min` (also a Go duration). */
export function duration(min: string): z.ZodString {
  const minMs = durationMs(min);
  return withRules(text(32), [
    {
      rule: `self.matches(${celString(DURATION_PATTERN)}) && duration(self) >= duration('${min}')`,
      message: `must be a duration such as "90s", "5m" or "1h30m", at least ${min}`,
      check: (value) => new RegExp(DURATION_PATTERN, 'u').test(value) && durationMs(value) >= minMs,
    },
  ]);
}

/** Name of a Kubernetes object. */
export function objectName(): z.ZodString {
  return matching(
    '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$',
    'must be the name of a Kubernetes object: lower-case letters, digits, "-" and "."',
    253,
  );
}

/** `{name}` of an object in the same namespace. */
export function localReference(what: string): z.ZodObject<{ name: z.ZodString }> {
  return z.object({ name: objectName().describe(`Name of the ${what}, in the same namespace.`) });
}

const DAY =
  '(02-(0[1-9]|[12][0-9])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01]))';
const CLOCK = '([01][0-9]|2[0-3]):[0-5][0-9]';
const DATE = `[0-9]{4}-${DAY}`;
const TIME = `T${CLOCK}:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]${CLOCK})`;

/**
 * An instant, RFC 3339 with zone. Not `format: date-time`: with it the API server (seen in 1.35) takes any
 * array in place of the string.
 */
export function time(): z.ZodString {
  return matching(`^${DATE}${TIME}$`, 'must be an instant such as 2026-01-31T12:00:00Z', 40);
}

/** A day, or an instant. */
export function dateOrTime(): z.ZodString {
  return matching(`^${DATE}(${TIME})?$`, 'must be a date such as 2026-01-31 or 2026-01-31T12:00:00Z', 40);
}

/** A whole number between `min` and `max`, both included. */
export function integer(min: number, max: number): z.ZodInt {
  return z
    .int()
    .min(min)
    .max(max)
    .meta({ format: max <= 2 ** 31 - 1 ? 'int32' : 'int64' });
}

/** Largest whole number that JSON readers of every language keep exact. */
const MAX_COUNT = Number.MAX_SAFE_INTEGER;

/** A number of things, or bytes, or milliseconds: zero or more. */
export function count(): z.ZodInt {
  return integer(0, MAX_COUNT);
}

/** A list of at most `max` entries that is replaced as a whole. */
export function list<T extends z.ZodType>(item: T, max: number, min = 0): z.ZodArray<T> {
  const bounded = z.array(item).max(max).meta({ 'x-kubernetes-list-type': 'atomic' });
  return min > 0 ? bounded.min(min) : bounded;
}

/** A list of unique scalars; several writers may each own entries of it. */
export function set<T extends z.ZodType<string>>(item: T, max: number): z.ZodArray<T> {
  return z
    .array(item)
    .max(max)
    .refine((values) => new Set<string>(values).size === values.length, { message: 'entries must be unique' })
    .meta({ 'x-kubernetes-list-type': 'set' });
}

/** A list of objects of which `key` is unique; several writers may each own entries of it. */
export function listMap<S extends z.ZodRawShape>(
  item: z.ZodObject<S>,
  key: keyof S & string,
  max: number,
): z.ZodArray<z.ZodObject<S>> {
  return z
    .array(item)
    .max(max)
    .refine((entries) => uniqueBy(entries as readonly Record<string, unknown>[], key), {
      message: `entries must differ in ${key}`,
    })
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] });
}

function uniqueBy(entries: readonly Record<string, unknown>[], key: string): boolean {
  return new Set(entries.map((entry) => entry[key])).size === entries.length;
}

/** Free keys, at most `max` of them, none longer than `maxKey` characters. */
export function map<T extends z.ZodType>(value: T, max: number, maxKey: number): z.ZodRecord<z.ZodString, T> {
  return withRules(z.record(z.string(), value).meta({ maxProperties: max }), [
    {
      rule: `self.all(key, size(key) <= ${maxKey})`,
      message: `keys must have at most ${maxKey} characters`,
      check: (entries) => Object.keys(entries).every((key) => lengthWithin(key, 0, maxKey)),
    },
  ]).refine((entries) => Object.keys(entries).length <= max, { message: `must have at most ${max} entries` });
}
