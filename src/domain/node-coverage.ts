/** What is known of the images of one node: the entry that `Coverage` keeps for it. */

import type { NodeFacts } from './node.ts';
import { EMPTY_LISTING, type NodeListing } from './node-listing.ts';
import type { Want } from './want.ts';

/** Why an image is not on a node yet. */
export interface Failure {
  /** A reason of the PrepulledImage's `notPresent` entries. */
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly lastAttempt: number;
  /** The pair is left alone until then; monotonic milliseconds. */
  readonly notBefore: number;
}

/** What is happening to a pull, in the words of a `notPresent` entry. */
export interface PullState {
  readonly reason: 'Pulling' | 'PullSlow' | 'NodeMute';
  readonly message: string;
}

/** A container of ours has shown an image id for this pull. */
export interface Receipt {
  readonly key: string;
  /** Which pod said so: the same proof is not believed again after the image was seen to be gone. */
  readonly proof: string;
}

interface StoredReceipt {
  /** The newest. */
  readonly proof: string;
  /** Before it, newest first: of several pods that rest, each is news once. One empty list serves all that have none. */
  readonly older: readonly string[];
  /** When we learned of it; monotonic milliseconds, as all times that are handed in here and not kept in a status. */
  readonly at: number;
}

/** A node, and which one of that name. */
export interface NodeIdentity {
  readonly name: string;
  readonly uid: string;
}

export interface NodeEntry {
  readonly uid: string;
  /** As the node told it last; another one under the same uid is a node that was set up anew. */
  machineId: string | undefined;
  listing: NodeListing;
  readonly receipts: Map<string, StoredReceipt>;
  /** By pull key: the newest proofs that turned out to be out of date; their pods may still be there. */
  readonly refuted: Map<string, readonly string[]>;
  pulling: ReadonlyMap<string, PullState>;
  /** Wants that would not fit on the disk, by id, with the figures. */
  skipped: ReadonlyMap<string, string>;
  /** By want id. */
  readonly failures: Map<string, Failure>;
  /** By want id: the newest pods whose failure was looked at; it does not count again, whatever came after it. */
  readonly judged: Map<string, readonly string[]>;
  /** When an image was found to be gone, monotonic milliseconds, by want id. */
  readonly evictions: Map<string, number[]>;
}

export const NOT_PULLING: ReadonlyMap<string, PullState> = new Map();
const NONE: ReadonlyMap<string, string> = new Map();
const NO_PROOFS: readonly string[] = [];
/** Pull pods of one image that rest on a node at the same time are far fewer. */
const PODS_REMEMBERED = 8;
const EVICTION_MEMORY_MS = 3_600_000;

export function newEntry({ uid, machineId }: Pick<NodeFacts, 'uid' | 'machineId'>): NodeEntry {
  return {
    uid,
    machineId,
    listing: EMPTY_LISTING,
    receipts: new Map(),
    refuted: new Map(),
    pulling: NOT_PULLING,
    skipped: NONE,
    failures: new Map(),
    judged: new Map(),
    evictions: new Map(),
  };
}

/** What proved the pull does not any more. */
export function refute(entry: NodeEntry, key: string): void {
  const receipt = entry.receipts.get(key);
  if (receipt === undefined) return;
  entry.receipts.delete(key);
  const proofs = [receipt.proof, ...receipt.older, ...(entry.refuted.get(key) ?? [])];
  entry.refuted.set(key, proofs.slice(0, PODS_REMEMBERED));
}

/** Whether the receipt has been taken in, or refuted. */
export function isKnown({ receipts, refuted }: NodeEntry, { key, proof }: Receipt): boolean {
  const stored = receipts.get(key);
  const isStored = stored?.proof === proof || stored?.older.includes(proof) === true;
  return isStored || refuted.get(key)?.includes(proof) === true;
}

/** Returns false if it was known already. */
export function receive(entry: NodeEntry, receipt: Receipt, at: number): boolean {
  if (isKnown(entry, receipt)) return false;
  const { key, proof } = receipt;
  const stored = entry.receipts.get(key);
  const older =
    stored === undefined ? NO_PROOFS : [stored.proof, ...stored.older].slice(0, PODS_REMEMBERED - 1);
  entry.receipts.set(key, { proof, older, at });
  return true;
}

/** Remembers that the pod was looked at for the image. */
export function judge({ judged }: NodeEntry, wantId: string, pod: string): void {
  const pods = judged.get(wantId) ?? [];
  if (!pods.includes(pod)) judged.set(wantId, [pod, ...pods].slice(0, PODS_REMEMBERED));
}

/** Removals within the last hour. */
export function recent(times: readonly number[] = [], monotonic: number): number[] {
  return times.filter((time) => monotonic - time < EVICTION_MEMORY_MS);
}

/** Forgets what no want asks for and was learned an hour ago: a node outlives many images. */
export function forgetUnwanted(entry: NodeEntry, wants: readonly Want[], monotonic: number): void {
  const { receipts, refuted, evictions, failures, judged } = entry;
  const pulls = wants.reduce((sum, want) => sum + want.pulls.length, 0);
  const kept = [receipts, refuted, evictions, failures, judged].reduce((sum, { size }) => sum + size, 0);
  if (kept <= pulls) return;
  const keys = new Set(wants.flatMap((want) => want.pulls.map(({ key }) => key)));
  const ids = new Set(wants.map(({ id }) => id));
  drop(receipts, (key, { at }) => !keys.has(key) && monotonic - at >= EVICTION_MEMORY_MS);
  drop(refuted, (key) => !keys.has(key) && !receipts.has(key));
  drop(evictions, (id, times) => !ids.has(id) && recent(times, monotonic).length === 0);
  drop(failures, (id) => !ids.has(id));
  drop(judged, (id) => !ids.has(id));
}

function drop<V>(map: Map<string, V>, isOver: (key: string, value: V) => boolean): void {
  for (const [key, value] of map) if (isOver(key, value)) map.delete(key);
}
