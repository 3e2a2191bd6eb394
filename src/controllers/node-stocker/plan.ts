/** What to pull next on one node, and when to look again if nothing can be pulled now. */

import { type Circuits, hostCircuit, imageCircuit } from '../../domain/circuits.ts';
import type { Coverage } from '../../domain/coverage.ts';
import type { Moment } from '../../domain/moment.ts';
import type { NodeFacts } from '../../domain/node.ts';
import { overfull } from '../../domain/preflight.ts';
import type { PullBudget } from '../../domain/pull-budget.ts';
import { hostClaim, imageClaim, namespaceClaim } from '../../domain/pull-claim.ts';
import { type Batch, compareWants, planBatch } from '../../domain/stock-plan.ts';
import { needsVerification, verifyPeriodMs } from '../../domain/verification.ts';
import { placement, type Want } from '../../domain/want.ts';
import { noteEviction } from './evictions.ts';

export interface PlanFacts extends Moment {
  readonly wants: readonly Want[];
  readonly coverage: Coverage;
  readonly circuits: Circuits;
  readonly budget: Pick<PullBudget, 'hasRoom' | 'turnOf'>;
  readonly random: () => number;
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
  /** Milliseconds after which something may have become due; absent if only events change anything. */
  readonly lookAfterMs?: number;
}

/** Notes on the way what has gone from the node, and what it has no room for. */
export function planNode(node: NodeFacts, facts: PlanFacts): NodePlan {
  const eligible = facts.wants.filter((want) => placement(node, want).eligible);
  const noRoom = overfull(node, eligible);
  facts.coverage.setSkipped(node, noRoom, eligible);
  const looks: number[] = [];
  const due: Want[] = [];
  for (const want of eligible.filter(({ id }) => !noRoom.has(id))) {
    const look = dueInMs(node, want, facts);
    if (look === 0) due.push(want);
    else if (look !== undefined) looks.push(look);
  }
  const batch = nextBatch(due, facts.budget);
  return {
    ...(batch !== undefined && { batch }),
    ...(looks.length > 0 && { lookAfterMs: Math.min(...looks) }),
  };
}

/** Of the namespace whose turn was longest ago; with nothing but wants at their limit, the node gets in line for one. */
function nextBatch(due: readonly Want[], budget: PlanFacts['budget']): Batch | undefined {
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
function dueInMs(node: NodeFacts, want: Want, facts: PlanFacts): number | undefined {
  const { coverage, circuits, monotonic } = facts;
  const lookAfterMs = noteEviction(node, want, facts);
  if (needsNothing(node, want, facts)) return lookAfterMs;
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
function needsNothing(node: NodeFacts, want: Want, facts: PlanFacts): boolean {
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
  return !coverage.wasReceived(node.name, want, { monotonic, maxAgeMs: verifyPeriodMs(node, want) });
}
