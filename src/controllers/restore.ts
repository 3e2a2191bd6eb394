/** After a restart: what the statuses and nodes still tell of earlier pulls goes back into the coverage index. */

import {
  isHeldBackEverywhere,
  type NotPresent,
  type PrepulledImage,
  type PrepulledImageStatus,
} from '../api/prepulled-image.ts';
import { type Circuits, hostCircuit, imageCircuit } from '../domain/circuits.ts';
import type { Coverage, Failure, NodeIdentity } from '../domain/coverage.ts';
import type { Moment } from '../domain/moment.ts';
import { backoffMs } from '../domain/stock-plan.ts';
import { verifyPeriodMs } from '../domain/verification.ts';
import { placement, type Want } from '../domain/want.ts';
import { findCondition } from '../kube/condition.ts';
import type { NodeObject } from './node.ts';
import { wantOf } from './want.ts';

export interface RestoreMoment extends Moment {
  /** In [0, 1), asked once a node: spreads the verification of what was restored over the whole verify interval. */
  readonly random: () => number;
}

/**
 * An eligible node that is older than the figures of a status, and is not listed as lacking the image there, has it.
 * Where the status names every node that has it, only the nodes it names count; where its lists were cut short, the
 * others count if they are no more than had the image then: so many tainted nodes may have filled the list.
 */
export function restoreStock(
  { coverage, circuits }: Restorable,
  images: readonly PrepulledImage[],
  nodes: readonly NodeObject[],
  moment: RestoreMoment,
): void {
  const { random } = moment;
  const ages = new Map(nodes.map(({ facts }) => [facts.name, random()]));
  for (const image of images) {
    const want = wantOf(image);
    if (want === undefined || !isAboutThisSpec(image)) continue;
    restoreImage(coverage, image, { want, nodes, ages, moment });
    restoreCircuit(circuits, image.status, want, moment);
  }
}

function isAboutThisSpec({ metadata, status }: PrepulledImage): boolean {
  return findCondition(status, 'Prepulled')?.observedGeneration === metadata.generation;
}

/** What is filled. */
interface Restorable {
  readonly coverage: Coverage;
  readonly circuits: Circuits;
}

interface Restored {
  readonly want: Want;
  readonly nodes: readonly NodeObject[];
  /** By node: how old its receipts are, as a share of the time after which they are verified. */
  readonly ages: ReadonlyMap<string, number>;
  readonly moment: Moment;
}

function restoreImage(coverage: Coverage, { status = {} }: PrepulledImage, restored: Restored): void {
  const { want, nodes, moment } = restored;
  const provenAt = Date.parse(status.coverageTime ?? '');
  const notPresent = new Map(status.notPresent?.map((entry) => [entry.node, entry]));
  const known = nodes.filter((node) => isOlder(node, provenAt) && placement(node.facts, want).eligible);
  for (const { facts } of known) {
    const entry = notPresent.get(facts.name);
    if (entry !== undefined) restoreFailure(coverage, facts, { want, entry, moment });
  }
  const others = known.filter(({ facts }) => !notPresent.has(facts.name));
  const having = areAllPresent(status, others.length) ? undefined : new Set(status.presentOn);
  for (const { facts } of others)
    if (having?.has(facts.name) !== false) restoreReceipts(coverage, facts, restored);
    else restorePause(coverage, facts, status, restored);
}

function restoreReceipts(coverage: Coverage, node: NodeIdentity, { want, ages, moment }: Restored): void {
  const age = (ages.get(node.name) ?? 0) * verifyPeriodMs(node, want);
  for (const { key } of want.pulls)
    coverage.addReceipt(node, { key, proof: 'restored' }, moment.monotonic - age);
}

/** Whether every node that `notPresent` leaves out has the image; `others` is how many these are now. */
function areAllPresent(
  { nodes, presentOn = [], truncated = false }: PrepulledImageStatus,
  others: number,
): boolean {
  if (nodes === undefined) return !truncated;
  // A whole list of those that have it is better evidence than silence.
  if (presentOn.length === nodes.present) return false;
  return !truncated || others <= nodes.present;
}

function isOlder({ metadata }: NodeObject, time: number): boolean {
  return Date.parse(metadata.creationTimestamp ?? '') < time;
}

/** Backoff goes on where it was: without jitter, because nothing else starts at this moment. */
function restoreFailure(
  coverage: Coverage,
  node: NodeIdentity,
  { want, entry, moment }: { readonly want: Want; readonly entry: NotPresent; readonly moment: Moment },
): void {
  const { attempts = 0, reason, message = '' } = entry;
  const lastAttempt = Date.parse(entry.lastAttempt ?? '');
  if (entry.state !== 'Failed' || attempts === 0 || Number.isNaN(lastAttempt)) return;
  const wait = backoffMs(attempts, 0);
  const notBefore = moment.monotonic + Math.min(Math.max(0, lastAttempt + wait - moment.now), wait);
  coverage.setFailure(node, want, { reason, message, attempts, lastAttempt, notBefore });
  // The pod that was counted may still rest: it is known by the time it was made.
  coverage.setJudged(node, want.id, String(lastAttempt));
}

/** A node that no list had room for tries no sooner than the status says, and not all of them at once. */
function restorePause(
  coverage: Coverage,
  node: NodeIdentity,
  { backoff, notPresent, coverageTime = '' }: PrepulledImageStatus,
  { want, ages, moment }: Restored,
): void {
  if (backoff === undefined || isHeldBackEverywhere(backoff) || coverage.isPresent(node.name, want)) return;
  const { attempts } = backoff;
  const spread = (ages.get(node.name) ?? 0) * backoffMs(attempts, 0);
  const { reason, message } = firstFailure(notPresent);
  const notBefore = moment.monotonic + pauseOf(backoff, coverageTime, moment) + spread;
  const lastAttempt = Date.parse(coverageTime);
  coverage.setFailure(node, want, { reason, message, attempts, lastAttempt, notBefore });
}

/** What most of the others failed with, as far as anybody can tell. */
function firstFailure(notPresent: readonly NotPresent[] = []): Pick<Failure, 'reason' | 'message'> {
  const { reason = 'ImagePullFailed', message = '' } =
    notPresent.find(({ state }) => state === 'Failed') ?? {};
  return { reason, message };
}

type Backoff = NonNullable<PrepulledImageStatus['backoff']>;

/** Milliseconds that are left of it; 0 if that cannot be said. */
function pauseOf(backoff: Backoff, coverageTime: string, { now }: Moment): number {
  const nextAttempt = Date.parse(backoff.nextAttempt);
  // Written at that time, it cannot have been longer: more means that the clock was set back.
  const ms = Math.min(nextAttempt - now, nextAttempt - Date.parse(coverageTime));
  return ms > 0 ? ms : 0;
}

/** What was held back everywhere stays so, also for the nodes that no list had room for. */
function restoreCircuit(
  circuits: Circuits,
  { backoff, notPresent = [], coverageTime = '' }: PrepulledImageStatus = {},
  want: Want,
  moment: Moment,
): void {
  if (backoff === undefined || !isHeldBackEverywhere(backoff)) return;
  const { attempts } = backoff;
  const key = backoff.class === 'Registry' ? hostCircuit(want.host) : imageCircuit(want.id);
  const held = notPresent.find(({ reason }) => reason === 'CircuitOpen');
  const { message = '' } = held ?? firstFailure(notPresent);
  circuits.restore(key, { attempts, message, waitMs: pauseOf(backoff, coverageTime, moment) }, moment);
}
