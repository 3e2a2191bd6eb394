/** What a node pulls next: planned, given its turn, and asked of the kubelet by one pod. */

import type { Clock } from '../../clock.ts';
import type { Circuits } from '../../domain/circuits.ts';
import type { PullState } from '../../domain/coverage.ts';
import type { NodeFacts } from '../../domain/node.ts';
import type { PullBudget } from '../../domain/pull-budget.ts';
import type { Batch } from '../../domain/stock-plan.ts';
import type { Lister } from '../../kube/cache.ts';
import type { ReconcileContext } from '../../kube/controller.ts';
import { minResult, type Result } from '../../kube/result.ts';
import { type PullIdentity, pullIdentity } from '../want.ts';
import type { Wants } from '../wants.ts';
import { type CreateOptions, createPullPod } from './create-pull-pod.ts';
import type { Expectations } from './expectations.ts';
import type { JudgedPod } from './judged-pod.ts';
import { type KeptPulls, planNode } from './plan.ts';
import type { PullPod } from './pull-pod.ts';
import type { Turns } from './turns.ts';

export interface StartOptions extends CreateOptions {
  readonly circuits: Circuits;
  readonly budget: PullBudget;
  readonly wants: Wants;
  /** All pull pods of the cluster. */
  readonly pods: Pick<Lister<PullPod>, 'size'>;
  readonly maxKeptPods: number;
  readonly turns: Turns;
  readonly expectations: Expectations;
  readonly clock: Clock;
  /** False while wants are still coming in: one pod for all of them is better than one for each. */
  readonly isSettled: () => boolean;
}

/** A node on which nothing is being pulled. */
export interface IdleNode {
  readonly node: NodeFacts;
  readonly isNewcomer: boolean;
  /** They have all finished. */
  readonly pods: readonly JudgedPod[];
}

/** Makes the next pull pod, if there is something to pull and it is the node's turn. @throws ApiError as `createPullPod` */
export async function startPull(
  options: StartOptions,
  { node, isNewcomer, pods }: IdleNode,
  context: ReconcileContext,
): Promise<Result> {
  const { wants, coverage, circuits, budget, random, clock, turns } = options;
  const { batch, lookAfterMs } = planNode(node, {
    wants: wants.list(),
    coverage,
    circuits,
    budget,
    random,
    kept: keptPulls(options, pods),
    now: context.now,
    monotonic: clock.monotonic(),
  });
  const later = { requeueAfterMs: lookAfterMs };
  const image = wants.image(batch?.wants[0]?.id ?? '');
  // When the wants have settled, every node is looked at.
  if (batch === undefined || image === undefined || !options.isSettled()) {
    turns.giveUp(node.name);
    return later;
  }
  if (!turns.take({ name: node.name, isNewcomer }, batch.wants)) return later;
  const pull = { node, pods, batch, identity: pullIdentity(image) };
  return minResult(later, await startBatch(options, pull, context));
}

/** What the pods that stay on the node keep warm. */
function keptPulls({ pods: { size }, maxKeptPods }: StartOptions, pods: readonly JudgedPod[]): KeptPulls {
  const staying = pods.filter(({ pod }) => pod.metadata.deletionTimestamp === undefined);
  return {
    keys: new Set(staying.flatMap(({ verdict }) => verdict.present)),
    hasRoom: size < maxKeptPods,
  };
}

interface Pull {
  readonly node: NodeFacts;
  readonly pods: readonly JudgedPod[];
  readonly batch: Batch;
  readonly identity: PullIdentity;
}

const ASKED: PullState = { reason: 'Pulling', message: 'The node was asked to pull' };

/** It is the node's turn. Without a pod of its own it gives that up. */
async function startBatch(options: StartOptions, pull: Pull, context: ReconcileContext): Promise<Result> {
  const { turns, expectations, coverage, clock } = options;
  const { node, batch } = pull;
  const outcome = await createPullPod(options, pull, context).catch((error: unknown) => {
    turns.giveUp(node.name);
    throw error;
  });
  const { pod, isNew, hasMoreRoom, triesAgain, next } = outcome;
  if (pod === undefined) {
    if (triesAgain === true) turns.holdQuota(node.name, batch.wants);
    else turns.giveUp(node.name);
    return next;
  }
  if (hasMoreRoom === true) turns.wakeNext();
  expectations.expect(node, pod, clock.monotonic());
  if (isNew === true) coverage.setPulling(node, new Map(batch.pulls.map(({ key }) => [key, ASKED])));
  return next;
}
