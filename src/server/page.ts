/** Cursor paging: a cursor names the last item of a page, so that changes of the list before it move nothing. */

import * as z from 'zod';
import { parseJSON } from '../json.ts';
import { ProblemError } from './problem.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** Query parameters of every list. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,3}$/, `must be a whole number from 1 to ${MAX_LIMIT}`)
    .transform(Number)
    .refine((limit) => limit <= MAX_LIMIT, `must be a whole number from 1 to ${MAX_LIMIT}`)
    .optional()
    .describe(`Items of a page, from 1 to ${MAX_LIMIT}; default ${DEFAULT_LIMIT}.`),
  cursor: z
    .string()
    .max(512)
    .regex(/^[\w-]*$/, 'is not the `next` of a page')
    .optional()
    .describe('`next` of the page before.'),
};

/** `next` is the cursor of the page after; null at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Null on the last page. */
  readonly next: string | null;
}

/** As `pageQuery` reads it. */
export interface PageQuestion {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** @throws ProblemError BadRequest for a cursor that is none */
export function pageOf<T>(all: readonly T[], keyOf: (item: T) => string, question: PageQuestion): Page<T> {
  const { limit = DEFAULT_LIMIT, cursor } = question;
  const start = cursor === undefined ? 0 : startAfter(all, keyOf, readCursor(cursor));
  const items = all.slice(start, start + limit);
  const last = items.at(-1);
  const isLast = last === undefined || start + items.length >= all.length;
  return { items, next: isLast ? null : writeCursor({ key: keyOf(last), index: start + items.length - 1 }) };
}

/** Where the item is if the list has not changed, wherever it is if it has, and the same place if it is gone. */
function startAfter<T>(all: readonly T[], keyOf: (item: T) => string, { key, index }: Cursor): number {
  const here = all[index];
  if (here !== undefined && keyOf(here) === key) return index + 1;
  const moved = all.findIndex((item) => keyOf(item) === key);
  return moved === -1 ? index : moved + 1;
}

interface Cursor {
  readonly key: string;
  readonly index: number;
}

const cursorSchema = z.tuple([z.int().min(0), z.string()]);

function writeCursor({ key, index }: Cursor): string {
  return Buffer.from(JSON.stringify([index, key])).toString('base64url');
}

function readCursor(text: string): Cursor {
  const parsed = cursorSchema.safeParse(parseJSON(Buffer.from(text, 'base64url')));
  if (!parsed.success) throw new ProblemError('BadRequest', 'query.cursor: is not the `next` of a page');
  const [index, key] = parsed.data;
  return { index, key };
}
