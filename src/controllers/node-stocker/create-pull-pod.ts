/** The one write that starts a pull, and what it means when the API server says no. */

import type { Coverage } from '../../domain/coverage.ts';
import type { NodeFacts, Toleration } from '../../domain/node.ts';
import { type Batch, backoffMs } from '../../domain/stock-plan.ts';
import { ApiError, isAlreadyExists } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReconcileContext } from '../../kube/controller.ts';
import type { ObjectKey } from '../../kube/resource.ts';
import type { Result } from '../../kube/result.ts';
import type { PullIdentity } from '../want.ts';
import type { JudgedPod } from './harvest.ts';
import { buildPullPod, podType, pullPodName, pullPodNumber } from './pull-pod.ts';

/** The watch brings the pod; should it not, because somebody else has one of that name, the slot must not stay taken. */
const LOOK_FOR_IT: Result = { requeueAfterMs: 31_000 };
const MESSAGE_LIMIT = 256;

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
  readonly random: () => number;
}

/** The pod that is there now, made by us or found; undefined if it was refused. */
export interface CreateOutcome {
  readonly pod?: ObjectKey;
  readonly next: Result;
}

/**
 * Creates the pull pod. A refusal (quota, admission, missing service account) concerns these pairs only: it is
 * recorded as their failure. @throws ApiError for everything that is not about the pod itself
 */
export async function createPullPod(
  options: CreateOptions,
  { node, pods, batch, identity }: PullPodPlan,
  context: ReconcileContext,
): Promise<CreateOutcome> {
  const n = Math.max(0, ...pods.map(({ pod }) => pullPodNumber(node, pod))) + 1;
  const tolerations = joinTolerations(batch);
  const manifest = buildPullPod(node, n, batch, { ...identity, tolerations });
  const pod = { namespace: batch.namespace, name: pullPodName(node, n) };
  try {
    await options.client.create(podType, manifest, { signal: context.signal });
    context.log.info('pull pod created', { node: node.name, pod: pod.name, images: batch.pulls.length });
    return { pod, next: LOOK_FOR_IT };
  } catch (error) {
    if (isAlreadyExists(error)) return { pod, next: LOOK_FOR_IT };
    if (!isRefusal(error)) throw error;
    return { next: refuse(options, node, batch, { message: error.message, now: context.now }) };
  }
}

/** The server understood and will not have it: a retry of the same pod would be refused again. */
function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.status === 403 || error.status === 422 || error.status === 400);
}

function refuse(
  { coverage, random }: CreateOptions,
  node: NodeFacts,
  batch: Batch,
  refusal: { readonly message: string; readonly now: number },
): Result {
  const waits = batch.wants.map((want) => {
    const attempts = (coverage.failure(node.name, want.id)?.attempts ?? 0) + 1;
    const wait = backoffMs(attempts, random());
    coverage.setFailure(node, want, {
      reason: 'PodRefused',
      message: refusal.message.slice(0, MESSAGE_LIMIT),
      attempts,
      lastAttempt: refusal.now,
      notBefore: refusal.now + wait,
    });
    return wait;
  });
  return { requeueAfterMs: Math.min(...waits) };
}

/** Each toleration of the batch's images once. */
function joinTolerations({ wants }: Batch): readonly Toleration[] {
  const all = wants.flatMap(({ scope }) => scope.tolerations ?? []);
  return [...new Map(all.map((toleration) => [JSON.stringify(toleration), toleration])).values()];
}
