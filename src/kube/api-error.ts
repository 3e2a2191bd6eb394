/** A failed call to the API server: what callers may decide on, and nothing that could hold a secret. */

import { isJsonObject } from '../json.ts';

/** Reasons of our own for calls that got no usable answer; the server's reasons stand beside them. */
export type ConnectionReason = 'ConnectionFailed' | 'ConnectionLost' | 'DeadlineExceeded' | 'BadResponse';

/** One entry of `details.causes`: which field was refused and why. Absent members are empty. */
export interface ApiErrorCause {
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

/** What an `ApiError` is made of. */
export interface ApiErrorDetails {
  /** HTTP status, 0 if there was no answer. */
  readonly status: number;
  /** `metav1.Status` reason such as `NotFound` or `Conflict`, or a `ConnectionReason`. */
  readonly reason: string;
  readonly message: string;
  readonly causes?: readonly ApiErrorCause[];
  readonly retryAfterMs?: number | undefined;
  /** Whether the same request may succeed later without anybody acting. */
  readonly temporary: boolean;
  /** False if it is certain that the server never saw the request. */
  readonly sent?: boolean;
  readonly cause?: unknown;
}

/** Thrown by every call of `KubeClient`. The message reads "verb resource name: what the server said". */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly ApiErrorCause[];
  readonly retryAfterMs: number | undefined;
  readonly temporary: boolean;
  readonly sent: boolean;

  constructor(details: ApiErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = details.status;
    this.reason = details.reason;
    this.causes = details.causes ?? [];
    this.retryAfterMs = details.retryAfterMs;
    this.temporary = details.temporary;
    this.sent = details.sent ?? true;
  }
}

/** Thrown before sending when the sender may no longer write, because its lease has run out. */
export class WriteFencedError extends Error {
  override readonly name = 'WriteFencedError';
}

const MESSAGE_LIMIT = 512;
const CAUSES_LIMIT = 8;

/** Statuses the server uses for "not now"; 500 counts only with a reason or a Retry-After (see `isTemporary`). */
const TEMPORARY_STATUSES: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

const REASON_BY_STATUS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Gone',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** The answer of a failed call, reduced to what an error is made of. */
export interface FailedAnswer {
  readonly status: number;
  /** Value of the Retry-After header, if any. */
  readonly retryAfter: string | undefined;
  /** Parsed body if it was JSON. */
  readonly body: unknown;
}

/** Builds the error of a non-2xx answer from its `metav1.Status`; a body of another shape is ignored. */
export function apiErrorFrom(what: string, answer: FailedAnswer): ApiError {
  const status = readStatus(answer.body);
  if (isForeignUid(answer.status, status)) return conflict(what, status.message);
  const retryAfterMs = retryAfterOf(answer.retryAfter, status.retryAfterSeconds);
  return new ApiError({
    status: answer.status,
    reason: status.reason ?? REASON_BY_STATUS[answer.status] ?? `Status${answer.status}`,
    message: `${what}: ${status.message ?? `HTTP ${answer.status}`}`,
    causes: status.causes,
    retryAfterMs,
    temporary: isTemporary(answer.status, status.reason, retryAfterMs),
  });
}

/** An apply with the uid of another object is refused as a change of an immutable field: a lost precondition. */
function isForeignUid(code: number, { causes }: StatusFields): boolean {
  return code === 422 && causes.some(({ field }) => field === 'metadata.uid');
}

function conflict(what: string, message = 'the object was replaced by another of its name'): ApiError {
  return new ApiError({ status: 409, reason: 'Conflict', message: `${what}: ${message}`, temporary: false });
}

/**
 * A 500 without a reason is how the server answers an apply with a field the CRD lacks: it will never succeed.
 */
function isTemporary(status: number, reason: string | undefined, retryAfterMs: number | undefined): boolean {
  if (TEMPORARY_STATUSES.has(status)) return true;
  return status >= 500 && (reason !== undefined || retryAfterMs !== undefined);
}

interface StatusFields {
  readonly reason?: string;
  readonly message?: string;
  readonly causes: readonly ApiErrorCause[];
  readonly retryAfterSeconds?: number;
}

function readStatus(body: unknown): StatusFields {
  if (!isJsonObject(body)) return { causes: [] };
  const details = isJsonObject(body['details']) ? body['details'] : {};
  const { reason, message } = body;
  const seconds = details['retryAfterSeconds'];
  return {
    ...(typeof reason === 'string' && reason !== '' ? { reason } : {}),
    ...(typeof message === 'string' && message !== '' ? { message: message.slice(0, MESSAGE_LIMIT) } : {}),
    ...(typeof seconds === 'number' ? { retryAfterSeconds: seconds } : {}),
    causes: readCauses(details['causes']),
  };
}

function readCauses(value: unknown): readonly ApiErrorCause[] {
  if (!Array.isArray(value)) return [];
  return value
    .slice(0, CAUSES_LIMIT)
    .filter(isJsonObject)
    .map((cause) => ({
      reason: text(cause['reason']),
      field: text(cause['field']),
      message: text(cause['message']).slice(0, MESSAGE_LIMIT),
    }));
}

/** The header's delta-seconds win over the body's; the HTTP-date form is not used by API servers. */
function retryAfterOf(header: string | undefined, seconds: number | undefined): number | undefined {
  if (header !== undefined && /^\d{1,9}$/.test(header)) return Number(header) * 1000;
  return seconds === undefined || seconds <= 0 ? undefined : seconds * 1000;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** There is no such object; also no such resource, before its CRD is installed. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** A lost optimistic lock, or (reason `AlreadyExists`) a name that is taken. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

/** A create met an object of that name, perhaps our own of an earlier attempt whose answer was lost. */
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.reason === 'AlreadyExists';
}

/** The resourceVersion or continue token is too old: list again. */
export function isGone(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone')
  );
}
