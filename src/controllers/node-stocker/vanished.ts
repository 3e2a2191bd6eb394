/** Pull pods that were deleted before they finished: once is an accident, again and again is somebody's policy. */

import type { Coverage, NodeIdentity } from '../../domain/coverage.ts';
import type { Moment } from '../../domain/moment.ts';
import { backoffMs } from '../../domain/stock-plan.ts';
import { needsVerification, verifyPeriodMs } from '../../domain/verification.ts';
import type { Want } from '../../domain/want.ts';
import type { JudgedPod } from './judged-pod.ts';
import { pullKeys } from './pull-pod.ts';

export interface VanishedContext extends Moment {
  readonly coverage: Coverage;
  readonly wants: readonly Want[];
  readonly random: () => number;
}

/**
 * Records a failure for what a pull pod was bringing when it went. It is tried again at once the first time, then
 * with growing pauses: whatever deletes our pods would go on as fast as we make them.
 */
export function noteVanished(node: NodeIdentity, pods: readonly JudgedPod[], context: VanishedContext): void {
  const { coverage, wants, now, monotonic, random } = context;
  const there = new Set(pods.flatMap(({ pod }) => [...pullKeys(pod).values()]));
  const gone = coverage.pullingKeys(node.name).filter((key) => !there.has(key));
  if (gone.length === 0) return;
  for (const want of wants.filter(({ pulls }) => pulls.some(({ key }) => gone.includes(key)))) {
    if (isBrought(node, want, context)) continue;
    const attempts = (coverage.failure(node.name, want.id)?.attempts ?? 0) + 1;
    coverage.setFailure(node, want, {
      reason: 'PodVanished',
      message: 'The pull pod was deleted before it had finished',
      attempts,
      lastAttempt: now,
      notBefore: attempts === 1 ? monotonic : monotonic + backoffMs(attempts - 1, random()),
    });
  }
}

/** Nothing was left to bring: the pod has gone after its work. */
function isBrought(
  node: NodeIdentity,
  want: Want,
  { coverage, monotonic }: Pick<VanishedContext, 'coverage' | 'monotonic'>,
): boolean {
  if (!coverage.isPresent(node.name, want) || needsVerification(coverage, node, want, monotonic))
    return false;
  const lately = { monotonic, maxAgeMs: verifyPeriodMs(node, want) };
  return !want.keepWarm || coverage.wasReceived(node.name, want, lately);
}
