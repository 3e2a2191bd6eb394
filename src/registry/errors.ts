/** The one error of the registry client, with the distribution specification's codes and a condition reason each. */

import type { RegistryReason } from './reasons.ts';

/** Codes of the distribution specification (docs/registries.md), then ours for what happens before it can answer. */
export const REGISTRY_ERROR_CODES = [
  'BLOB_UNKNOWN',
  'DENIED',
  'DIGEST_INVALID',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'TOOMANYREQUESTS',
  'UNAUTHORIZED',
  'UNSUPPORTED',
  'CERTIFICATE_INVALID',
  'INVALID_RESPONSE',
  'LIST_TOO_LARGE',
  'POLICY_REFUSED',
  'TIMEOUT',
  'UNAVAILABLE',
  'UNREACHABLE',
] as const;
/** One of `REGISTRY_ERROR_CODES`. */
export type RegistryErrorCode = (typeof REGISTRY_ERROR_CODES)[number];

const REASON: Readonly<Record<RegistryErrorCode, RegistryReason>> = {
  BLOB_UNKNOWN: 'ManifestUnknown',
  DENIED: 'Forbidden',
  DIGEST_INVALID: 'InvalidResponse',
  MANIFEST_INVALID: 'InvalidResponse',
  MANIFEST_UNKNOWN: 'ManifestUnknown',
  NAME_INVALID: 'RepositoryNotFound',
  NAME_UNKNOWN: 'RepositoryNotFound',
  TOOMANYREQUESTS: 'TooManyRequests',
  UNAUTHORIZED: 'Unauthorized',
  UNSUPPORTED: 'UnsupportedMediaType',
  CERTIFICATE_INVALID: 'CertificateInvalid',
  INVALID_RESPONSE: 'InvalidResponse',
  LIST_TOO_LARGE: 'ListTooLarge',
  POLICY_REFUSED: 'PolicyRefused',
  TIMEOUT: 'RegistryTimeout',
  UNAVAILABLE: 'RegistryUnavailable',
  UNREACHABLE: 'RegistryUnreachable',
};

/** Codes that may pass without anybody changing anything. */
const TEMPORARY: ReadonlySet<RegistryErrorCode> = new Set([
  'TOOMANYREQUESTS',
  'TIMEOUT',
  'UNAVAILABLE',
  'UNREACHABLE',
]);

/** What a `RegistryError` is made of. */
export interface RegistryErrorDetails {
  readonly code: RegistryErrorCode;
  /** host[:port] as the reference names it. */
  readonly registry: string;
  readonly repository?: string | undefined;
  /** HTTP status, if there was an answer. */
  readonly status?: number | undefined;
  /** Overrides what the code implies, e.g. a 404 that does not say why. */
  readonly temporary?: boolean | undefined;
  /** How long the registry asked us to stay away, milliseconds. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** Thrown by everything in this folder that talks to a registry. Its message holds no secret and no query string. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  readonly registry: string;
  readonly repository: string | undefined;
  readonly status: number | undefined;
  readonly temporary: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: RegistryErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.registry = details.registry;
    this.repository = details.repository;
    this.status = details.status;
    this.temporary = details.temporary ?? TEMPORARY.has(details.code);
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** For catch clauses: anything else is a bug, or the reason of an abort. */
export function isRegistryError(error: unknown): error is RegistryError {
  return error instanceof RegistryError;
}

/** The condition reason of an error; anything that is not ours counts as unreachable. */
export function registryReason(error: unknown): RegistryReason {
  return isRegistryError(error) ? REASON[error.code] : 'RegistryUnreachable';
}
