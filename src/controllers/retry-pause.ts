/** How long a registry is left alone after failures in a row, for every kind that asks one at an interval. */

/** After the first failure the registry is asked again no sooner than this; the pause doubles. */
const RETRY_MS = 30_000;
/** The longest pause after a failure, unless the interval is longer. */
const MAX_RETRY_MS = 300_000;

/** Milliseconds to wait after so many failures in a row: doubling from 30 s or a shorter interval. */
export function retryPause(failures: number, intervalMs: number): number {
  const first = Math.min(RETRY_MS, intervalMs);
  const longest = Math.max(MAX_RETRY_MS, intervalMs);
  return Math.min(first * 2 ** Math.min(failures - 1, 32), longest);
}
