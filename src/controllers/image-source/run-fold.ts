/** Runs long pure work a step at a time, so that leases are renewed and probes answered meanwhile. */

import { setImmediate } from 'node:timers/promises';
import type { Fold } from '../../domain/fold.ts';

/** Longest time without a turn of the event loop, milliseconds. */
const STRETCH_MS = 10;

export async function runFoldAsync<T>(fold: Fold<T>): Promise<T> {
  let since = performance.now();
  for (;;) {
    const step = fold.next();
    if (step.done === true) return step.value;
    if (performance.now() - since < STRETCH_MS) continue;
    await setImmediate();
    since = performance.now();
  }
}
