/**
 * Which image is on which node, and how we know: the one index between node-stocker and PrepulledImage status.
 * A name in node.status.images or the receipt of a pull pod proves presence; silence proves absence only where the
 * image would be listed if it were there (`node-listing.ts`), and only some time after the receipt.
 */

import type { NodeFacts } from './node.ts';
import {
  type Failure,
  forgetUnwanted,
  isKnown,
  judge,
  NOT_PULLING,
  type NodeEntry,
  type NodeIdentity,
  newEntry,
  type PullState,
  type Receipt,
  receive,
  recent,
  refute,
} from './node-coverage.ts';
import { readListing, wouldBeListed } from './node-listing.ts';
import type { Want } from './want.ts';

export type { Failure, NodeIdentity, PullState, Receipt } from './node-coverage.ts';
export { NOT_PULLING } from './node-coverage.ts';

export interface CoverageSettings {
  /** `nodeStatusMaxImages` of the kubelets; they do not tell. */
  readonly nodeStatusMaxImages: number;
}

/** How old a receipt may be at a moment, which is told in monotonic milliseconds like every other one here. */
export interface AgeLimit {
  readonly monotonic: number;
  readonly maxAgeMs: number;
}

/** Told after each change, with the node and the pull keys whose state may differ now. */
export type CoverageListener = (node: string, keys: readonly string[]) => void;

