/** What the pull pods of one node have brought: receipts and failures go into the coverage index and the circuits. */

import { type Circuits, hostCircuit, imageCircuit } from '../../domain/circuits.ts';
import type { Coverage, NodeIdentity } from '../../domain/coverage.ts';
import type { Moment } from '../../domain/moment.ts';
import type { PullObserver } from '../../domain/pull-observation.ts';
import { backoffMs } from '../../domain/stock-plan.ts';
import type { Want } from '../../domain/want.ts';
import type { JudgedPod } from './judged-pod.ts';
import type { PullFailure } from './pull-failure.ts';
import { IDENTITY_ANNOTATION, identityHash, type PullPod, pullPodNumber } from './pull-pod.ts';
import type { FailedPull } from './pull-verdict.ts';
import type { PulledEvents } from './pulled-events.ts';
import type { RegistryVerdict } from './registry-check.ts';

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
  // What one pod has brought tells what the failure of another one means.
  for (const judged of pods) addReceipts(node, judged, context);
  for (const judged of pods) {
    const attempts = attemptsOf(judged, context.wants);
    await Promise.all(attempts.map((attempt) => addFailure(node, attempt, pods, context)));
  }
}

function addReceipts(node: NodeIdentity, { pod, verdict }: JudgedPod, context: HarvestContext): void {
  const failed = new Set(verdict.failed.map(({ key }) => key));
  const news = verdict.present.filter((key) => addReceipt(node, pod, { key, failed }, context));
  if (news.length > 0 && verdict.finishedAt !== undefined) context.events.finished(pod, verdict.finishedAt);
}

/** Returns false if it was known. */
function addReceipt(
  node: NodeIdentity,
  pod: PullPod,
  { key, failed }: { readonly key: string; readonly failed: ReadonlySet<string> },
  context: HarvestContext,
): boolean {
  const { coverage, circuits, wants, monotonic } = context;
  if (coverage.isKnown(node.name, { key, proof: proofOf(pod) })) return false;
  const asking = wants.filter((candidate) => asksFor(candidate, key));
  const reached = asking.filter((want) => askedRegistry(node, want, key, coverage));
  if (!coverage.addReceipt(node, { key, proof: proofOf(pod) }, monotonic)) return false;
  for (const { host } of reached) circuits.succeed(hostCircuit(host));
  for (const want of asking) {
    // Of an image that is pulled under two names, one may come again and again and the other never.
    if (!coverage.isPresent(node.name, want) || want.pulls.some((pull) => failed.has(pull.key))) continue;
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

function proofOf({ metadata }: PullPod): string {
  return metadata.uid ?? metadata.name;
}

/** What one pod tried for one image, in vain. */
interface Attempt {
  readonly pod: PullPod;
  readonly want: Want;
  /** The pulls of it that did not come; the first one says why. */
  readonly failed: readonly [FailedPull, ...FailedPull[]];
}

function attemptsOf({ pod, verdict }: JudgedPod, wants: readonly Want[]): readonly Attempt[] {
  if (verdict.failed.length === 0) return [];
  return wants.flatMap((want) => {
    const [first, ...others] = verdict.failed.filter(({ key }) => asksFor(want, key));
    return first === undefined || !isAskedBy(want, pod) ? [] : [{ pod, want, failed: [first, ...others] }];
  });
}

/** One pod is one attempt, however often it is looked at. */
async function addFailure(
  node: NodeIdentity,
  attempt: Attempt,
  pods: readonly JudgedPod[],
  context: HarvestContext,
): Promise<void> {
  const { coverage } = context;
  const { pod, want, failed } = attempt;
  if (coverage.isJudged(node.name, want.id, [proofOf(pod), String(madeAt(pod))])) return;
  if (!pods.some((other) => hasOvertaken(node, other, attempt))) {
    // What is there, by the word of the node, and could not be pulled all the same, is the trouble of this pair alone.
    if (coverage.isListed(node.name, want)) recordFailure(node, attempt, failed[0].failure, context);
    else await blame(node, attempt, context);
  }
  coverage.setJudged(node, want.id, proofOf(pod));
}

/** Finds out who is to blame: the pair waits, and others may have to. */
async function blame(node: NodeIdentity, attempt: Attempt, context: HarvestContext): Promise<void> {
  const { want, failed } = attempt;
  const cause = await findCause(want, failed[0].failure, context);
  for (const pull of failed) if (wouldHaveCome(want, pull)) context.coverage.disprove(node, pull.key);
  recordFailure(node, attempt, cause, context);
  context.observer.failed(cause.reason);
  countAgainst(node, want, cause, context);
}

/** A later pod has brought it while this one still rests. */
function hasOvertaken(node: NodeIdentity, other: JudgedPod, { pod, failed }: Attempt): boolean {
  if (pullPodNumber(node, other.pod) <= pullPodNumber(node, pod)) return false;
  return failed.every(({ key }) => other.verdict.present.includes(key));
}

/** Reasons with which a container does not come up although its image may be on the node. */
const SAY_NOTHING: ReadonlySet<string> = new Set(['PodRefused', 'RuntimeFailed', 'PullUnauthorized']);

/** Had the image been there, nothing would have been asked of the registry: it has gone since it was proven. */
function wouldHaveCome({ pulls }: Want, { key, failure }: FailedPull): boolean {
  const isByDigest = pulls.some((pull) => pull.key === key && pull.policy === 'IfNotPresent');
  return isByDigest && !SAY_NOTHING.has(failure.reason);
}

/** When the pod was made, by the clock of the API server; milliseconds since the epoch. */
function madeAt({ metadata }: PullPod): number {
  return Date.parse(metadata.creationTimestamp ?? '');
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

function recordFailure(
  node: NodeIdentity,
  { pod, want }: Attempt,
  cause: RegistryVerdict,
  context: HarvestContext,
): void {
  const { coverage, monotonic, random } = context;
  const { reason, message, retryAfterMs = 0 } = cause;
  const attempts = (coverage.failure(node.name, want.id)?.attempts ?? 0) + 1;
  // From this moment, by our own clock: the attempt may have taken long, and its time is that of the API server.
  const notBefore = monotonic + Math.max(backoffMs(attempts, random()), retryAfterMs);
  coverage.setFailure(node, want, { reason, message, attempts, lastAttempt: madeAt(pod), notBefore });
}

/** Image and registry failures concern other nodes too; a node's own trouble and refused pods do not. */
function countAgainst(
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
    identityHash(identity) === pod.metadata.annotations?.[IDENTITY_ANNOTATION]
  );
}

function asksFor(want: Want, key: string): boolean {
  return want.pulls.some((pull) => pull.key === key);
}
