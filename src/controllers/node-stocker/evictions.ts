/** Images that have gone from a node without being asked to: removed by its kubelet, or by a person. */

import type { Coverage } from '../../domain/coverage.ts';
import type { Moment } from '../../domain/moment.ts';
import type { NodeFacts } from '../../domain/node.ts';
import { backoffMs } from '../../domain/stock-plan.ts';
import { placement, type Want } from '../../domain/want.ts';

export interface EvictionContext extends Moment {
  readonly coverage: Coverage;
  readonly random: () => number;
}

/** Three removals within an hour: the node has no room for the image, and pulling it again and again helps nobody. */
const EVICTIONS_TOLERATED = 3;

/**
 * Of all that the node should have: for a node that is not planned for now, because it pulls, which may take long.
 * Returns when to look again, milliseconds from now.
 */
export function noteEvictions(
  node: NodeFacts,
  wants: readonly Want[],
  context: EvictionContext,
): number | undefined {
  const eligible = wants.filter((want) => placement(node, want).eligible);
  const looks = eligible
    .map((want) => noteEviction(node, want, context))
    .filter((lookAfterMs) => lookAfterMs !== undefined);
  return looks.length === 0 ? undefined : Math.min(...looks);
}

/**
 * Records that the image has gone, if it has: it is pulled again once and twice; the third removal within an hour is a
 * failure of the pair, with backoff. Returns when to look again, milliseconds from now.
 */
export function noteEviction(
  node: NodeFacts,
  want: Want,
  { coverage, random, now, monotonic }: EvictionContext,
): number | undefined {
  const { evicted, lookAfterMs } = coverage.findEvicted(node, want, monotonic);
  if (!evicted) return lookAfterMs;
  const times = coverage.evictions(node.name, want.id, monotonic);
  if (times < EVICTIONS_TOLERATED) return lookAfterMs;
  const attempts = times - EVICTIONS_TOLERATED + 1;
  coverage.setFailure(node, want, {
    reason: 'EvictedRepeatedly',
    message: `The node removed the image ${times} times within an hour`,
    attempts,
    lastAttempt: now,
    notBefore: monotonic + backoffMs(attempts + EVICTIONS_TOLERATED, random()),
  });
  return lookAfterMs;
}
