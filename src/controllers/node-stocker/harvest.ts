/** What the pull pods of one node have brought: receipts and failures go into the coverage index and the circuits. */

import { type Circuits, hostCircuit, imageCircuit } from '../../domain/circuits.ts';
import type { Coverage, NodeIdentity } from '../../domain/coverage.ts';
import type { Moment } from '../../domain/moment.ts';
import type { PullObserver } from '../../domain/pull-observation.ts';
import { backoffMs } from '../../domain/stock-plan.ts';
import type { Want } from '../../domain/want.ts';
import type { PullFailure } from './pull-failure.ts';
import { IDENTITY_ANNOTATION, identityLabel, type PullPod } from './pull-pod.ts';
import type { FailedPull, PullVerdict } from './pull-verdict.ts';
import type { PulledEvents } from './pulled-events.ts';
import type { RegistryVerdict } from './registry-check.ts';

/** A pull pod with what it shows. */
export interface JudgedPod {
  readonly pod: PullPod;
  readonly verdict: PullVerdict;
}

export interface HarvestContext extends Moment {
  readonly coverage: Coverage;
  readonly circuits: Circuits;
  readonly wants: readonly Want[];
  readonly random: () => number;
  /** What the registry says itself of an image that could not be pulled. */
  readonly askRegistry: (want: Want) => Promise<RegistryVerdict | undefined>;
  readonly observer: PullObserver;
  /** Told of each pod that has brought something and is done. */
  readonly events: Pick<PulledEvents, 'finished'>;
}

const MESSAGE_LIMIT = 256;
/** Troubles of a node's own that no registry knows of. */
const OWN_TROUBLE: ReadonlySet<string> = new Set(['DiskFull', 'RuntimeFailed', 'CertificateInvalid']);

/** Takes in what the pods prove; harvesting the same pod again changes nothing. */
export async function harvest(
  node: NodeIdentity,
  pods: readonly JudgedPod[],
  context: HarvestContext,
): Promise<void> {
  for (const { pod, verdict } of pods) {
    const news = verdict.present.filter((key) => addReceipt(node, pod, key, context));
    if (news.length > 0 && verdict.finishedAt !== undefined) context.events.finished(pod, verdict.finishedAt);
    await Promise.all(verdict.failed.map((failed) => addFailures(node, pod, failed, context)));
  }
}

/** Returns false if it was known. */
function addReceipt(node: NodeIdentity, pod: PullPod, key: string, context: HarvestContext): boolean {
  const { coverage, circuits, wants, monotonic } = context;
  const proof = pod.metadata.uid ?? pod.metadata.name;
  const asking = wants.filter((candidate) => asksFor(candidate, key));
  const reached = asking.filter((want) => askedRegistry(node, want, key, coverage));
  if (!coverage.addReceipt(node, { key, proof }, monotonic)) return false;
  for (const { host } of reached) circuits.succeed(hostCircuit(host));
  for (const want of asking) {
    // Of an image that is pulled under two names, one may come again and again and the other never.
    if (!coverage.isPresent(node.name, want)) continue;
    coverage.clearFailures(want.id, node.name);
    circuits.succeed(imageCircuit(want.id));
  }
  return true;
}

/** A digest that is on the node already is not asked for: that its container comes up says nothing of the registry. */
function askedRegistry(node: NodeIdentity, want: Want, key: string, coverage: Coverage): boolean {
  const pulls = want.pulls.filter((pull) => pull.key === key);
  return (
    pulls.some(({ policy }) => policy === 'Always') || !coverage.isPresent(node.name, { ...want, pulls })
  );
}

/** One pod is one attempt, however often it is looked at: the time it was made identifies it. */
async function addFailures(
  node: NodeIdentity,
  pod: PullPod,
  { key, failure }: FailedPull,
  context: HarvestContext,
): Promise<void> {
  const { coverage, wants } = context;
  const lastAttempt = Date.parse(pod.metadata.creationTimestamp ?? '');
  for (const want of wants.filter((candidate) => asksFor(candidate, key) && isAskedBy(candidate, pod))) {
    const before = coverage.failure(node.name, want.id);
    // A later pod may have brought it while this one still rests.
    if (coverage.isPresent(node.name, want) || (before?.podAt ?? 0) >= lastAttempt) continue;
    const cause = await findCause(want, failure, context);
    addFailure(node, want, { cause, lastAttempt, attempts: (before?.attempts ?? 0) + 1 }, context);
  }
}

/** The registry's own word first; where it has none, what the kubelet's text means. */
async function findCause(
  want: Want,
  failure: PullFailure,
  { askRegistry }: HarvestContext,
): Promise<RegistryVerdict> {
  if (failure.class === 'Admission' || OWN_TROUBLE.has(failure.reason)) return failure;
  const verdict = await askRegistry(want);
  return verdict === undefined
    ? failure
    : { ...verdict, message: `${verdict.message}; the node: ${failure.message}`.slice(0, MESSAGE_LIMIT) };
}

interface Attempt {
  readonly cause: RegistryVerdict;
  readonly attempts: number;
  readonly lastAttempt: number;
}

function addFailure(
  node: NodeIdentity,
  want: Want,
  { cause, attempts, lastAttempt }: Attempt,
  context: HarvestContext,
): void {
  const { reason, message, retryAfterMs = 0 } = cause;
  // From this moment, by our own clock: the attempt may have taken long, and its time is that of the API server.
  const notBefore = context.monotonic + Math.max(backoffMs(attempts, context.random()), retryAfterMs);
  const failure = { reason, message, attempts, lastAttempt, podAt: lastAttempt, notBefore };
  context.coverage.setFailure(node, want, failure);
  context.observer.failed(reason);
  blame(node, want, cause, context);
}

/** Image and registry failures concern other nodes too; a node's own trouble and refused pods do not. */
function blame(
  node: NodeIdentity,
  want: Want,
  failure: RegistryVerdict,
  { circuits, now, monotonic }: HarvestContext,
): void {
  const { message, retryAfterMs } = failure;
  const what = { now, monotonic, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
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
