/** What the pull pods of one node have brought: receipts and failures go into the coverage index and the circuits. */

import { type Circuits, hostCircuit, imageCircuit } from '../../domain/circuits.ts';
import type { Coverage, NodeIdentity } from '../../domain/coverage.ts';
import { backoffMs } from '../../domain/stock-plan.ts';
import type { Want } from '../../domain/want.ts';
import type { PullFailure } from './pull-failure.ts';
import { IDENTITY_ANNOTATION, identityLabel, type PullPod } from './pull-pod.ts';
import type { FailedPull, PullVerdict } from './pull-verdict.ts';

/** A pull pod with what it shows. */
export interface JudgedPod {
  readonly pod: PullPod;
  readonly verdict: PullVerdict;
}

export interface HarvestContext {
  readonly coverage: Coverage;
  readonly circuits: Circuits;
  readonly wants: readonly Want[];
  /** Wall-clock milliseconds. */
  readonly now: number;
  readonly random: () => number;
}

/** Takes in what the pods prove; harvesting the same pod again changes nothing. */
export function harvest(node: NodeIdentity, pods: readonly JudgedPod[], context: HarvestContext): void {
  for (const { pod, verdict } of pods) {
    for (const key of verdict.present) addReceipt(node, pod, key, context);
    for (const failed of verdict.failed) addFailure(node, pod, failed, context);
  }
}

function addReceipt(node: NodeIdentity, pod: PullPod, key: string, context: HarvestContext): void {
  const { coverage, circuits, wants, now } = context;
  const proof = `${pod.metadata.uid ?? pod.metadata.name}/${key}`;
  if (!coverage.addReceipt(node, { key, proof }, now)) return;
  for (const want of wants.filter((candidate) => asksFor(candidate, key))) {
    coverage.clearFailures(want.id, node.name);
    circuits.succeed(imageCircuit(want.id));
    circuits.succeed(hostCircuit(want.host));
  }
}

/** One pod is one attempt, however often it is looked at: the time it was made identifies it. */
function addFailure(
  node: NodeIdentity,
  pod: PullPod,
  { key, failure }: FailedPull,
  context: HarvestContext,
): void {
  const { coverage, wants, random } = context;
  const lastAttempt = Date.parse(pod.metadata.creationTimestamp ?? '');
  for (const want of wants.filter((candidate) => asksFor(candidate, key) && isAskedBy(candidate, pod))) {
    const before = coverage.failure(node.name, want.id);
    if (before !== undefined && before.lastAttempt >= lastAttempt) continue;
    const attempts = (before?.attempts ?? 0) + 1;
    const { reason, message } = failure;
    const notBefore = lastAttempt + backoffMs(attempts, random());
    coverage.setFailure(node, want, { reason, message, attempts, lastAttempt, notBefore });
    blame(node, want, failure, context);
  }
}

/** Image and registry failures concern other nodes too; a node's own trouble and refused pods do not. */
function blame(
  node: NodeIdentity,
  want: Want,
  failure: PullFailure,
  { circuits, now }: HarvestContext,
): void {
  const what = { at: now, message: failure.message };
  if (failure.class === 'Image') circuits.fail(imageCircuit(want.id), node.name, what);
  if (failure.class === 'Registry') circuits.fail(hostCircuit(want.host), node.name, what);
}

/** A failure is that of the namespace and secrets it was tried with; another tenant's pull says nothing about ours. */
function isAskedBy({ namespace, identity }: Want, pod: PullPod): boolean {
  return (
    namespace === pod.metadata.namespace &&
    identityLabel(identity) === pod.metadata.annotations?.[IDENTITY_ANNOTATION]
  );
}

function asksFor(want: Want, key: string): boolean {
  return want.pulls.some((pull) => pull.key === key);
}
