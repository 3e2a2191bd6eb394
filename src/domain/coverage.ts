/**
 * Which image is on which node, and how we know: the one index between node-stocker and PrepulledImage status.
 * A name in node.status.images or the receipt of a pull pod proves presence; silence proves absence only where the
 * image would be listed if it were there (`node-listing.ts`), and only some time after the receipt.
 */

import type { NodeFacts } from './node.ts';
import { EMPTY_LISTING, type NodeListing, readListing, wouldBeListed } from './node-listing.ts';
import type { Want } from './want.ts';

/** Why an image is not on a node yet. */
export interface Failure {
  /** A reason of the PrepulledImage's `notPresent` entries. */
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly lastAttempt: number;
  /** When the newest pod was made that counts here, by the clock of the API server: it is not counted again. */
  readonly podAt?: number;
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
  /** Which container said so: the same proof is not believed again after the image was seen to be gone. */
  readonly proof: string;
}

interface StoredReceipt {
  readonly proof: string;
  /** When we learned of it; monotonic milliseconds, as all times that are handed in here and not kept in a status. */
  readonly at: number;
}

interface NodeEntry {
  readonly uid: string;
  listing: NodeListing;
  readonly receipts: Map<string, StoredReceipt>;
  /** By pull key: the newest proofs that turned out to be out of date; their pods may still be there. */
  readonly refuted: Map<string, readonly string[]>;
  pulling: ReadonlyMap<string, PullState>;
  /** Wants that would not fit on the disk, by id, with the figures. */
  skipped: ReadonlyMap<string, string>;
  /** By want id. */
  readonly failures: Map<string, Failure>;
  /** When an image was found to be gone, monotonic milliseconds, by want id. */
  readonly evictions: Map<string, number[]>;
}

/** A node, and which one of that name. */
export interface NodeIdentity {
  readonly name: string;
  readonly uid: string;
}

export interface CoverageSettings {
  /** `nodeStatusMaxImages` of the kubelets; they do not tell. */
  readonly nodeStatusMaxImages: number;
}

/** Told after each change, with the node and the pull keys whose state may differ now. */
export type CoverageListener = (node: string, keys: readonly string[]) => void;

/** A kubelet lists its images every 30 s and posts its status after that. */
const LISTING_LAG_MS = 90_000;
/** Pull pods of one image that rest on a node at the same time are far fewer. */
const REFUTED_REMEMBERED = 16;
const EVICTION_MEMORY_MS = 3_600_000;
const NOTHING: ReadonlyMap<string, PullState> = new Map();
const NONE: ReadonlyMap<string, string> = new Map();

export class Coverage {
  readonly #settings: CoverageSettings;
  readonly #nodes = new Map<string, NodeEntry>();
  readonly #listeners: CoverageListener[] = [];

  constructor(settings: CoverageSettings = { nodeStatusMaxImages: 50 }) {
    this.#settings = settings;
  }

  subscribe(listener: CoverageListener): void {
    this.#listeners.push(listener);
  }

  /** Takes in what the node reports. Another uid is another machine: nothing known of the old one counts. */
  observeNode(node: NodeFacts): void {
    const entry = this.#entry(node);
    const before = entry.listing;
    entry.listing = readListing(node);
    this.#notify(node.name, [...entry.listing.keys.symmetricDifference(before.keys)]);
  }

  removeNode(name: string): void {
    const entry = this.#nodes.get(name);
    if (entry === undefined) return;
    this.#nodes.delete(name);
    this.#notify(name, [...entry.listing.keys, ...entry.receipts.keys(), ...entry.pulling.keys()]);
  }

