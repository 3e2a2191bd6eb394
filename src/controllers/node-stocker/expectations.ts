/** Pods that were made and that the watch has not shown yet: without this, a stale cache would make a second one. */

import type { NodeIdentity } from '../../domain/coverage.ts';
import { formatKey, type ObjectKey } from '../../kube/resource.ts';

/** Longest time a watch may lag; after that the cache is believed. */
const LAG_LIMIT_MS = 30_000;

interface Expected {
  /** Of the node: another one of its name waits for nothing. */
  readonly uid: string;
  readonly pod: string;
  /** Monotonic milliseconds. */
  readonly until: number;
}

export class Expectations {
  readonly #byNode = new Map<string, Expected>();

  expect({ name, uid }: NodeIdentity, pod: ObjectKey, monotonic: number): void {
    this.#byNode.set(name, { uid, pod: formatKey(pod), until: monotonic + LAG_LIMIT_MS });
  }

  forget(node: string): void {
    this.#byNode.delete(node);
  }

  /** True if the pod made last for the node is among those seen, or has been waited for long enough. */
  areMet(
    { name, uid }: NodeIdentity,
    seen: readonly { readonly metadata: ObjectKey }[],
    monotonic: number,
  ): boolean {
    const expected = this.#byNode.get(name);
    if (expected?.uid !== uid || monotonic >= expected.until) return this.#met(name);
    const isSeen = seen.some(({ metadata }) => formatKey(metadata) === expected.pod);
    return isSeen && this.#met(name);
  }

  #met(node: string): boolean {
    this.#byNode.delete(node);
    return true;
  }
}
