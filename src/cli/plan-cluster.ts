/** What would be pulled where: the core of the operator over objects, without doing anything. */

import type { PrepulledImage } from '../api/prepulled-image.ts';
import type { NodeObject } from '../controllers/node.ts';
import { restoreStock } from '../controllers/restore.ts';
import { wantOf } from '../controllers/want.ts';
import { Circuits } from '../domain/circuits.ts';
import { Coverage } from '../domain/coverage.ts';
import type { NodeFacts } from '../domain/node.ts';
import { overfull } from '../domain/preflight.ts';
import { compareNames } from '../domain/sorted-names.ts';
import { compareWants, planBatch } from '../domain/stock-plan.ts';
import { openCircuit } from '../domain/stock-report.ts';
import { placement, sizesByDigest, type Want } from '../domain/want.ts';
import { findCondition } from '../kube/condition.ts';
import { formatKey } from '../kube/resource.ts';

/** One image on one node. */
export interface PlannedPull {
  /** `namespace/name` of the PrepulledImage. */
  readonly image: string;
  readonly reference: string;
  /** Compressed; 0 if nobody knows. */
  readonly bytes: number;
  /** Pods of the node before this one, from 0: each waits for the one before. */
  readonly pod: number;
  /** What else it waits for; null: nothing. */
  readonly waitsFor: string | null;
}

/** An image that a node would not get, and why. */
export interface PlannedSkip {
  readonly image: string;
  readonly reason: string;
  readonly message: string;
}

/** What one node would pull, in order. */
export interface NodePlan {
  readonly node: string;
  readonly present: number;
  /** Compressed; each content once. */
  readonly bytes: number;
  readonly pulls: readonly PlannedPull[];
  readonly skipped: readonly PlannedSkip[];
}

/** What all nodes would pull. */
export interface ClusterPlan {
  readonly nodes: readonly NodePlan[];
  /** Images that want nothing yet, and why. */
  readonly idle: readonly PlannedSkip[];
}

/** A cluster at one moment, and the limits of its operator. */
export interface PlanQuestion {
  readonly nodes: readonly NodeObject[];
  readonly images: readonly PrepulledImage[];
  /** Nodes that pull at the same time; Infinity: all. */
  readonly pullSlots: number;
  readonly nodeStatusMaxImages: number;
  /** Wall-clock milliseconds. */
  readonly nowMs: number;
}

export function planCluster(question: PlanQuestion): ClusterPlan {
  const { nodes, images, nodeStatusMaxImages, nowMs } = question;
  const coverage = new Coverage({ nodeStatusMaxImages });
  for (const { facts } of nodes) coverage.observeNode(facts);
  const circuits = new Circuits(() => 0);
  // The plan is of one moment, so one clock is enough.
  const moment = { now: nowMs, monotonic: nowMs };
  restoreStock({ coverage, circuits }, images, nodes, { ...moment, random: () => 0 });
  const wants = images
    .filter((image) => refusalOf(image) === undefined)
    .flatMap((image) => wantOf(image) ?? []);
  let busy = 0;
  const plans = [...nodes]
    .sort((left, right) => compareNames(left.facts.name, right.facts.name))
    .map(({ facts }) => {
      const plan = planNode(facts, wants, {
        coverage,
        circuits,
        nowMs,
        waitsForSlot: busy >= question.pullSlots,
      });
      if (plan.pulls.length > 0) busy += 1;
      return plan;
    });
  return { nodes: plans, idle: images.flatMap(idleReason) };
}

interface NodeQuestion {
  readonly coverage: Coverage;
  readonly circuits: Circuits;
  readonly nowMs: number;
  readonly waitsForSlot: boolean;
}

