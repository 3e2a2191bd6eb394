/** What to pull next on one node, and when to look again if nothing can be pulled now. */

import { type Circuits, hostCircuit, imageCircuit } from '../../domain/circuits.ts';
import type { Coverage } from '../../domain/coverage.ts';
import type { Moment } from '../../domain/moment.ts';
import type { NodeFacts } from '../../domain/node.ts';
import { overfull } from '../../domain/preflight.ts';
import {
  CLUSTER_CLAIM,
  type Claim,
  hostClaim,
  imageClaim,
  NEWCOMER_CLAIM,
  namespaceClaim,
  type PullBudget,
} from '../../domain/pull-budget.ts';
import { type Batch, backoffMs, compareWants, planBatch } from '../../domain/stock-plan.ts';
import { needsVerification, verifyPeriodMs } from '../../domain/verification.ts';
import { placement, type Want } from '../../domain/want.ts';

export interface PlanFacts extends Moment {
  readonly wants: readonly Want[];
  readonly coverage: Coverage;
  readonly circuits: Circuits;
  readonly budget: PullBudget;
  readonly random: () => number;
  /** Whether the node joined the cluster a moment ago. */
  readonly isNewcomer: boolean;
  readonly kept: KeptPulls;
}

/** What is kept warm. */
export interface KeptPulls {
  /** Keys of pulls that pods still on the node have brought. */
  readonly keys: ReadonlySet<string>;
  /** Whether the cluster may have one more pod. */
  readonly hasRoom: boolean;
}

export interface NodePlan {
  /** Undefined if there is nothing to pull now. */
  readonly batch?: Batch;
  /** What the node must hold to pull the batch. */
  readonly claims: readonly Claim[];
  /** Milliseconds after which something may have become due; absent if only events change anything. */
  readonly lookAfterMs?: number;
}

/** Three removals within an hour: the node has no room for the image, and pulling it again and again helps nobody. */
const EVICTIONS_TOLERATED = 3;

export function planNode(node: NodeFacts, facts: PlanFacts): NodePlan {
  const eligible = facts.wants.filter((want) => placement(node, want).eligible);
  const noRoom = overfull(node, eligible);
  facts.coverage.setSkipped(node, noRoom, eligible);
  const looks: number[] = [];
  const due: Want[] = [];
  for (const want of eligible.filter(({ id }) => !noRoom.has(id))) {
    const look = dueIn(node, want, facts);
    if (look === 0) due.push(want);
    else if (look !== undefined) looks.push(look);
  }
  const batch = nextBatch(due, facts.budget);
  return {
    ...(batch !== undefined && { batch }),
    claims: batch === undefined ? [] : claimsOf(batch, facts),
    ...(looks.length > 0 && { lookAfterMs: Math.min(...looks) }),
  };
}

/** Of the namespace whose turn was longest ago; with nothing but wants at their limit, the node gets in line for one. */
function nextBatch(due: readonly Want[], budget: PullBudget): Batch | undefined {
  const hasRoom = ({ id, host, namespace }: Want): boolean =>
    [imageClaim(id), hostClaim(host), namespaceClaim(namespace)].every((claim) => budget.hasRoom(claim));
  const open = due.filter(hasRoom);
  const candidates = open.length > 0 ? open : due.toSorted(compareWants).slice(0, 1);
  const turn = Math.min(...candidates.map(({ namespace }) => budget.turnOf(namespace)));
  return planBatch(candidates.filter(({ namespace }) => budget.turnOf(namespace) === turn));
}

/** How long another node's attempt is left alone. */
const CANARY_LOOK_MS = 30_000;

