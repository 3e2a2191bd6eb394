/**
 * node-stocker: brings one node what it misses. Key: the Node's name. Harvests the pull pods that are there, lets
 * finished ones rest, and keeps at most one unfinished pull pod on the node.
 */

import type { Clock } from '../../clock.ts';
import { type Circuits, hostCircuit, imageCircuit } from '../../domain/circuits.ts';
import type { Coverage, PullState } from '../../domain/coverage.ts';
import type { Moment } from '../../domain/moment.ts';
import type { NodeFacts } from '../../domain/node.ts';
import { NEW_FOR_MS, type PullBudget } from '../../domain/pull-budget.ts';
import type { PullObserver } from '../../domain/pull-observation.ts';
import type { QuotaLimits } from '../../domain/quota-limits.ts';
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
import { claimsOf, noteEvictions, planNode } from './plan.ts';
import { PodAges } from './pod-ages.ts';
import { pullProgress } from './progress.ts';
import type { PullPod } from './pull-pod.ts';
import { judgePullPod } from './pull-verdict.ts';
import type { PulledEvents } from './pulled-events.ts';
import type { RegistryVerdict } from './registry-check.ts';
import { deleteRested, type RestOptions } from './rest.ts';
import { noteVanished } from './vanished.ts';
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
  readonly quotas: QuotaLimits;
  readonly expectations: Expectations;
  readonly clock: Clock;
  readonly random: () => number;
  /** False while wants are still coming in: one pod for all of them is better than one for each. */
  readonly isSettled: () => boolean;
  /** Whether images are known to be coming that no node has heard of yet. */
  readonly isPending: () => boolean;
  /** What the registry says itself of an image that could not be pulled. */
  readonly askRegistry: (want: Want) => Promise<RegistryVerdict | undefined>;
  readonly observer: PullObserver;
  readonly events: Pick<PulledEvents, 'finished'>;
  /** Asks for another look at nodes whose turn has come. */
  readonly wake: (node: string) => void;
  /** Finished pull pods of the cluster that keepWarm may hold back. */
  readonly maxKeptPods: number;
  /** Whether the startup taint of stocked nodes is removed. */
  readonly warmGate: boolean;
}

/** With what only the passes themselves know. */
type Stocking = NodeStockerOptions & Pick<RestOptions, 'leaving'> & { readonly ages: PodAges };

export function nodeStocker(given: NodeStockerOptions): Reconciler {
  const options: Stocking = { ...given, leaving: new WeakSet(), ages: new PodAges() };
  return {
    reconcile: async (key, context) => {
      const stocked = await stock(options, key, context).catch(async (error: unknown) => {
        // It comes back with growing pauses; who is behind it in line need not wait for it.
        options.budget.stopWaiting(key.name);
        wakeEntitled(options);
        // Nor the work of other people, beyond the time that the gate has.
        await tendGate(options, key.name, context);
        throw error;
      });
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
  const { coverage, wants, isPending } = options;
  const facts = { coverage, wants: wants.list(), isPending: isPending(), now: context.now };
  const { opens, lookAfterMs } = shouldOpenGate(node, facts);
  return opens ? openGate(options.client, node.facts, context) : { requeueAfterMs: lookAfterMs };
}

async function stock(options: Stocking, key: ObjectKey, context: ReconcileContext): Promise<Result> {
  const object = options.nodes.get(key);
  if (object === undefined) {
    leave(options, key.name);
    return done;
  }
  const node = object.facts;
  const isNewcomer = isNew(object, context.now);
  const wants = options.wants.list();
  const monotonic = options.clock.monotonic();
  const pods = judgedPods(options, node, { now: context.now, monotonic });
  await harvest(node, pods, { ...options, wants, now: context.now, monotonic });
  options.coverage.forgetUnwanted(node.name, wants, monotonic);
  const seen = pods.map(({ pod }) => pod);
  if (!options.expectations.areMet(node, seen, options.clock.monotonic())) {
    return { requeueAfterMs: CACHE_LAG_MS };
  }
  noteVanished(node, pods, { ...options, wants, now: context.now, monotonic });
  const unfinished = pods.filter(({ verdict }) => !verdict.finished);
  // Whatever the last pull held is free for others first.
  if (unfinished.length === 0) options.budget.giveBack(node.name);
  const rest = await deleteRested({ ...options, wants }, pods, context);
  const progress = pullProgress(unfinished, wants, options.clock.monotonic());
  options.coverage.setPulling(node, progress.pulls);
  if (unfinished.length === 0)
    return minResult(rest, await pullNext(options, { node, isNewcomer, pods }, context));
  // Nothing cancels a pull: the node stays taken, but a slow or mute one gives its budget to others.
  const pulling = { wants: wantsIn(wants, progress.pulls) };
  if (progress.holdsBudget) options.budget.take(node.name, claimsOf(pulling, { ...options, isNewcomer }));
  else {
    // Nor do others wait for its word on an image or a registry.
    options.circuits.abandon(node.name);
    leaveBudget(options, node.name);
  }
  const lookAfterMs = noteEvictions(node, { ...options, wants, now: context.now, monotonic });
  return minResult(rest, { requeueAfterMs: progress.lookAfterMs }, { requeueAfterMs: lookAfterMs });
}

function leave(options: Stocking, node: string): void {
  options.ages.forget(node);
  // Once more: a pass that was under way when the node went may have noted something of it.
  options.coverage.removeNode(node);
  options.expectations.forget(node);
  options.circuits.abandon(node);
  leaveBudget(options, node);
}

/** Whether the node joined the cluster a moment ago. */
function isNew({ metadata }: NodeObject, now: number): boolean {
  return now - Date.parse(metadata.creationTimestamp ?? '') < NEW_FOR_MS;
}

/** The pods made for this very node; those of a predecessor with the same name prove nothing and are collected. */
function judgedPods({ pods, ages }: Stocking, node: NodeFacts, moment: Moment): readonly JudgedPod[] {
  const judged = pods
    .byIndex(PODS_BY_NODE, node.name)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === node.uid) === true)
    .map((pod) => ({ pod, verdict: judgePullPod(pod) }));
  return ages.observe(node.name, judged, moment);
}

