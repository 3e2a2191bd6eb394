/** What an answer with an error status means; free text of the registry is never repeated, it may echo what we sent. */

import { isJsonObject, parseJSON } from '../json.ts';
import { REGISTRY_ERROR_CODES, RegistryError, type RegistryErrorCode } from './errors.ts';
import { retryAfterMs } from './rate-limit.ts';
import type { TransportResponse } from './transport.ts';
import type { Subject } from './transport-errors.ts';

/** Codes outside the specification that registries send, and what they mean. */
const SYNONYMS: Readonly<Record<string, RegistryErrorCode>> = {
  TAG_EXPIRED: 'MANIFEST_UNKNOWN', // Quay
  TAG_INVALID: 'MANIFEST_UNKNOWN',
  NOT_FOUND: 'NAME_UNKNOWN', // Harbor
  FORBIDDEN: 'DENIED', // Harbor
  REPOSITORY_NOT_FOUND: 'NAME_UNKNOWN',
};
const KNOWN: ReadonlySet<string> = new Set(REGISTRY_ERROR_CODES);

const PROBLEM: Partial<Readonly<Record<RegistryErrorCode, string>>> = {
  UNAUTHORIZED: 'the registry refuses the credentials, or the repository does not exist',
  DENIED: 'the credentials may not read it',
  NAME_UNKNOWN: 'the registry knows no such repository',
  MANIFEST_UNKNOWN: 'the registry has no such manifest',
  BLOB_UNKNOWN: 'the registry has no such blob',
  TOOMANYREQUESTS: 'the registry limits requests',
  UNAVAILABLE: 'the registry fails',
};

/** The error for a status that is not 2xx; `missing` is what a 404 without a code means here. */
export function answerError(
  response: TransportResponse,
  subject: Subject,
  missing: RegistryErrorCode,
  nowMs: number,
): RegistryError {
  const stated = statedCode(response);
  const code = codeOf(response.status, stated, missing);
  const problem = PROBLEM[code] ?? 'the registry answers with an error';
  return new RegistryError(
    `${subject.action}: ${problem} (${response.status}${stated === undefined ? '' : ` ${stated}`})`,
    {
      code,
      registry: subject.registry,
      repository: subject.repository,
      status: response.status,
      retryAfterMs: retryAfterMs(response.headers, nowMs),
      // A 404 that does not say why may come from a proxy or a registry that is starting.
      ...(response.status === 404 && stated === undefined && { temporary: true }),
    },
  );
}

/** 429, and what registries send instead of it. */
export function isRateLimited(response: TransportResponse): boolean {
  return response.status === 429 || (response.status === 403 && statedCode(response) === 'TOOMANYREQUESTS');
}

function codeOf(
  status: number,
  stated: RegistryErrorCode | undefined,
  missing: RegistryErrorCode,
): RegistryErrorCode {
  if (status === 429) return 'TOOMANYREQUESTS';
  if (status >= 500) return 'UNAVAILABLE';
  if (stated !== undefined) return stated;
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 403) return 'DENIED';
  if (status === 404) return missing;
  return 'INVALID_RESPONSE';
}

/** `{"errors": [{"code": "NAME_UNKNOWN"}]}`; only codes that are known count. */
function statedCode(response: TransportResponse): RegistryErrorCode | undefined {
  const json = parseJSON(response.body);
  const errors = isJsonObject(json) ? json['errors'] : undefined;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const code = isJsonObject(first) ? first['code'] : undefined;
  if (typeof code !== 'string') return undefined;
  return SYNONYMS[code] ?? (KNOWN.has(code) ? (code as RegistryErrorCode) : undefined);
}