/** 0: pull it now; a number: look again then; undefined: nothing to do before an event. */
function dueIn(node: NodeFacts, want: Want, facts: PlanFacts): number | undefined {
  const { coverage, circuits, monotonic } = facts;
  const lookAfterMs = noteEviction(node, want, facts);
  if (isSettled(node, want, facts)) return lookAfterMs;
  const notBefore = coverage.failure(node.name, want.id)?.notBefore ?? 0;
  if (notBefore > monotonic) return notBefore - monotonic;
  const keys = [imageCircuit(want.id), hostCircuit(want.host)];
  const blocking = keys
    .filter((key) => circuits.blocks(key, node.name, monotonic))
    .map((key) => circuits.findOpen(key));
  const waits = blocking.map((circuit) => (circuit?.nextAttempt.monotonic ?? monotonic) - monotonic);
  // While a canary tries for all, its success is an event for this node; that it was called off is none.
  return waits.length === 0 ? 0 : Math.max(CANARY_LOOK_MS, ...waits);
}

/** Nothing is to be pulled for the image, not even to see whether it is there. */
function isSettled(node: NodeFacts, want: Want, facts: PlanFacts): boolean {
  const { coverage, monotonic } = facts;
  if (!coverage.isPresent(node.name, want) || needsVerification(coverage, node, want, monotonic))
    return false;
  return !lacksKeeper(node, want, facts);
}

/**
 * An image that was there before `keepWarm`, or whose pod somebody has deleted, is to get a pod that keeps it; not more
 * often than others are verified, for whoever deletes finished pods would go on.
 */
function lacksKeeper(node: NodeFacts, want: Want, { coverage, kept, monotonic }: PlanFacts): boolean {
  if (!want.keepWarm || !kept.hasRoom || want.pulls.every(({ key }) => kept.keys.has(key))) return false;
  return !coverage.wasReceived(node.name, want, { now: monotonic, maxAgeMs: verifyPeriodMs(node, want) });
}

/**
 * What has gone from a node that pulls and is not planned for, which may take long. Returns when to look again,
 * milliseconds from now.
 */
export function noteEvictions(
  node: NodeFacts,
  facts: EvictionFacts & Pick<PlanFacts, 'wants'>,
): number | undefined {
  const looks: number[] = [];
  for (const want of facts.wants.filter((candidate) => placement(node, candidate).eligible)) {
    const lookAfterMs = noteEviction(node, want, facts);
    if (lookAfterMs !== undefined) looks.push(lookAfterMs);
  }
  return looks.length === 0 ? undefined : Math.min(...looks);
}

type EvictionFacts = Pick<PlanFacts, 'coverage' | 'random' | 'now' | 'monotonic'>;

/** Whether the image has gone from the node. Returns when to look again, milliseconds from now. */
function noteEviction(node: NodeFacts, want: Want, facts: EvictionFacts): number | undefined {
  const { evicted, lookAfterMs } = facts.coverage.findEvicted(node, want, facts.monotonic);
  if (evicted) recordEviction(node, want, facts);
  return lookAfterMs;
}

/** Pulled again once and twice; the third removal within an hour is a failure of the pair, with backoff. */
function recordEviction(
  node: NodeFacts,
  want: Want,
  { coverage, random, now, monotonic }: EvictionFacts,
): void {
  const times = coverage.evictions(node.name, want.id, monotonic);
  if (times < EVICTIONS_TOLERATED) return;
  const attempts = times - EVICTIONS_TOLERATED + 1;
  coverage.setFailure(node, want, {
    reason: 'EvictedRepeatedly',
    message: `The node removed the image ${times} times within an hour`,
    attempts,
    lastAttempt: now,
    notBefore: monotonic + backoffMs(attempts + EVICTIONS_TOLERATED, random()),
  });
}

export type ClaimFacts = Pick<PlanFacts, 'budget' | 'isNewcomer'>;

/** One slot of the cluster, one of each host, and one of each image that has a limit. */
export function claimsOf(
  { wants }: Pick<Batch, 'wants'>,
  { budget, isNewcomer }: ClaimFacts,
): readonly Claim[] {
  const limited = wants
    .flatMap(({ host, id }) => [hostClaim(host), imageClaim(id)])
    .filter((claim) => budget.isLimited(claim));
  const namespaces = wants.map(({ namespace }) => namespaceClaim(namespace));
  return [...new Set([CLUSTER_CLAIM, ...(isNewcomer ? [NEWCOMER_CLAIM] : []), ...namespaces, ...limited])];
}