/** A kubelet lists its images every 30 s and posts its status after that. */
const LISTING_LAG_MS = 90_000;

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
    const lost = isSetUpAnew(entry, node) ? [...entry.receipts.keys()] : [];
    for (const key of lost) refute(entry, key);
    entry.machineId = node.machineId ?? entry.machineId;
    entry.listing = readListing(node);
    this.#notify(node.name, [...entry.listing.keys.symmetricDifference(before.keys).union(new Set(lost))]);
  }

  removeNode(name: string): void {
    const entry = this.#nodes.get(name);
    if (entry === undefined) return;
    this.#nodes.delete(name);
    this.#notify(name, [...entry.listing.keys, ...entry.receipts.keys(), ...entry.pulling.keys()]);
  }

  /** Returns false if it was known already, or has been refuted. */
  addReceipt(node: NodeIdentity, receipt: Receipt, monotonic: number): boolean {
    if (this.#isReplaced(node)) return false;
    const entry = this.#entry(node);
    const wasThere = entry.receipts.has(receipt.key);
    const isNews = receive(entry, receipt, monotonic);
    if (isNews && !wasThere) this.#notify(node.name, [receipt.key]);
    return isNews;
  }

  /** Whether the receipt has been taken in, or refuted. */
  isKnown(node: string, receipt: Receipt): boolean {
    const entry = this.#nodes.get(node);
    return entry !== undefined && isKnown(entry, receipt);
  }

  /** Receipts of the pull are out of date: the kubelet would not have asked for it if the image were there. */
  disprove({ name }: NodeIdentity, key: string): void {
    const entry = this.#nodes.get(name);
    if (entry?.receipts.has(key) !== true) return;
    refute(entry, key);
    this.#notify(name, [key]);
  }

  /** Whether what failed in the pod has been looked at; `pods` are names for one and the same. */
  isJudged(node: string, wantId: string, pods: readonly string[]): boolean {
    const judged = this.#nodes.get(node)?.judged.get(wantId);
    return judged !== undefined && pods.some((pod) => judged.includes(pod));
  }

  setJudged(node: NodeIdentity, wantId: string, pod: string): void {
    if (!this.#isReplaced(node)) judge(this.#entry(node), wantId, pod);
  }

  /**
   * Looks for images that have gone: a receipt older than the listing's lag whose image the node would list and does
   * not. Returns whether one was found, and when it is worth looking again (milliseconds from then) if it is too early.
   */
  findEvicted(
    node: NodeFacts,
    want: Want,
    monotonic: number,
  ): { readonly evicted: boolean; readonly lookAfterMs?: number } {
    const entry = this.#nodes.get(node.name);
    if (entry?.uid !== node.uid || !node.ready) return { evicted: false };
    if (!wouldBeListed(entry.listing, want.sizeBytes, this.#settings.nodeStatusMaxImages))
      return { evicted: false };
    const silent = want.pulls.filter(({ key }) => entry.receipts.has(key) && !entry.listing.keys.has(key));
    const ages = silent.map(({ key }) => monotonic - (entry.receipts.get(key)?.at ?? monotonic));
    if (ages.length === 0) return { evicted: false };
    const age = Math.min(...ages);
    if (age < LISTING_LAG_MS) return { evicted: false, lookAfterMs: LISTING_LAG_MS - age };
    for (const { key } of silent) refute(entry, key);
    entry.evictions.set(want.id, [...recent(entry.evictions.get(want.id), monotonic), monotonic]);
    this.#notify(node.name, keysOf(want));
    return { evicted: true };
  }

  /** How often the image was found to be gone from the node within the last hour. */
  evictions(node: string, wantId: string, monotonic: number): number {
    return recent(this.#nodes.get(node)?.evictions.get(wantId), monotonic).length;
  }

  /** Whether the image was found to be gone from the node, lately or long ago. */
  wasEvicted(node: string, wantId: string): boolean {
    return this.#nodes.get(node)?.evictions.has(wantId) === true;
  }

  /** Whether the node itself says that it has the image; what it lists is there. */
  isListed(node: string, want: Want): boolean {
    const keys = this.#nodes.get(node)?.listing.keys;
    return keys !== undefined && want.pulls.every(({ key }) => keys.has(key));
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
  isUnverified(node: string, want: Want, { monotonic, maxAgeMs }: AgeLimit): boolean {
    const entry = this.#nodes.get(node);
    if (entry === undefined) return false;
    return want.pulls.some(({ key }) => {
      const receipt = entry.receipts.get(key);
      return receipt !== undefined && !entry.listing.keys.has(key) && monotonic - receipt.at >= maxAgeMs;
    });
  }

  /** Whether containers of ours have shown the image within the last `maxAgeMs`, whatever the node lists. */
  wasReceived(node: string, want: Want, { monotonic, maxAgeMs }: AgeLimit): boolean {
    const receipts = this.#nodes.get(node)?.receipts;
    return want.pulls.every(({ key }) => monotonic - (receipts?.get(key)?.at ?? -Infinity) < maxAgeMs);
  }

  /** The pulls of the unfinished pull pod on the node, if any. */
  setPulling(node: NodeIdentity, pulls: ReadonlyMap<string, PullState>): void {
    if (this.#isReplaced(node)) return;
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
    const pulling = this.#nodes.get(node)?.pulling ?? NOT_PULLING;
    return want.pulls.map(({ key }) => pulling.get(key)).find((state) => state !== undefined);
  }

  /** Which wants the node has no room for; see `preflight.ts`. */
  setSkipped(node: NodeIdentity, skipped: ReadonlyMap<string, string>, wants: readonly Want[]): void {
    if (this.#isReplaced(node)) return;
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
    this.#entry(node).failures.set(want.id, failure);
    this.#notify(node.name, keysOf(want));
  }

  /** Forgets what went wrong, on one node after success or on all when the image's own spec changed. */
  clearFailures(wantId: string, node?: string): void {
    if (node !== undefined) this.#nodes.get(node)?.failures.delete(wantId);
    else for (const entry of this.#nodes.values()) entry.failures.delete(wantId);
  }

  /** Forgets what no want asks for and was learned an hour ago. */
  forgetUnwanted(node: string, wants: readonly Want[], monotonic: number): void {
    const entry = this.#nodes.get(node);
    if (entry !== undefined) forgetUnwanted(entry, wants, monotonic);
  }

  /** What is learned of a node in a moment may come when another machine has its name already. */
  #isReplaced({ name, uid }: NodeIdentity): boolean {
    const known = this.#nodes.get(name);
    return known !== undefined && known.uid !== uid;
  }

  #entry(node: NodeIdentity): NodeEntry {
    const known = this.#nodes.get(node.name);
    if (known?.uid === node.uid) return known;
    const entry = newEntry(node);
    this.#nodes.set(node.name, entry);
    return entry;
  }

  #notify(node: string, keys: readonly string[]): void {
    if (keys.length > 0) for (const listener of this.#listeners) listener(node, keys);
  }
}

/** The node object has stayed, the machine behind it has not: bare metal that was installed again. */
function isSetUpAnew({ machineId }: NodeEntry, node: NodeFacts): boolean {
  return machineId !== undefined && node.machineId !== undefined && machineId !== node.machineId;
}

function isProven(entry: NodeEntry, key: string): boolean {
  return entry.listing.keys.has(key) || entry.receipts.has(key);
}

function keysOf(want: Want): readonly string[] {
  return want.pulls.map(({ key }) => key);
}
