/** What the pull pods of one node have brought: receipts and failures go into the coverage index. */

import type { Coverage } from '../../domain/coverage.ts';
import { backoffMs } from '../../domain/stock-plan.ts';
import type { Want } from '../../domain/want.ts';
import type { PullFailure } from './pull-failure.ts';
import type { NodeIdentity, PullPod } from './pull-pod.ts';
import type { PullVerdict } from './pull-verdict.ts';

/** A pull pod with what it shows. */
export interface JudgedPod {
  readonly pod: PullPod;
  readonly verdict: PullVerdict;
}

export interface HarvestContext {
  readonly coverage: Coverage;
  readonly wants: readonly Want[];
  /** Wall-clock milliseconds. */
  readonly now: number;
  readonly random: () => number;
}

/** Takes in what the pods prove; harvesting the same pod again changes nothing. */
export function harvest(node: NodeIdentity, pods: readonly JudgedPod[], context: HarvestContext): void {
  for (const { pod, verdict } of pods) {
    for (const key of verdict.present) addReceipt(node, key, context);
    for (const { key, failure } of verdict.failed) addFailure(node, pod, { key, failure }, context);
  }
}

function addReceipt(node: NodeIdentity, key: string, { coverage, wants, now }: HarvestContext): void {
  coverage.addReceipt(node.name, node.uid, key, now);
  for (const want of wants) if (asksFor(want, key)) coverage.clearFailures(want.id, node.name);
}

/** One pod is one attempt, however often it is looked at: the time it was made identifies it. */
function addFailure(
  node: NodeIdentity,
  pod: PullPod,
  failed: { readonly key: string; readonly failure: PullFailure },
  { coverage, wants, random }: HarvestContext,
): void {
  const lastAttempt = Date.parse(pod.metadata.creationTimestamp ?? '');
  const { reason, message } = failed.failure;
  for (const want of wants.filter((candidate) => asksFor(candidate, failed.key))) {
    const before = coverage.failure(node.name, want.id);
    if (before !== undefined && before.lastAttempt >= lastAttempt) continue;
    const attempts = (before?.attempts ?? 0) + 1;
    const notBefore = lastAttempt + backoffMs(attempts, random());
    coverage.setFailure(node.name, node.uid, want, { reason, message, attempts, lastAttempt, notBefore });
  }
}

function asksFor(want: Want, key: string): boolean {
  return want.pulls.some((pull) => pull.key === key);
}
