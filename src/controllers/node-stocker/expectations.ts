/** Pods that were made and that the watch has not shown yet: without this, a stale cache would make a second one. */

import { formatKey, type ObjectKey } from '../../kube/resource.ts';

/** Longest time a watch may lag; after that the cache is believed. */
const LAG_LIMIT_MS = 30_000;

interface Expected {
  readonly pod: string;
  /** Monotonic milliseconds. */
  readonly until: number;
}

export class Expectations {
  readonly #byNode = new Map<string, Expected>();

  expect(node: string, pod: ObjectKey, now: number): void {
    this.#byNode.set(node, { pod: formatKey(pod), until: now + LAG_LIMIT_MS });
  }

  forget(node: string): void {
    this.#byNode.delete(node);
  }

  /** True if the pod made last for the node is among those seen, or has been waited for long enough. */
  areMet(node: string, seen: readonly { readonly metadata: ObjectKey }[], now: number): boolean {
    const expected = this.#byNode.get(node);
    if (expected === undefined) return true;
    if (now < expected.until && !seen.some(({ metadata }) => formatKey(metadata) === expected.pod))
      return false;
    this.#byNode.delete(node);
    return true;
  }
}
