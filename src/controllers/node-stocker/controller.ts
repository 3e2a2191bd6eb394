/**
 * node-stocker: brings one node what it misses. Key: the Node's name. Harvests the pull pods that are there, lets
 * finished ones rest, and keeps at most one unfinished pull pod on the node.
 */

import type { Clock } from '../../clock.ts';
import type { Circuits } from '../../domain/circuits.ts';
import { type Coverage, NOT_PULLING } from '../../domain/coverage.ts';
import type { Moment } from '../../domain/moment.ts';
import type { NodeFacts } from '../../domain/node.ts';
import type { PullBudget } from '../../domain/pull-budget.ts';
import { NEW_FOR_MS } from '../../domain/pull-claim.ts';
import type { PullObserver } from '../../domain/pull-observation.ts';
import type { QuotaLimits } from '../../domain/quota-limits.ts';
import type { Want } from '../../domain/want.ts';
import type { Lister } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReconcileContext, Reconciler } from '../../kube/controller.ts';
import { done, minResult, type Result } from '../../kube/result.ts';
import type { NodeObject } from '../node.ts';
import type { Wants } from '../wants.ts';
import { noteEvictions } from './evictions.ts';
import type { Expectations } from './expectations.ts';
import { harvest } from './harvest.ts';
import { type JudgedPod, judgedPods } from './judged-pod.ts';
import { PodAges } from './pod-ages.ts';
import { pullProgress } from './progress.ts';
import type { PullPod } from './pull-pod.ts';
import type { PulledEvents } from './pulled-events.ts';
import type { RegistryVerdict } from './registry-check.ts';
import { deleteRested, type RestOptions } from './rest.ts';
import { startPull } from './start-pull.ts';
import { Turns } from './turns.ts';
import { noteVanished } from './vanished.ts';
import { tendGate } from './warm-gate.ts';

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
interface Stocking extends NodeStockerOptions, Pick<RestOptions, 'leaving'> {
  readonly ages: PodAges;
  readonly turns: Turns;
}

export function nodeStocker(options: NodeStockerOptions): Reconciler {
  const stocking = {
    ...options,
    leaving: new WeakSet<PullPod>(),
    opened: new WeakSet<NodeObject>(),
    ages: new PodAges(),
    turns: new Turns(options),
  };
  return {
    reconcile: async ({ name }, context) => {
      const stocked = await stock(stocking, name, context).catch(async (error: unknown) => {
        // It comes back with growing pauses.
        stocking.turns.stepAside(name);
        // The gate does not wait for it, and opens for other people's work when its time is over.
        await tendGate(stocking, name, context);
        throw error;
      });
      return minResult(stocked, await tendGate(stocking, name, context));
    },
  };
}

async function stock(stocking: Stocking, name: string, context: ReconcileContext): Promise<Result> {
  const object = stocking.nodes.get({ name });
  if (object === undefined) {
    forget(stocking, name);
    return done;
  }
  const pass = beginPass(stocking, object, context);
  const { node, coverage, expectations, clock, turns } = pass;
  const pods = judgedPods(stocking, node, pass);
  await harvest(node, pods, pass);
  coverage.forgetUnwanted(name, pass.wants, pass.monotonic);
  const seen = pods.map(({ pod }) => pod);
  if (!expectations.areMet(node, seen, clock.monotonic())) return { requeueAfterMs: CACHE_LAG_MS };
  noteVanished(node, pods, pass);
  const unfinished = pods.filter(({ verdict }) => !verdict.finished);
  noteEnds(pass, pods);
  // Whatever the last pull held is free for others first.
  if (unfinished.length === 0) turns.end(name);
  const rest = await deleteRested(pass, pods, context);
  if (unfinished.length > 0) return minResult(rest, followPull(pass, unfinished));
  coverage.setPulling(node, NOT_PULLING);
  return minResult(rest, await startPull(stocking, { node, isNewcomer: pass.isNewcomer, pods }, context));
}

/** A quota counts them for a moment yet. */
function noteEnds({ quotas }: Pass, pods: readonly JudgedPod[]): void {
  for (const { pod, moments } of pods)
    if (moments.ended !== undefined) quotas.noteEnded(pod.metadata.namespace ?? '', moments.ended);
}

/** One look at one node. */
interface Pass extends Omit<Stocking, 'wants'>, Moment {
  readonly node: NodeFacts;
  /** Whether the node joined the cluster a moment ago. */
  readonly isNewcomer: boolean;
  /** What there was to want when the pass began. */
  readonly wants: readonly Want[];
}

function beginPass(stocking: Stocking, { facts, metadata }: NodeObject, { now }: ReconcileContext): Pass {
  const isNewcomer = now - Date.parse(metadata.creationTimestamp ?? '') < NEW_FOR_MS;
  const monotonic = stocking.clock.monotonic();
  return { ...stocking, node: facts, isNewcomer, wants: stocking.wants.list(), now, monotonic };
}

/** Nothing cancels a pull: the node stays taken, but a slow or mute one gives its turn to others. */
function followPull(pass: Pass, unfinished: readonly JudgedPod[]): Result {
  const { node, isNewcomer, wants, coverage, clock, turns } = pass;
  const { pulls, holdsBudget, lookAfterMs } = pullProgress(unfinished, wants, clock.monotonic());
  coverage.setPulling(node, pulls);
  const pulling = wants.filter((want) => want.pulls.some(({ key }) => pulls.has(key)));
  if (holdsBudget) turns.keep({ name: node.name, isNewcomer }, pulling);
  else turns.holdQuota(node.name, pulling);
  return minResult({ requeueAfterMs: lookAfterMs }, { requeueAfterMs: noteEvictions(node, wants, pass) });
}

/** The node has gone. */
function forget({ ages, coverage, expectations, turns }: Stocking, node: string): void {
  ages.forget(node);
  // Once more: a pass that was under way when the node went may have noted something of it.
  coverage.removeNode(node);
  expectations.forget(node);
  turns.giveUp(node);
}
