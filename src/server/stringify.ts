/** Long lists without holding up everything else: leases are renewed and probes answered meanwhile. */

import { setImmediate } from 'node:timers/promises';

/** Longest time without a turn of the event loop, milliseconds. */
const STRETCH_MS = 10;
const ITEMS_PER_LOOK = 128;

/** Everything that a lazy list yields and `keeps` accepts. */
export async function collectSlowly<T>(
  items: Iterable<T>,
  keeps: (item: T) => boolean = () => true,
): Promise<readonly T[]> {
  const found: T[] = [];
  let since = performance.now();
  let count = 0;
  for (const item of items) {
    if (keeps(item)) found.push(item);
    count += 1;
    if (count % ITEMS_PER_LOOK !== 0 || performance.now() - since < STRETCH_MS) continue;
    await setImmediate();
    since = performance.now();
  }
  return found;
}

/** The JSON of a list. */
export async function stringifySlowly(items: Iterable<unknown>): Promise<string> {
  const parts = await collectSlowly(stringifyEach(items));
  return `[${parts.join(',')}]`;
}

function* stringifyEach(items: Iterable<unknown>): Generator<string> {
  for (const item of items) yield JSON.stringify(item);
}
