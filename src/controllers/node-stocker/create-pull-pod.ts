/** The one write that starts a pull, and what it means when the API server says no. */

import type { Clock } from '../../clock.ts';
import type { Coverage } from '../../domain/coverage.ts';
import type { Moment } from '../../domain/moment.ts';
import type { NodeFacts, Toleration } from '../../domain/node.ts';
import type { PullBudget } from '../../domain/pull-budget.ts';
import { namespaceClaim } from '../../domain/pull-claim.ts';
import type { PullObserver } from '../../domain/pull-observation.ts';
import type { QuotaLimits } from '../../domain/quota-limits.ts';
import { type Batch, backoffMs } from '../../domain/stock-plan.ts';
import { type ApiError, isAlreadyExists, isConflict, isNotFound } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReconcileContext } from '../../kube/controller.ts';
import type { ObjectKey } from '../../kube/resource.ts';
import type { Result } from '../../kube/result.ts';
import { formatFieldSelector } from '../../kube/selectors.ts';
import type { PullIdentity } from '../want.ts';
import { changedImage, isQuotaExceeded, isRefusal, refusalMessage } from './admission.ts';
import type { JudgedPod } from './judged-pod.ts';
import { PULL_POD_SELECTOR, type PullPod, podType, pullPodName, pullPodNumber } from './pull-pod.ts';
import { buildPullPod } from './pull-pod-manifest.ts';

/** The watch brings the pod; should it not, the slot must not stay taken. */
const LOOK_FOR_IT: Result = { requeueAfterMs: 31_000 };
/** What was refused says nothing of other namespaces: the rest that the node lacks is next. */
const NEXT_BATCH: Result = { requeueAfterMs: 1 };
/** A quota still counts a pod for a moment after its end: asked again at once it would refuse again, and so on. */
const FOR_QUOTA: Result = { requeueAfterMs: 2_000 };
/** Of a quota that other people's pods, or finished ones of ours, take up: each node tries every eight minutes at least. */
const MAX_QUOTA_PAUSES = 5;
/** Whoever may write pods may take a name; who takes them all keeps out nothing but the images of that namespace. */
const NAMES_TRIED = 8;

export interface PullPodPlan {
  readonly node: NodeFacts;
  /** Pull pods that are on the node already; the new one is numbered after them. */
  readonly pods: readonly JudgedPod[];
  readonly batch: Batch;
  readonly identity: PullIdentity;
}

export interface CreateOptions {
  readonly client: KubeClient;
  readonly coverage: Coverage;
  readonly budget: Pick<PullBudget, 'taken'>;
  readonly quotas: QuotaLimits;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: PullObserver;
}

/** The pod that is there now, made by us or found; undefined if it was refused. */
export interface CreateOutcome {
  readonly pod?: ObjectKey;
  /** It pulls the batch; one that was found may pull something else. */
  readonly isNew?: boolean;
  /** The quota may let one more through than was known. */
  readonly hasMoreRoom?: boolean;
  /** Without a pod: the node tries again for all of its namespace, and none of the others in between. */
  readonly triesAgain?: boolean;
  readonly next: Result;
}

/**
 * Creates the pull pod. A refusal (quota, admission, missing service account), and a pod that admission made another
 * one of, concern these pairs only: they are recorded as their failure. So do names that somebody else has taken.
 * @throws ApiError for everything that is not about the pod itself
 */
export async function createPullPod(
  options: CreateOptions,
  plan: PullPodPlan,
  context: ReconcileContext,
): Promise<CreateOutcome> {
  const { node, pods, batch } = plan;
  const first = Math.max(0, ...pods.map(({ pod }) => pullPodNumber(node, pod))) + 1;
  for (let n = first; n < first + NAMES_TRIED; n += 1) {
    const outcome = await createNumbered(options, plan, n, context);
    if (outcome !== undefined) return outcome;
  }
  const message =
    `pod ${batch.namespace}/${pullPodName(node, first)} has a name of ours and is not of this operator, ` +
    `as are the next ${NAMES_TRIED - 1}; delete them`;
  return { next: refuse(options, node, batch, { message, ...momentOf(options, context) }) };
}

