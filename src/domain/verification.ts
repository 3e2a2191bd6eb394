/** When presence that a node's list cannot confirm is verified by a cheap pull; nodes take turns, or a rollout would repeat itself. */

import type { Coverage, NodeIdentity } from './coverage.ts';
import type { Want } from './want.ts';

/**
 * Milliseconds between two verifications on this node: between half of `verifyInterval` and all of it, always the same
 * for one node, so that all its images are verified by one pod.
 */
export function verifyPeriodMs({ uid }: Pick<NodeIdentity, 'uid'>, { verifyIntervalMs }: Want): number {
  return verifyIntervalMs * (1 - shareOf(uid) / 2);
}

/** Whether the image counts as present by a receipt that is too old to be believed without another look. */
export function needsVerification(
  coverage: Coverage,
  node: NodeIdentity,
  want: Want,
  monotonic: number,
): boolean {
  return coverage.isUnverified(node.name, want, { monotonic, maxAgeMs: verifyPeriodMs(node, want) });
}

/** In [0, 1), evenly spread over texts: FNV-1a. */
function shareOf(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93) >>> 0;
  return hash / 2 ** 32;
}
