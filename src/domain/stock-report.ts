/** Where one image stands over all nodes: the figures and lists of PrepulledImage.status. */

import { type Circuits, hostCircuit, imageCircuit } from './circuits.ts';
import type { Coverage } from './coverage.ts';
import type { NodeFacts } from './node.ts';
import { placement, type Want } from './want.ts';

export const NODE_STATES = ['Pulling', 'Waiting', 'Failed', 'Skipped'] as const;
export type NodeState = (typeof NODE_STATES)[number];

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

export interface StockReport {
  readonly eligible: number;
  readonly present: number;
  readonly pulling: number;
  readonly waiting: number;
  readonly failed: number;
  readonly skipped: number;
  /** Names of the eligible nodes that have it, sorted. */
  readonly presentOn: readonly string[];
  /** Failed first, then pulling, waiting, skipped; by name within. */
  readonly missing: readonly MissingNode[];
}

const ORDER: readonly NodeState[] = ['Failed', 'Pulling', 'Waiting', 'Skipped'];

/** Where the report takes its facts from. */
export interface StockFacts {
  readonly coverage: Coverage;
  readonly circuits: Circuits;
}

export function stockReport(want: Want, nodes: readonly NodeFacts[], facts: StockFacts): StockReport {
  const presentOn: string[] = [];
  const missing: MissingNode[] = [];
  for (const node of nodes) {
    const place = placement(node, want);
    if (!place.eligible) {
      // A node the selector leaves out is none of the image's business and is not counted.
      if (place.reason !== 'NotSelected')
        missing.push(entry(node.name, 'Skipped', place.reason, place.message));
    } else if (facts.coverage.isPresent(node.name, want)) presentOn.push(node.name);
    else missing.push(absence(node.name, want, facts));
  }
  const count = (state: NodeState): number => missing.filter((node) => node.state === state).length;
  const skipped = count('Skipped');
  return {
    eligible: presentOn.length + missing.length - skipped,
    present: presentOn.length,
    pulling: count('Pulling'),
    waiting: count('Waiting'),
    failed: count('Failed'),
    skipped,
    presentOn: presentOn.sort(),
    missing: missing.sort(compareMissing),
  };
}

function absence(node: string, want: Want, { coverage, circuits }: StockFacts): MissingNode {
  const noRoom = coverage.skipReason(node, want.id);
  if (noRoom !== undefined) return entry(node, 'Skipped', 'DiskTooSmall', noRoom);
  const failure = coverage.failure(node, want.id);
  const pull = coverage.pullState(node, want);
  if (pull !== undefined) {
    const pulling = entry(node, 'Pulling', pull.reason, pull.message);
    return failure === undefined ? pulling : { ...pulling, attempts: failure.attempts };
  }
  if (failure !== undefined) {
    const { reason, message, attempts, lastAttempt } = failure;
    return { node, state: 'Failed', reason, message, attempts, lastAttempt };
  }
  const open = circuits.open(imageCircuit(want.id)) ?? circuits.open(hostCircuit(want.host));
  if (open !== undefined) return entry(node, 'Waiting', 'CircuitOpen', open.message);
  return entry(node, 'Waiting', 'Queued', 'The turn of this image on the node has not come');
}

function entry(node: string, state: NodeState, reason: string, message: string): MissingNode {
  return { node, state, reason, message, attempts: 0 };
}

function compareMissing(left: MissingNode, right: MissingNode): number {
  return (
    ORDER.indexOf(left.state) - ORDER.indexOf(right.state) ||
    (left.node < right.node ? -1 : Number(left.node > right.node))
  );
}
