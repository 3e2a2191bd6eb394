/** Why an exchange got no usable answer, judged by error codes, never by message text. */

import { ApiError, type ConnectionReason } from './api-error.ts';

/** `refused` and `certificate`: nothing was sent. The others: the server may have acted. */
export type FailureKind = 'refused' | 'certificate' | 'lost' | 'deadline' | 'malformed' | 'oversized';

/** Travels as the `cause` of the `ApiError`. */
export interface ConnectionFailure {
  readonly kind: FailureKind;
  /** Code such as ECONNRESET; never text from the other side. */
  readonly code: string;
}

/** No connection came about: the request was not sent. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const CERTIFICATE_CODE =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_CA)/;

/** `expired`: our own deadline cut the exchange, whatever the error looks like. */
export function classifyFailure(error: unknown, expired: boolean): ConnectionFailure {
  if (expired) return { kind: 'deadline', code: 'ETIMEDOUT' };
  if (error instanceof SyntaxError) return { kind: 'malformed', code: 'BAD_JSON' };
  if (error instanceof RangeError) return { kind: 'oversized', code: 'TOO_LARGE' };
  const code = codeOf(error);
  if (NOT_SENT.has(code)) return { kind: 'refused', code };
  return { kind: CERTIFICATE_CODE.test(code) ? 'certificate' : 'lost', code };
}

const REASONS: Readonly<Record<FailureKind, ConnectionReason>> = {
  refused: 'ConnectionFailed',
  certificate: 'ConnectionFailed',
  lost: 'ConnectionLost',
  deadline: 'DeadlineExceeded',
  malformed: 'BadResponse',
  oversized: 'BadResponse',
};

/**
 * The error of an exchange without a usable answer; too large an answer stays too large, all else is
 * temporary.
 */
export function connectionError(what: string, failure: ConnectionFailure): ApiError {
  return new ApiError({
    status: 0,
    reason: REASONS[failure.kind],
    message: `${what}: ${REASONS[failure.kind]} (${failure.code})`,
    temporary: failure.kind !== 'oversized',
    sent: failure.kind !== 'refused' && failure.kind !== 'certificate',
    cause: failure,
  });
}

/** The innermost code: undici wraps socket errors, Happy Eyeballs aggregates them. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  const { code, cause } = error as Error & { readonly code?: unknown };
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (typeof code === 'string') return code;
  return cause === undefined ? error.name : codeOf(cause);
}