  /** Returns false if it was known already, or has been refuted. */
  addReceipt(node: NodeIdentity, { key, proof }: Receipt, now: number): boolean {
    if (this.#isReplaced(node)) return false;
    const entry = this.#entry(node);
    if (entry.receipts.get(key)?.proof === proof || entry.refuted.get(key)?.includes(proof) === true)
      return false;
    const isNew = !entry.receipts.has(key);
    entry.receipts.set(key, { proof, at: now });
    if (isNew) this.#notify(node.name, [key]);
    return true;
  }

  /**
   * Looks for images that have gone: a receipt older than the listing's lag whose image the node would list and does
   * not. Returns whether one was found, and when it is worth looking again (milliseconds from now) if it is too early.
   */
  findEvicted(
    node: NodeFacts,
    want: Want,
    now: number,
  ): { readonly evicted: boolean; readonly lookAfterMs?: number } {
    const entry = this.#nodes.get(node.name);
    if (entry?.uid !== node.uid || !node.ready) return { evicted: false };
    if (!wouldBeListed(entry.listing, want.sizeBytes, this.#settings.nodeStatusMaxImages))
      return { evicted: false };
    const silent = want.pulls.filter(({ key }) => entry.receipts.has(key) && !entry.listing.keys.has(key));
    const ages = silent.map(({ key }) => now - (entry.receipts.get(key)?.at ?? now));
    if (ages.length === 0) return { evicted: false };
    const age = Math.min(...ages);
    if (age < LISTING_LAG_MS) return { evicted: false, lookAfterMs: LISTING_LAG_MS - age };
    for (const { key } of silent) this.#refute(entry, key);
    entry.evictions.set(want.id, [...recent(entry.evictions.get(want.id), now), now]);
    this.#notify(node.name, keysOf(want));
    return { evicted: true };
  }

  /** How often the image was found to be gone from the node within the last hour. */
  evictions(node: string, wantId: string, now: number): number {
    return recent(this.#nodes.get(node)?.evictions.get(wantId), now).length;
  }

  /** Whether the image was found to be gone from the node, lately or long ago. */
  wasEvicted(node: string, wantId: string): boolean {
    return this.#nodes.get(node)?.evictions.has(wantId) === true;
  }

  isPresent(node: string, want: Want): boolean {
    const entry = this.#nodes.get(node);
    return entry !== undefined && want.pulls.every(({ key }) => isProven(entry, key));
  }

  /** Whether the node would list the image if it had it: then that it does not is the truth. */
  provesAbsence(node: string, { sizeBytes }: Want): boolean {
    const entry = this.#nodes.get(node);
    return entry !== undefined && wouldBeListed(entry.listing, sizeBytes, this.#settings.nodeStatusMaxImages);
  }

  /** Present by a receipt that is older than `maxAgeMs` and that the node's list cannot confirm. */
  isUnverified(
    node: string,
    want: Want,
    { now, maxAgeMs }: { readonly now: number; readonly maxAgeMs: number },
  ): boolean {
    const entry = this.#nodes.get(node);
    if (entry === undefined) return false;
    return want.pulls.some(({ key }) => {
      const receipt = entry.receipts.get(key);
      return receipt !== undefined && !entry.listing.keys.has(key) && now - receipt.at >= maxAgeMs;
    });
  }

  /** The pulls of the unfinished pull pod on the node, if any. */
  setPulling(node: NodeIdentity, pulls: ReadonlyMap<string, PullState>): void {
    const entry = this.#entry(node);
    const before = entry.pulling;
    entry.pulling = pulls;
    const changed = [...before.keys(), ...pulls.keys()].filter(
      (key) => before.get(key)?.reason !== pulls.get(key)?.reason,
    );
    this.#notify(node.name, [...new Set(changed)]);
  }

  /** The keys of the last unfinished pull pod that was seen on the node. */
  pullingKeys(node: string): readonly string[] {
    return [...(this.#nodes.get(node)?.pulling.keys() ?? [])];
  }

  /** What the node's pull pod is doing for the image. */
  pullState(node: string, want: Want): PullState | undefined {
    const pulling = this.#nodes.get(node)?.pulling ?? NOTHING;
    return want.pulls.map(({ key }) => pulling.get(key)).find((state) => state !== undefined);
  }

  /** Which wants the node has no room for; see `preflight.ts`. */
  setSkipped(node: NodeIdentity, skipped: ReadonlyMap<string, string>, wants: readonly Want[]): void {
    const entry = this.#entry(node);
    const before = entry.skipped;
    entry.skipped = skipped;
    const changed = wants.filter(({ id }) => before.get(id) !== skipped.get(id));
    this.#notify(node.name, changed.flatMap(keysOf));
  }

  skipReason(node: string, wantId: string): string | undefined {
    return this.#nodes.get(node)?.skipped.get(wantId);
  }

  failure(node: string, wantId: string): Failure | undefined {
    return this.#nodes.get(node)?.failures.get(wantId);
  }

  setFailure(node: NodeIdentity, want: Want, failure: Failure): void {
    if (this.#isReplaced(node)) return;
    const { failures } = this.#entry(node);
    const { podAt } = failures.get(want.id) ?? {};
    failures.set(want.id, { ...(podAt !== undefined && { podAt }), ...failure });
    this.#notify(node.name, keysOf(want));
  }

  /** Forgets what went wrong, on one node after success or on all when the image's own spec changed. */
  clearFailures(wantId: string, node?: string): void {
    if (node !== undefined) this.#nodes.get(node)?.failures.delete(wantId);
    else for (const entry of this.#nodes.values()) entry.failures.delete(wantId);
  }

  /** Forgets what no want asks for and was learned an hour ago: a node outlives many images. */
  forgetUnwanted(node: string, wants: readonly Want[], now: number): void {
    const entry = this.#nodes.get(node);
    const pulls = wants.reduce((sum, want) => sum + want.pulls.length, 0);
    if (entry === undefined) return;
    const { receipts, refuted, evictions } = entry;
    if (receipts.size + refuted.size + evictions.size <= pulls) return;
    const keys = new Set(wants.flatMap(keysOf));
    const ids = new Set(wants.map(({ id }) => id));
    drop(receipts, (key, { at }) => !keys.has(key) && now - at >= EVICTION_MEMORY_MS);
    drop(refuted, (key) => !keys.has(key) && !receipts.has(key));
    drop(evictions, (id, times) => !ids.has(id) && recent(times, now).length === 0);
  }

  /** What is learned of a node in a moment may come when another machine has its name already. */
  #isReplaced({ name, uid }: NodeIdentity): boolean {
    const known = this.#nodes.get(name);
    return known !== undefined && known.uid !== uid;
  }

  #refute(entry: NodeEntry, key: string): void {
    const receipt = entry.receipts.get(key);
    if (receipt === undefined) return;
    entry.receipts.delete(key);
    const proofs = [receipt.proof, ...(entry.refuted.get(key) ?? [])];
    entry.refuted.set(key, proofs.slice(0, REFUTED_REMEMBERED));
  }

  #entry({ name, uid }: NodeIdentity): NodeEntry {
    const known = this.#nodes.get(name);
    if (known?.uid === uid) return known;
    const entry: NodeEntry = {
      uid,
      listing: EMPTY_LISTING,
      receipts: new Map(),
      refuted: new Map(),
      pulling: NOTHING,
      skipped: NONE,
      failures: new Map(),
      evictions: new Map(),
    };
    this.#nodes.set(name, entry);
    return entry;
  }

  #notify(node: string, keys: readonly string[]): void {
    if (keys.length > 0) for (const listener of this.#listeners) listener(node, keys);
  }
}

function drop<V>(map: Map<string, V>, isOver: (key: string, value: V) => boolean): void {
  for (const [key, value] of map) if (isOver(key, value)) map.delete(key);
}

function isProven(entry: NodeEntry, key: string): boolean {
  return entry.listing.keys.has(key) || entry.receipts.has(key);
}

function recent(times: readonly number[] = [], now: number): number[] {
  return times.filter((time) => now - time < EVICTION_MEMORY_MS);
}

function keysOf(want: Want): readonly string[] {
  return want.pulls.map(({ key }) => key);
}
