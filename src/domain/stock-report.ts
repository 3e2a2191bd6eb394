/** Where one image stands over all nodes: the figures and lists of PrepulledImage.status. */

import { type Circuits, hostCircuit, imageCircuit, type OpenCircuit } from './circuits.ts';
import type { Coverage, Failure } from './coverage.ts';
import type { NodeFacts } from './node.ts';
import type { PullBudget } from './pull-budget.ts';
import { compareNames } from './sorted-names.ts';
import { placement, type Want } from './want.ts';

/** States of a node that lacks the image, in the order of the list. */
export const NODE_STATES = ['Failed', 'Pulling', 'Waiting', 'Unknown', 'Skipped'] as const;
export type NodeState = (typeof NODE_STATES)[number];
/** Of a node and an image whose selector takes it in. */
export const PAIR_STATES = ['Present', ...NODE_STATES] as const;
export type PairState = (typeof PAIR_STATES)[number];

/** A node that has not got the image, and why. */
export interface MissingNode {
  readonly node: string;
  readonly state: NodeState;
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
  /** Milliseconds since the epoch; undefined before the first attempt. */
  readonly lastAttempt?: number;
}

/** Nodes in each state; `eligible` are all but the skipped ones. */
export interface StockCounts {
  readonly eligible: number;
  readonly present: number;
  /** What they report proves neither presence nor absence; a cheap pull will tell. */
  readonly unknown: number;
  readonly pulling: number;
  readonly waiting: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface StockReport extends StockCounts {
  /** Names of eligible nodes that have it, sorted; the first ones. */
  readonly presentOn: readonly string[];
  /** Failed first, then pulling, waiting, unknown, skipped; by name within; the first ones. */
  readonly missing: readonly MissingNode[];
  /** Of the failures that the list had no room for, the one that is tried again first. */
  readonly unlisted?: Failure;
}

/** How long the lists of a report may be. */
export interface ReportLimits {
  readonly present: number;
  readonly missing: number;
}

export const UNLIMITED: ReportLimits = { present: Infinity, missing: Infinity };

/** Where the report takes its facts from. */
export interface StockFacts {
  readonly coverage: Coverage;
  readonly circuits: Circuits;
  /** Tells which nodes wait for a slot; absent: nobody does. */
  readonly budget?: Pick<PullBudget, 'shortage'>;
}

/** Looks at all nodes. `StockIndex` gives the same report and looks only at what has changed. */
export function stockReport(
  want: Want,
  nodes: readonly NodeFacts[],
  facts: StockFacts,
  limits: ReportLimits = UNLIMITED,
): StockReport {
  const open = openCircuit(want, facts.circuits);
  const names = noNames();
  for (const node of nodes) {
    const state = pairState(node, want, facts.coverage);
    if (state !== undefined) names[shownAs(state, open)].push(node.name);
  }
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const missing = NODE_STATES.flatMap((state) => names[state].sort(compareNames));
  const unlisted = firstToRetry(names.Failed.slice(limits.missing), want, facts);
  return {
    ...(unlisted !== undefined && { unlisted }),
    ...countStates((state) => names[state].length),
    presentOn: names.Present.sort(compareNames).slice(0, limits.present),
    missing: missing
      .slice(0, limits.missing)
      .flatMap((name) => explain(byName.get(name), want, { ...facts, open })),
  };
}

/** For the names of nodes in each state. */
export function noNames(): Record<PairState, string[]> {
  return { Present: [], Failed: [], Pulling: [], Waiting: [], Unknown: [], Skipped: [] };
}

/** The failure of the pair that is left alone for the shortest time. */
export function firstToRetry(
  nodes: readonly string[],
  { id }: Want,
  { coverage }: StockFacts,
): Failure | undefined {
  let first: Failure | undefined;
  for (const node of nodes) {
    const failure = coverage.failure(node, id);
    if (failure !== undefined && failure.notBefore < (first?.notBefore ?? Infinity)) first = failure;
  }
  return first;
}

/** Undefined if the node is none of the image's business: its selector leaves it out. */
export function pairState(node: NodeFacts, want: Want, coverage: Coverage): PairState | undefined {
  const place = placement(node, want);
  if (!place.eligible) return place.reason === 'NotSelected' ? undefined : 'Skipped';
  if (coverage.isPresent(node.name, want)) return 'Present';
  if (coverage.skipReason(node.name, want.id) !== undefined) return 'Skipped';
  if (coverage.pullState(node.name, want) !== undefined) return 'Pulling';
  if (coverage.failure(node.name, want.id) !== undefined) return 'Failed';
  return coverage.provesAbsence(node.name, want) ? 'Waiting' : 'Unknown';
}

/** Where nobody tries, that says more than that nobody knows. */
export function shownAs(state: PairState, open: OpenCircuit | undefined): PairState {
  return state === 'Unknown' && open !== undefined ? 'Waiting' : state;
}

/** What holds the image back everywhere. */
export function openCircuit(want: Want, circuits: Circuits): OpenCircuit | undefined {
  return circuits.findOpen(imageCircuit(want.id)) ?? circuits.findOpen(hostCircuit(want.host));
}

/** The figures, from the number of nodes shown in each state. */
export function countStates(count: (state: PairState) => number): StockCounts {
  const [present, unknown, pulling] = [count('Present'), count('Unknown'), count('Pulling')];
  const [waiting, failed, skipped] = [count('Waiting'), count('Failed'), count('Skipped')];
  const eligible = present + unknown + pulling + waiting + failed;
  return { eligible, present, unknown, pulling, waiting, failed, skipped };
}

export interface Explanation extends StockFacts {
  readonly open: OpenCircuit | undefined;
}

/** Why the image is not on the node; nothing for a node that is not there any more, or has it. */
export function explain(node: NodeFacts | undefined, want: Want, facts: Explanation): readonly MissingNode[] {
  if (node === undefined) return [];
  const { name } = node;
  const state = pairState(node, want, facts.coverage);
  switch (state) {
    case undefined:
    case 'Present':
      return [];
    case 'Skipped':
      return [skipped(node, want, facts)];
    case 'Pulling':
      return [pulling(name, want, facts)];
    case 'Failed':
      return [failed(name, want, facts)];
    case 'Waiting':
    case 'Unknown':
      return [waiting(name, state, want, facts)];
  }
}

function skipped(node: NodeFacts, want: Want, { coverage }: StockFacts): MissingNode {
  const place = placement(node, want);
  if (!place.eligible) return entry(node.name, 'Skipped', place.reason, place.message);
  return entry(node.name, 'Skipped', 'DiskTooSmall', coverage.skipReason(node.name, want.id) ?? '');
}

function pulling(node: string, want: Want, { coverage }: StockFacts): MissingNode {
  const { reason = 'Pulling', message = '' } = coverage.pullState(node, want) ?? {};
  const attempts = coverage.failure(node, want.id)?.attempts ?? 0;
  return { ...entry(node, 'Pulling', reason, message), attempts };
}

function failed(node: string, want: Want, { coverage }: StockFacts): MissingNode {
  const failure = coverage.failure(node, want.id);
  if (failure === undefined) return entry(node, 'Failed', 'ImagePullFailed', '');
  const { reason, message, attempts, lastAttempt } = failure;
  return { node, state: 'Failed', reason, message, attempts, lastAttempt };
}

function waiting(node: string, state: 'Waiting' | 'Unknown', want: Want, facts: Explanation): MissingNode {
  const { coverage, budget, open } = facts;
  if (open !== undefined) return entry(node, 'Waiting', 'CircuitOpen', open.message);
  const shortage = budget?.shortage(node);
  if (state === 'Unknown') {
    const message = 'The node does not list enough images to tell; a pull will';
    return entry(node, state, 'NotVerified', shortage === undefined ? message : `${message}: ${shortage}`);
  }
  if (shortage !== undefined) return entry(node, 'Waiting', 'BudgetExhausted', shortage);
  if (coverage.wasEvicted(node, want.id)) {
    return entry(node, 'Waiting', 'Evicted', 'The node removed the image; it is pulled again');
  }
  return entry(node, 'Waiting', 'Queued', 'The turn of this image on the node has not come');
}

function entry(node: string, state: NodeState, reason: string, message: string): MissingNode {
  return { node, state, reason, message, attempts: 0 };
}
