/** One request to the facade: what is asked of HTTP, and nothing else. */

import { err, ok, type Result } from '../../domain/result.ts';
import type { Caller } from '../authorize.ts';
import { refuse } from './answer.ts';
import { type JsonValue, parseJsonText } from './json-text.ts';

/** A request before anybody asked who sends it. */
export interface FacadeRequest {
  readonly method: string;
  /** Below the path of the group, without a slash at its end: `/list`, `/12`, or empty. */
  readonly path: string;
  /** Undefined if there is no such header. */
  readonly header: (name: string) => string | undefined;
  /** The whole body. */
  readonly readBody: () => Promise<Uint8Array>;
  readonly signal: AbortSignal;
  /** Told who calls, for the log. */
  readonly setCaller: (caller: Caller) => void;
  /** Told which object a mutation is about, for the log. */
  readonly setSubject: (subject: string) => void;
}

/** A request whose caller is known. */
export interface CalledRequest extends FacadeRequest {
  readonly caller: Caller;
}

/** The only media type that is read and written. */
export const JSON_TYPE = 'application/json';
const FORM_TYPES: readonly string[] = ['application/x-www-form-urlencoded', 'multipart/form-data'];

/** The body as JSON; undefined if there is none. The error: it is a form, which only some routes can say something to. */
export async function readJsonBody(request: FacadeRequest): Promise<Result<JsonValue | undefined>> {
  const bytes = await request.readBody();
  if (bytes.length === 0) return ok(undefined);
  const contentType = request.header('content-type') ?? '';
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (FORM_TYPES.includes(mediaType)) return err(contentType);
  if (mediaType !== JSON_TYPE) throw unsupported(contentType);
  const parsed = parseJsonText(decodeText(bytes));
  if (!parsed.ok) throw refuse(400, `JSON parse error - ${parsed.error}`);
  return ok(parsed.value);
}

/** 415. */
export function unsupported(contentType: string): Error {
  return refuse(415, `Unsupported media type "${contentType}" in request.`);
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuse(400, "JSON parse error - 'utf-8' codec can't decode the body");
  }
}
