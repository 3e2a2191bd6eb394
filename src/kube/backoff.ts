/** Exponential delays, shared by everything that tries again. */

/** Shape of an exponential delay: base, base·2, base·4 … up to the limit. */
export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Share of the delay that is random: 0.5 spreads a delay over ±50 %. Default 0. */
  readonly jitter?: number;
  /** Source of randomness in [0, 1); default Math.random. */
  readonly random?: () => number;
}

/** Delay in milliseconds after the given number of failures in a row (0 = first failure). */
export function backoffDelay(failures: number, options: BackoffOptions): number {
  // Beyond 2^40 the product only overflows; the cap decides long before.
  const delay = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(failures, 40));
  const jitter = options.jitter ?? 0;
  if (jitter === 0) return delay;
  const random = options.random ?? Math.random;
  return Math.min(options.maxMs, delay * (1 - jitter + 2 * jitter * random()));
}
