/** What response headers say about when to come back: Retry-After and the various ratelimit-remaining. */

/** Header values by lower-case name; a repeated header is joined by ", ". */
export type ResponseHeaders = ReadonlyMap<string, string>;

/** Nobody is believed who says longer than this. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;
/** A reset above this is a time of day in seconds since the epoch, below it a number of seconds from now. */
const EPOCH_THRESHOLD_SECONDS = 1_000_000_000;

/** Milliseconds to wait by `Retry-After` (seconds or HTTP date); undefined if it is absent or unreadable. */
export function retryAfterMs(headers: ResponseHeaders, nowMs: number): number | undefined {
  const text = headers.get('retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return clamp(Number(text) * 1000);
  // Date.parse also reads things like "-5"; an HTTP date begins with a day name.
  const date = /^[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : clamp(date - nowMs);
}

/** What an answer says about requests that are left. */
export interface RateLimit {
  readonly limit: number | undefined;
  readonly remaining: number;
  /** Milliseconds until the registry counts anew; undefined if it does not say. */
  readonly resetMs: number | undefined;
}

/** Docker Hub: `ratelimit-remaining: 76;w=21600`; others: `x-ratelimit-remaining: 76` and `x-ratelimit-reset`. */
export function rateLimit(headers: ResponseHeaders, nowMs: number): RateLimit | undefined {
  const remaining = leadingNumber(headers.get('ratelimit-remaining') ?? headers.get('x-ratelimit-remaining'));
  if (remaining === undefined) return undefined;
  return {
    limit: leadingNumber(headers.get('ratelimit-limit') ?? headers.get('x-ratelimit-limit')),
    remaining,
    resetMs: resetMs(headers.get('ratelimit-reset') ?? headers.get('x-ratelimit-reset'), nowMs),
  };
}

function resetMs(text: string | undefined, nowMs: number): number | undefined {
  const seconds = leadingNumber(text);
  if (seconds === undefined) return undefined;
  return clamp(seconds > EPOCH_THRESHOLD_SECONDS ? seconds * 1000 - nowMs : seconds * 1000);
}

function leadingNumber(text: string | undefined): number | undefined {
  const match = /^\s*([0-9]{1,15})/.exec(text ?? '');
  return match === null ? undefined : Number(match[1]);
}

function clamp(ms: number): number {
  return Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);
}
