/** JSON of a long list without holding up everything else: leases are renewed and probes answered meanwhile. */

import { setImmediate } from 'node:timers/promises';

/** Longest time without a turn of the event loop, milliseconds. */
const STRETCH_MS = 10;
const ITEMS_PER_LOOK = 256;

export async function stringifySlowly(items: readonly unknown[]): Promise<string> {
  const parts: string[] = [];
  let since = performance.now();
  for (let start = 0; start < items.length; start += ITEMS_PER_LOOK) {
    parts.push(JSON.stringify(items.slice(start, start + ITEMS_PER_LOOK)).slice(1, -1));
    if (performance.now() - since < STRETCH_MS) continue;
    await setImmediate();
    since = performance.now();
  }
  return `[${parts.join(',')}]`;
}
