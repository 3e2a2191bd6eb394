/** What to pull next on one node: wanted minus present, in order, in batches a kubelet can be asked for. */

import { compareNames } from './sorted-names.ts';
import type { Pull, Want } from './want.ts';

export interface BatchLimits {
  /** Containers of one pull pod. */
  readonly images: number;
  /** Compressed bytes of one pull pod; an image above it gets a pod of its own. */
  readonly bytes: number;
}

export const DEFAULT_BATCH_LIMITS: BatchLimits = { images: 20, bytes: 2 * 1024 ** 3 };

/** The pulls of one pod; all wants share its namespace and identity. */
export interface Batch {
  readonly namespace: string;
  readonly wants: readonly Want[];
  /** Each pull once, however many wants ask for it. */
  readonly pulls: readonly Pull[];
}

/** By priority, then smallest first (progress early, a huge image cannot hold up the rest), then by id. */
export function compareWants(left: Want, right: Want): number {
  return (
    right.priority - left.priority || left.sizeBytes - right.sizeBytes || compareNames(left.id, right.id)
  );
}

/** The next batch out of what is missing, or undefined if nothing is. */
export function planBatch(
  missing: readonly Want[],
  limits: BatchLimits = DEFAULT_BATCH_LIMITS,
): Batch | undefined {
  const [first, ...rest] = missing.toSorted(compareWants);
  if (first === undefined) return undefined;
  const wants = [first];
  const pulls = new Map(first.pulls.map((pull) => [pull.key, pull]));
  let bytes = first.sizeBytes;
  for (const want of rest) {
    const added = want.pulls.filter(({ key }) => !pulls.has(key));
    const size = added.length === 0 ? 0 : want.sizeBytes;
    if (
      want.identity !== first.identity ||
      pulls.size + added.length > limits.images ||
      bytes + size > limits.bytes
    ) {
      continue;
    }
    wants.push(want);
    for (const pull of added) pulls.set(pull.key, pull);
    bytes += size;
  }
  return { namespace: first.namespace, wants, pulls: [...pulls.values()] };
}

const BACKOFF_FIRST_MS = 30_000;
const BACKOFF_MAX_MS = 30 * 60_000;

/** Wait after the n-th failed attempt (from 1): 30 s doubling to 30 min, less up to a fifth by `random` in [0, 1). */
export function backoffMs(attempts: number, random: number): number {
  const full = Math.min(BACKOFF_FIRST_MS * 2 ** (attempts - 1), BACKOFF_MAX_MS);
  return Math.round(full * (1 - random / 5));
}