interface Subject {
  readonly node: NodeFacts;
  readonly isNewcomer: boolean;
  readonly pods: readonly JudgedPod[];
}

async function pullNext(
  options: NodeStockerOptions,
  { node, isNewcomer, pods }: Subject,
  context: ReconcileContext,
): Promise<Result> {
  const { coverage, circuits, budget, random, clock } = options;
  // Who does not try is no canary.
  circuits.abandon(node.name);
  const time = { now: context.now, monotonic: clock.monotonic() };
  const kept = {
    keys: new Set(pods.filter(isStaying).flatMap(({ verdict }) => verdict.present)),
    hasRoom: options.pods.size < options.maxKeptPods,
  };
  const facts = {
    wants: options.wants.list(),
    coverage,
    circuits,
    budget,
    random,
    isNewcomer,
    kept,
    ...time,
  };
  const plan = planNode(node, facts);
  const later = { requeueAfterMs: plan.lookAfterMs };
  // When the wants have settled, every node is looked at.
  if (plan.batch === undefined || !options.isSettled()) {
    leaveBudget(options, node.name);
    return later;
  }
  const isTaken = budget.tryTake(node.name, plan.claims);
  wakeEntitled(options);
  if (!isTaken) return later;
  return minResult(later, await pull(options, { node, pods, batch: plan.batch }, context));
}

function isStaying({ pod }: JudgedPod): boolean {
  return pod.metadata.deletionTimestamp === undefined;
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
    leaveBudget(options, node.name);
    return done;
  }
  // Before anything is awaited: another node that is looked at meanwhile must not try as well.
  for (const { id, host } of batch.wants) {
    options.circuits.attempt(imageCircuit(id), node.name);
    options.circuits.attempt(hostCircuit(host), node.name);
  }
  const plan = { node, pods, batch, identity: pullIdentity(image) };
  const result = await createPullPod(options, plan, context).catch((error: unknown) => {
    // This node comes back with growing pauses; others need not wait for it.
    options.circuits.abandon(node.name);
    leaveBudget(options, node.name);
    throw error;
  });
  if (result.pod === undefined) {
    options.circuits.abandon(node.name);
    leaveBudget(options, node.name);
    return result.next;
  }
  options.expectations.expect(node, result.pod, options.clock.monotonic());
  const state: PullState = { reason: 'Pulling', message: 'The node was asked to pull' };
  if (result.isNew === true)
    options.coverage.setPulling(node, new Map(batch.pulls.map(({ key }) => [key, state])));
  return result.next;
}

function leaveBudget(options: NodeStockerOptions, node: string): void {
  options.budget.leave(node);
  wakeEntitled(options);
}

/** Also when nothing was given back: a node may have been woken for room that it does not need. */
function wakeEntitled({ budget, wake }: NodeStockerOptions): void {
  budget.entitled().forEach(wake);
}

function wantsIn(wants: readonly Want[], pulls: ReadonlyMap<string, unknown>): readonly Want[] {
  return wants.filter((want) => want.pulls.some(({ key }) => pulls.has(key)));
}
