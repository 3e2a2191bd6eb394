/** What a failed exchange means: network, certificate and policy errors told apart by code, never by message. */

import type { RegistryErrorCode } from './errors.ts';
import { isRegistryError, RegistryError } from './errors.ts';

/** What was being done to what; every error message begins with `action`. */
export interface Subject {
  /** Verb and object: "listing tags of ghcr.io/a/b". */
  readonly action: string;
  readonly registry: string;
  readonly repository?: string;
}

const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const TIMEOUT_CODES: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
]);
/** What may stand in a message. */
const CODE = /^[A-Z0-9_]{2,64}$/;
/** A plain-HTTP server behind https. */
const NOT_TLS_CODES: ReadonlySet<string> = new Set([
  'EPROTO',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_WRONG_VERSION_NUMBER',
]);

/**
 * The error to throw instead of `error`. A caller's own abort reason is passed on as it is, unless it is a deadline.
 */
export function toRegistryError(
  error: unknown,
  subject: Subject,
  caller: AbortSignal,
  deadline: AbortSignal,
): unknown {
  if (isRegistryError(error)) return error;
  if (caller.aborted) {
    return deadlineError(caller.reason, subject);
  }
  if (deadline.aborted) return build('TIMEOUT', 'no complete answer in time', subject);
  return networkError(errorCode(error), subject);
}

/** A TIMEOUT for the reason of `AbortSignal.timeout`; anything else as it is. */
export function deadlineError(reason: unknown, subject: Subject): unknown {
  return isTimeout(reason) ? build('TIMEOUT', 'no answer before the deadline', subject) : reason;
}

function networkError(code: string, subject: Subject): RegistryError {
  if (code === 'LARDER_ADDRESS_REFUSED')
    return build('POLICY_REFUSED', 'the host is at an address that policy forbids', subject);
  if (CERTIFICATE_CODES.has(code))
    return build('CERTIFICATE_INVALID', `the certificate is not accepted (${code})`, subject);
  if (TIMEOUT_CODES.has(code)) return build('TIMEOUT', 'no answer in time', subject);
  if (NOT_TLS_CODES.has(code))
    return build('INVALID_RESPONSE', 'the answer is not TLS; access.plainHTTP allows http', subject);
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW')
    return build('INVALID_RESPONSE', 'the answer is not HTTP', subject);
  return build(
    'UNREACHABLE',
    code === '' ? 'the connection failed' : `the connection failed (${code})`,
    subject,
  );
}

/** Causes may quote headers or URLs, so none is attached. */
function build(code: RegistryErrorCode, problem: string, subject: Subject): RegistryError {
  return new RegistryError(`${subject.action}: ${problem}`, {
    code,
    registry: subject.registry,
    repository: subject.repository,
  });
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

/** The code of an error, of its cause, or of the first of several. */
function errorCode(error: unknown): string {
  let current = error;
  for (let depth = 0; current instanceof Error && depth < 5; depth++) {
    // undici's parser errors carry no code.
    if (current.name === 'HTTPParserError') return 'HPE_INVALID';
    if ('code' in current && typeof current.code === 'string' && CODE.test(current.code)) return current.code;
    current = current instanceof AggregateError ? current.errors[0] : current.cause;
  }
  return '';
}
