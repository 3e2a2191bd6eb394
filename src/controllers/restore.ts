/** After a restart: what the statuses and nodes still tell of earlier pulls goes back into the coverage index. */

import type { NotPresent, PrepulledImage, PrepulledImageStatus } from '../api/prepulled-image.ts';
import { type Circuits, hostCircuit, imageCircuit } from '../domain/circuits.ts';
import type { Coverage, NodeIdentity } from '../domain/coverage.ts';
import type { Moment } from '../domain/moment.ts';
import { backoffMs } from '../domain/stock-plan.ts';
import { placement, type Want } from '../domain/want.ts';
import { findCondition } from '../kube/condition.ts';
import type { NodeObject } from './node.ts';
import { wantOf } from './want.ts';

export interface RestoreMoment extends Moment {
  /** In [0, 1): spreads the verification of what was restored over the whole verify interval. */
  readonly random: () => number;
}

/**
 * An eligible node that is older than the figures of a status, and is not listed as lacking the image there, has it.
 * Where the status names every node that has it, or was cut short, only the nodes it names count.
 */
export function restoreStock(
  { coverage, circuits }: Restorable,
  images: readonly PrepulledImage[],
  nodes: readonly NodeObject[],
  moment: RestoreMoment,
): void {
  for (const image of images) {
    const want = wantOf(image);
    if (want === undefined || !isAboutThisSpec(image)) continue;
    restoreImage(coverage, image, { want, nodes, moment });
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
  readonly moment: RestoreMoment;
}

function restoreImage(
  coverage: Coverage,
  { status = {} }: PrepulledImage,
  { want, nodes, moment }: Restored,
): void {
  const provenAt = Date.parse(status.coverageTime ?? '');
  const lacking = new Map(status.notPresent?.map((entry) => [entry.node, entry]));
  const having = listsAllPresent(status) || status.truncated === true ? new Set(status.presentOn) : undefined;
  const known = nodes.filter((node) => isOlder(node, provenAt) && placement(node.facts, want).eligible);
  for (const { facts } of known) {
    const entry = lacking.get(facts.name);
    if (entry !== undefined) restoreFailure(coverage, facts, { want, entry, moment });
    else if (having?.has(facts.name) !== false) restoreReceipts(coverage, facts, want, moment);
  }
}

/** The list of nodes that have it is limited, too; complete, it is better evidence than silence. */
function listsAllPresent({ nodes, presentOn = [] }: PrepulledImageStatus): boolean {
  return nodes !== undefined && nodes.present === presentOn.length;
}

function restoreReceipts(
  coverage: Coverage,
  node: NodeIdentity,
  want: Want,
  { monotonic, random }: RestoreMoment,
): void {
  const at = monotonic - random() * want.verifyIntervalMs;
  for (const { key } of want.pulls) coverage.addReceipt(node, { key, proof: 'restored' }, at);
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
  const failure = { reason, message, attempts, lastAttempt, podAt: lastAttempt, notBefore };
  coverage.setFailure(node, want, failure);
}

/** What was held back everywhere stays so, also for the nodes that no list had room for. */
function restoreCircuit(
  circuits: Circuits,
  { backoff, notPresent = [] }: PrepulledImageStatus = {},
  want: Want,
  moment: Moment,
): void {
  if (backoff === undefined) return;
  const { attempts, nextAttempt } = backoff;
  const key = backoff.class === 'Registry' ? hostCircuit(want.host) : imageCircuit(want.id);
  const message = notPresent.find(({ state }) => state === 'Failed')?.message ?? '';
  circuits.restore(key, { attempts, message }, Date.parse(nextAttempt), moment);
}
