/** Fields of push items, as JSON has them: read one by one, null counts as absent, texts and lists are bounded. */

import { err, ok, type Result } from './result.ts';

/** Members of a JSON object; nothing is known of their values. */
export type Fields = Readonly<Record<string, unknown>>;

/** Bounds of one text, in UTF-16 units, and of one list. */
const MAX_TEXT = 1024;
const MAX_ENTRIES = 1024;

/** Controls, halves of characters and what Go's YAML reader refuses: one of them would make a whole stream unreadable. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\ufeff\ufffe\uffff]/u;

/** Whether the value is a JSON object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text; undefined if it is absent. The error begins with the field. */
export function readText(fields: Fields, field: string): Result<string | undefined> {
  const value = fields[field] ?? undefined;
  if (value === undefined) return ok(undefined);
  if (typeof value !== 'string') return err(`${field} must be a string`);
  const problem = textProblem(value);
  return problem === undefined ? ok(value) : err(`${field} ${problem}`);
}

function textProblem(text: string): string | undefined {
  if (text.length > MAX_TEXT) return `has more than ${MAX_TEXT} characters`;
  return UNPRINTABLE.test(text) ? 'has a character that cannot be printed' : undefined;
}

/** The texts of several fields; absent ones are left out. The error begins with the field. */
export function readTexts<F extends string>(
  fields: Fields,
  names: readonly F[],
): Result<Partial<Readonly<Record<F, string>>>> {
  const texts: Partial<Record<F, string>> = {};
  for (const name of names) {
    const text = readText(fields, name);
    if (!text.ok) return text;
    if (text.value !== undefined) texts[name] = text.value;
  }
  return ok(texts);
}

/** A list of texts; empty if it is absent. The error begins with the field. */
export function readTextList(fields: Fields, field: string): Result<readonly string[]> {
  const value = fields[field] ?? [];
  if (!isTextList(value)) return err(`${field} must be a list of strings`);
  if (value.length > MAX_ENTRIES) return err(`${field} has more than ${MAX_ENTRIES} entries`);
  const problems = value.map(textProblem);
  const at = problems.findIndex((problem) => problem !== undefined);
  return at < 0 ? ok(value) : err(`${field}[${at}] ${problems[at] ?? ''}`);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

/** A list of objects, each read by `read`; empty if it is absent. The error begins with field and place. */
export function readList<T>(
  fields: Fields,
  field: string,
  read: (entry: Fields) => Result<T>,
): Result<readonly T[]> {
  const value = fields[field] ?? [];
  if (!Array.isArray(value)) return err(`${field} must be a list`);
  if (value.length > MAX_ENTRIES) return err(`${field} has more than ${MAX_ENTRIES} entries`);
  const entries: T[] = [];
  for (const [index, each] of value.entries()) {
    const entry = isFields(each) ? read(each) : err('it must be an object');
    if (!entry.ok) return err(`${field}[${index}]: ${entry.error}`);
    entries.push(entry.value);
  }
  return ok(entries);
}
