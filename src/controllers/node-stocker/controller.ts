/**
 * node-stocker: brings one node what it misses. Key: the Node's name. Harvests the pull pods that are there, lets
 * finished ones rest, and keeps at most one unfinished pull pod on the node.
 */

import type { Clock } from '../../clock.ts';
import type { Coverage } from '../../domain/coverage.ts';
import type { NodeFacts } from '../../domain/node.ts';
import type { PullSlots } from '../../domain/pull-slots.ts';
import { planBatch } from '../../domain/stock-plan.ts';
import { placement, type Want } from '../../domain/want.ts';
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
import { type PullPod, pullKeys } from './pull-pod.ts';
import { judgePullPod } from './pull-verdict.ts';
import { deleteRested } from './rest.ts';

/** Index of the pod informer: pull pods by the name of their node. */
export const PODS_BY_NODE = 'node';

/** The watch brings our own pod; this look is only for the case that it does not. */
const CACHE_LAG_MS = 5_000;

export interface NodeStockerOptions {
  readonly client: KubeClient;
  readonly nodes: Pick<Lister<NodeObject>, 'get'>;
  readonly pods: Pick<Lister<PullPod>, 'byIndex'>;
  readonly wants: Wants;
  readonly coverage: Coverage;
  readonly slots: PullSlots;
  readonly expectations: Expectations;
  readonly clock: Clock;
  readonly random: () => number;
  /** Asks for another look at nodes whose turn has come. */
  readonly wake: (node: string) => void;
}

export function nodeStocker(options: NodeStockerOptions): Reconciler {
  return { reconcile: (key, context) => stock(options, key, context) };
}

async function stock(
  options: NodeStockerOptions,
  key: ObjectKey,
  context: ReconcileContext,
): Promise<Result> {
  const node = options.nodes.get(key)?.facts;
  if (node === undefined) {
    options.expectations.forget(key.name);
    giveSlotBack(options, key.name);
    return done;
  }
  const pods = judgedPods(options, node);
  harvest(node, pods, { ...options, wants: options.wants.list(), now: context.now });
  const seen = pods.map(({ pod }) => pod);
  if (!options.expectations.areMet(node.name, seen, options.clock.monotonic())) {
    return { requeueAfterMs: CACHE_LAG_MS };
  }
  const rest = await deleteRested(options.client, pods, context);
  const unfinished = pods.filter(({ verdict }) => !verdict.finished);
  options.coverage.setPulling(node.name, node.uid, keysOf(unfinished));
  if (unfinished.length > 0) {
    options.slots.take(node.name);
    return rest;
  }
  return minResult(rest, await pullNext(options, node, pods, context));
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
  const missing = missingOn(options, node);
  const due = missing.filter((want) => waitOf(options, node, want) <= context.now);
  const batch = planBatch(due);
  const image = batch && options.wants.image(batch.wants[0]?.id ?? '');
  if (batch === undefined || image === undefined) {
    giveSlotBack(options, node.name);
    return soonest(missing.map((want) => waitOf(options, node, want) - context.now));
  }
  // Whoever gives a slot back wakes the next node in line.
  if (!options.slots.tryTake(node.name)) return done;
  const result = await createPullPod(options, { node, pods, batch, identity: pullIdentity(image) }, context);
  if (result.pod === undefined) giveSlotBack(options, node.name);
  else {
    options.expectations.expect(node.name, result.pod, options.clock.monotonic());
    options.coverage.setPulling(node.name, node.uid, new Set(batch.pulls.map((pull) => pull.key)));
  }
  return result.next;
}

function missingOn({ wants, coverage }: NodeStockerOptions, node: NodeFacts): readonly Want[] {
  return wants
    .list()
    .filter((want) => !coverage.isPresent(node.name, want) && placement(node, want).eligible);
}

/** When the pair may be tried again; milliseconds since the epoch. */
function waitOf({ coverage }: NodeStockerOptions, node: NodeFacts, want: Want): number {
  return coverage.failure(node.name, want.id)?.notBefore ?? 0;
}

function soonest(delays: readonly number[]): Result {
  return minResult(...delays.map((requeueAfterMs) => ({ requeueAfterMs })));
}

function giveSlotBack({ slots, wake }: NodeStockerOptions, node: string): void {
  slots.release(node).forEach(wake);
}

function keysOf(pods: readonly JudgedPod[]): ReadonlySet<string> {
  return new Set(pods.flatMap(({ pod }) => [...pullKeys(pod).values()]));
}
