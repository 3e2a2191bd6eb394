/**
 * node-stocker: brings one node what it misses. Key: the Node's name. Harvests the pull pods that are there, lets
 * finished ones rest, and keeps at most one unfinished pull pod on the node.
 */

import type { Clock } from '../../clock.ts';
import { type Circuits, hostCircuit, imageCircuit } from '../../domain/circuits.ts';
import type { Coverage, PullState } from '../../domain/coverage.ts';
import type { NodeFacts } from '../../domain/node.ts';
import type { PullBudget } from '../../domain/pull-budget.ts';
import type { Batch } from '../../domain/stock-plan.ts';
import type { Want } from '../../domain/want.ts';
import type { Lister } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReconcileContext, Reconciler } from '../../kube/controller.ts';
import type { ObjectKey } from '../../kube/resource.ts';
import { done, minResult, type Result } from '../../kube/result.ts';
import type { NodeObject } from '../node.ts';
import { pullIdentity } from '../want.ts';
import type { Wants } from '../wants.ts';
import { createPullPod } from './create-pull-pod.ts';
import type { Expectations } from './expectations.ts';
import { harvest, type JudgedPod } from './harvest.ts';
import { claimsOf, planNode } from './plan.ts';
import { pullProgress } from './progress.ts';
import type { PullPod } from './pull-pod.ts';
import { judgePullPod } from './pull-verdict.ts';
import { deleteRested } from './rest.ts';
import { openGate, shouldOpenGate } from './warm-gate.ts';

/** Index of the pod informer: pull pods by the name of their node. */
export const PODS_BY_NODE = 'node';

/** The watch brings our own pod; this look is only for the case that it does not. */
const CACHE_LAG_MS = 5_000;

export interface NodeStockerOptions {
  readonly client: KubeClient;
  readonly nodes: Pick<Lister<NodeObject>, 'get'>;
  readonly pods: Pick<Lister<PullPod>, 'byIndex' | 'size'>;
  readonly wants: Wants;
  readonly coverage: Coverage;
  readonly circuits: Circuits;
  readonly budget: PullBudget;
  readonly expectations: Expectations;
  readonly clock: Clock;
  readonly random: () => number;
  /** False while wants are still coming in: one pod for all of them is better than one for each. */
  readonly isSettled: () => boolean;
  /** Asks for another look at nodes whose turn has come. */
  readonly wake: (node: string) => void;
  /** Finished pull pods of the cluster that keepWarm may hold back. */
  readonly maxKeptPods: number;
  /** Whether the startup taint of stocked nodes is removed. */
  readonly warmGate: boolean;
}

export function nodeStocker(options: NodeStockerOptions): Reconciler {
  return {
    reconcile: async (key, context) => {
      const stocked = await stock(options, key, context);
      return minResult(stocked, await tendGate(options, key.name, context));
    },
  };
}

async function tendGate(
  options: NodeStockerOptions,
  name: string,
  context: ReconcileContext,
): Promise<Result> {
  const node = options.nodes.get({ name });
  if (!options.warmGate || node === undefined || !options.isSettled()) return done;
  const facts = { coverage: options.coverage, wants: options.wants.list(), now: context.now };
  const { opens, lookAfterMs } = shouldOpenGate(node, facts);
  return opens ? openGate(options.client, node.facts, context) : { requeueAfterMs: lookAfterMs };
}

async function stock(
  options: NodeStockerOptions,
  key: ObjectKey,
  context: ReconcileContext,
): Promise<Result> {
  const node = options.nodes.get(key)?.facts;
  if (node === undefined) {
    leave(options, key.name);
    return done;
  }
  const pods = judgedPods(options, node);
  const wants = options.wants.list();
  harvest(node, pods, { ...options, wants, now: context.now });
  const seen = pods.map(({ pod }) => pod);
  if (!options.expectations.areMet(node.name, seen, options.clock.monotonic())) {
    return { requeueAfterMs: CACHE_LAG_MS };
  }
  const rest = await deleteRested({ ...options, wants }, pods, context);
  const unfinished = pods.filter(({ verdict }) => !verdict.finished);
  const progress = pullProgress(unfinished, wants, context.now);
  options.coverage.setPulling(node, progress.pulls);
  if (unfinished.length === 0) return minResult(rest, await pullNext(options, node, pods, context));
  // Nothing cancels a pull: the node stays taken, but a slow or mute one gives its budget to others.
  if (progress.holdsBudget)
    options.budget.take(node.name, claimsOf({ wants: wantsIn(wants, progress.pulls) }));
  else giveBudgetBack(options, node.name);
  return minResult(rest, { requeueAfterMs: progress.lookAfterMs });
}

function leave(options: NodeStockerOptions, node: string): void {
  options.expectations.forget(node);
  options.circuits.abandon(node);
  giveBudgetBack(options, node);
}

/** The pods made for this very node; those of a predecessor with the same name prove nothing and are collected. */
function judgedPods({ pods }: NodeStockerOptions, node: NodeFacts): readonly JudgedPod[] {
  return pods
    .byIndex(PODS_BY_NODE, node.name)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === node.uid) === true)
    .map((pod) => ({ pod, verdict: judgePullPod(pod) }));
}

async function pullNext(
  options: NodeStockerOptions,
  node: NodeFacts,
  pods: readonly JudgedPod[],
  context: ReconcileContext,
): Promise<Result> {
  const { coverage, circuits, budget, random, wants } = options;
  // Whatever the last pull held is free for others first; and who does not try is no canary.
  giveBudgetBack(options, node.name);
  circuits.abandon(node.name);
  const plan = planNode(node, { wants: wants.list(), coverage, circuits, budget, random, now: context.now });
  const later = { requeueAfterMs: plan.lookAfterMs };
  if (plan.batch === undefined) return later;
  // Whoever gives budget back wakes the next node in line; when the wants have settled, every node is looked at.
  if (!options.isSettled() || !budget.tryTake(node.name, plan.claims)) return later;
  return minResult(later, await pull(options, { node, pods, batch: plan.batch }, context));
}

interface Pull {
  readonly node: NodeFacts;
  readonly pods: readonly JudgedPod[];
  readonly batch: Batch;
}

async function pull(
  options: NodeStockerOptions,
  { node, pods, batch }: Pull,
  context: ReconcileContext,
): Promise<Result> {
  const image = options.wants.image(batch.wants[0]?.id ?? '');
  if (image === undefined) {
    giveBudgetBack(options, node.name);
    return done;
  }
  const result = await createPullPod(options, { node, pods, batch, identity: pullIdentity(image) }, context);
  if (result.pod === undefined) giveBudgetBack(options, node.name);
  else {
    for (const want of batch.wants) {
      options.circuits.attempt(imageCircuit(want.id), node.name);
      options.circuits.attempt(hostCircuit(want.host), node.name);
    }
    options.expectations.expect(node.name, result.pod, options.clock.monotonic());
    const state: PullState = { reason: 'Pulling', message: 'The node was asked to pull' };
    options.coverage.setPulling(node, new Map(batch.pulls.map(({ key }) => [key, state])));
  }
  return result.next;
}

function giveBudgetBack({ budget, wake }: NodeStockerOptions, node: string): void {
  budget.release(node).forEach(wake);
}

function wantsIn(wants: readonly Want[], pulls: ReadonlyMap<string, unknown>): readonly Want[] {
  return wants.filter((want) => want.pulls.some(({ key }) => pulls.has(key)));
}