function planNode(node: NodeFacts, wants: readonly Want[], question: NodeQuestion): NodePlan {
  const placed = wants.map((want) => ({ want, place: placement(node, want) }));
  const eligible = placed.filter(({ place }) => place.eligible).map(({ want }) => want);
  const noRoom = overfull(node, eligible);
  const { coverage } = question;
  const present = eligible.filter((want) => coverage.isPresent(node.name, want));
  const missing = eligible.filter((want) => !coverage.isPresent(node.name, want) && !noRoom.has(want.id));
  const pulls = batches(missing).flatMap((batch, pod) =>
    batch.map((want) => pullOf(node, want, pod, question)),
  );
  return {
    node: node.name,
    present: present.length,
    bytes: [...sizesByDigest(missing).values()].reduce((sum, bytes) => sum + bytes, 0),
    pulls,
    skipped: [
      ...placed.flatMap(({ want, place }) => skipOf(want, place)),
      ...crowdedOut(eligible, noRoom, present),
    ],
  };
}

/** The pods that the node would get one after the other. */
function batches(missing: readonly Want[]): readonly (readonly Want[])[] {
  const found: (readonly Want[])[] = [];
  let rest = missing.toSorted(compareWants);
  for (let batch = planBatch(rest); batch !== undefined; batch = planBatch(rest)) {
    const { wants } = batch;
    found.push(wants);
    rest = rest.filter((want) => !wants.includes(want));
  }
  return found;
}

function pullOf(node: NodeFacts, want: Want, pod: number, question: NodeQuestion): PlannedPull {
  const { id, pulls, sizeBytes } = want;
  const reference = pulls.map((pull) => pull.reference).join(', ');
  return { image: id, reference, bytes: sizeBytes, pod, waitsFor: waitOf(node, want, question) };
}

function waitOf(node: NodeFacts, want: Want, question: NodeQuestion): string | null {
  const { coverage, circuits, nowMs, waitsForSlot } = question;
  const failure = coverage.failure(node.name, want.id);
  if (failure !== undefined && failure.notBefore > nowMs)
    return `the backoff after ${failure.attempts} failed attempts (${failure.reason}), ${secondsTo(failure.notBefore, nowMs)}`;
  const open = openCircuit(want, circuits);
  if (open !== undefined && open.nextAttempt.now > nowMs)
    return `what held it back on all nodes after ${open.attempts} rounds (${open.message}), ${secondsTo(open.nextAttempt.now, nowMs)}`;
  return waitsForSlot ? 'a pull slot of the cluster' : null;
}

function secondsTo(time: number, nowMs: number): string {
  return `${Math.ceil((time - nowMs) / 1000)} s`;
}

function skipOf({ id }: Want, place: ReturnType<typeof placement>): readonly PlannedSkip[] {
  if (place.eligible || place.reason === 'NotSelected') return [];
  return [{ image: id, reason: place.reason, message: place.message }];
}

/** What is there already takes no more room. */
function crowdedOut(
  eligible: readonly Want[],
  noRoom: ReadonlyMap<string, string>,
  present: readonly Want[],
): readonly PlannedSkip[] {
  return eligible
    .filter((want) => noRoom.has(want.id) && !present.includes(want))
    .map(({ id }) => ({ image: id, reason: 'DiskTooSmall', message: noRoom.get(id) ?? '' }));
}

/** What the operator says of images beyond the limits of their namespace; only it knows the limits. */
function refusalOf({ status }: PrepulledImage): string | undefined {
  const prepulled = findCondition(status, 'Prepulled');
  return prepulled?.reason === 'NamespaceLimitExceeded' ? prepulled.message : undefined;
}

function idleReason(image: PrepulledImage): readonly PlannedSkip[] {
  const id = formatKey(image.metadata);
  const refusal = refusalOf(image);
  if (refusal !== undefined) return [{ image: id, reason: 'NamespaceLimitExceeded', message: refusal }];
  if (wantOf(image) !== undefined) return [];
  if (image.metadata.deletionTimestamp !== undefined)
    return [{ image: id, reason: 'Deleted', message: 'The PrepulledImage is being deleted' }];
  if (image.spec.suspend)
    return [{ image: id, reason: 'Suspended', message: 'The PrepulledImage is suspended' }];
  return [{ image: id, reason: 'NotResolved', message: 'The digest of the image is not known yet' }];
}
