/** Would all that a node wants fit on its disk? Asked before the first pull, because a full disk hurts every pod. */

import type { NodeFacts } from './node.ts';
import { digestOf, sizesByDigest, type Want } from './want.ts';

/** An image takes about three times its compressed size: the layers, unpacked, and both at once while it is pulled. */
const UNPACKED_FACTOR = 3;
/** Share of the node's ephemeral storage that images may take, before the kubelet begins to collect. */
const SHARE = 0.8;
const GIB = 1024 ** 3;

/** The wants that must be left out, largest first, until the rest fits; by id, with the figures. */
export function overfull(node: NodeFacts, wants: readonly Want[]): ReadonlyMap<string, string> {
  const skipped = new Map<string, string>();
  if (node.ephemeralBytes === undefined) return skipped;
  const room = node.ephemeralBytes * SHARE;
  const sizes = sizesByDigest(wants);
  let needed = [...sizes.values()].reduce((sum, bytes) => sum + bytes * UNPACKED_FACTOR, 0);
  // Nearly always: each look at each node comes by here.
  if (needed <= room) return skipped;
  const figures = `all wanted images need about ${gibibytes(needed)}, ${gibibytes(room)} of the node may hold images`;
  for (const [digest, bytes] of [...sizes].sort(([, left], [, right]) => right - left)) {
    if (needed <= room) break;
    const message = `Not pulled: ${figures}; this one needs ${gibibytes(bytes * UNPACKED_FACTOR)}`;
    for (const want of wants) if (digestOf(want) === digest) skipped.set(want.id, message);
    needed -= bytes * UNPACKED_FACTOR;
  }
  return skipped;
}

function gibibytes(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
