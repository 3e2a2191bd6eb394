/** What a vendor's file declares: how its payload is known, what is in it, and which pushes it tells of. */

import type * as z from 'zod';
import { err, type Result } from '../../domain/result.ts';
import { type Push, type PushDraft, readPushes } from './push.ts';

/** Label of metrics and field of the log. */
export const VENDORS = [
  'Distribution',
  'Harbor',
  'DockerHub',
  'GitHub',
  'Quay',
  'Azure',
  'Amazon',
  'Google',
] as const;
/** One of `VENDORS`. */
export type Vendor = (typeof VENDORS)[number];

/** Header names in any case; null if absent, as `Headers` has it. */
export interface HeaderReader {
  get(name: string): string | null;
}

/** A payload format. */
export interface PayloadFormat {
  readonly vendor: Vendor;
  /** The fields that distinguish it, for people whose payload was not recognised. */
  readonly expects: string;
  /** Whether the payload looks like this format; then, and only then, its errors are worth telling. */
  recognises(payload: unknown, headers: HeaderReader): boolean;
  /** The pushes, possibly none; or which field is missing or wrong. */
  read(payload: unknown): Result<readonly Push[]>;
}

interface FormatParts<T> extends Pick<PayloadFormat, 'vendor' | 'expects' | 'recognises'> {
  readonly schema: z.ZodType<T>;
  readonly drafts: (payload: T) => readonly PushDraft[];
}

/** Checks the payload by the schema before its drafts are read. */
export function defineFormat<T>({ schema, drafts, ...format }: FormatParts<T>): PayloadFormat {
  return {
    ...format,
    read(payload) {
      const parsed = schema.safeParse(payload);
      if (!parsed.success) return err(`${format.vendor} payload: ${firstProblem(parsed.error)}`);
      return readPushes(drafts(parsed.data));
    },
  };
}

/** "events[0].target.repository: Invalid input: expected string"; never a value of the payload. */
function firstProblem({ issues }: z.ZodError): string {
  const [issue] = issues;
  if (issue === undefined) return 'not understood';
  const path = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  return `${path.replace(/^\./, '')}: ${issue.message}`;
}

/** Whether the payload is an object with that field. */
export function hasField(payload: unknown, field: string): boolean {
  return typeof payload === 'object' && payload !== null && Object.hasOwn(payload, field);
}

/** The field, if it is text. */
export function textField(payload: unknown, field: string): string | undefined {
  if (!hasField(payload, field)) return undefined;
  const value = (payload as Readonly<Record<string, unknown>>)[field];
  return typeof value === 'string' ? value : undefined;
}