/** Undefined if somebody else has the name. */
async function createNumbered(
  options: CreateOptions,
  { node, batch, identity }: PullPodPlan,
  n: number,
  context: ReconcileContext,
): Promise<CreateOutcome | undefined> {
  const manifest = buildPullPod(node, n, batch, { ...identity, tolerations: joinTolerations(batch) });
  const pod = { namespace: batch.namespace, name: pullPodName(node, n) };
  try {
    const created = await options.client.create(podType, manifest, { signal: context.signal });
    const changed = changedImage(manifest.spec, created.spec);
    if (changed !== undefined) {
      await withdraw(options, created, context);
      return { next: refuse(options, node, batch, { message: changed, ...momentOf(options, context) }) };
    }
    const { budget, quotas, clock } = options;
    const holders = budget.taken(namespaceClaim(pod.namespace));
    const hasMoreRoom = quotas.noteAdmitted(pod.namespace, holders, clock.monotonic());
    context.log.info('pull pod created', { node: node.name, pod: pod.name, images: batch.pulls.length });
    return { pod, isNew: true, hasMoreRoom, next: LOOK_FOR_IT };
  } catch (error) {
    if (isAlreadyExists(error)) return adopt(options, node, pod, context);
    if (!isRefusal(error)) throw error;
    const waiting = waitForQuota(options, batch, error);
    if (waiting !== undefined) return waiting;
    const message = refusalMessage(error.message);
    const mayPass = isQuotaExceeded(error);
    return { next: refuse(options, node, batch, { message, mayPass, ...momentOf(options, context) }) };
  }
}

/**
 * Undefined if there will be no room for the pod when others of ours have ended. Its own node is counted already. Where no
 * other pulls, whose end would tell, it alone tries again: all that wait would be refused one after the other.
 */
function waitForQuota(
  { budget, quotas, clock }: CreateOptions,
  { namespace }: Batch,
  error: ApiError,
): CreateOutcome | undefined {
  if (!isQuotaExceeded(error)) return undefined;
  const others = budget.taken(namespaceClaim(namespace)) - 1;
  if (!quotas.noteRefused(namespace, others, clock.monotonic())) return undefined;
  return { next: FOR_QUOTA, triesAgain: others === 0 };
}

/** Our own pod that the watch has not shown yet; undefined for one that is not made for this node, or has gone. */
async function adopt(
  { client }: CreateOptions,
  node: NodeFacts,
  pod: ObjectKey,
  { log, signal }: ReconcileContext,
): Promise<CreateOutcome | undefined> {
  const { namespace, name } = pod;
  // A list of one: the operator has no right to get pods.
  const fieldSelector = formatFieldSelector({ 'metadata.name': name });
  const selection = { namespace, fieldSelector, labelSelector: PULL_POD_SELECTOR, limit: 1 };
  const { items } = await client.listPage(podType, { ...selection, signal });
  if (items.some((found) => isMadeFor(node, found))) return { pod, next: LOOK_FOR_IT };
  log.warn('somebody else has the name of a pull pod; taking the next', {
    node: node.name,
    namespace,
    pod: name,
  });
  return undefined;
}

function isMadeFor(node: NodeFacts, { metadata, spec }: PullPod): boolean {
  return (
    spec.nodeName === node.name && metadata.ownerReferences?.some(({ uid }) => uid === node.uid) === true
  );
}

async function withdraw(
  { client }: CreateOptions,
  { metadata }: PullPod,
  { signal }: ReconcileContext,
): Promise<void> {
  try {
    await client.delete(podType, metadata, { preconditions: { uid: metadata.uid }, signal });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

function momentOf({ clock }: CreateOptions, { now }: ReconcileContext): Moment {
  return { now, monotonic: clock.monotonic() };
}

interface Refusal extends Moment {
  readonly message: string;
  /** Without anybody's doing. */
  readonly mayPass?: boolean;
}

function refuse(
  { coverage, random, observer }: CreateOptions,
  node: NodeFacts,
  batch: Batch,
  refusal: Refusal,
): Result {
  observer.failed('PodRefused');
  for (const want of batch.wants) {
    const attempts = (coverage.failure(node.name, want.id)?.attempts ?? 0) + 1;
    const pauses = refusal.mayPass === true ? Math.min(attempts, MAX_QUOTA_PAUSES) : attempts;
    coverage.setFailure(node, want, {
      reason: 'PodRefused',
      message: refusal.message,
      attempts,
      lastAttempt: refusal.now,
      notBefore: refusal.monotonic + backoffMs(pauses, random()),
    });
  }
  return NEXT_BATCH;
}

/** Each toleration of the batch's images once. */
function joinTolerations({ wants }: Batch): readonly Toleration[] {
  const all = wants.flatMap(({ scope }) => scope.tolerations ?? []);
  return [...new Map(all.map((toleration) => [JSON.stringify(toleration), toleration])).values()];
}
