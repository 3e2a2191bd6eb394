/**
 * Which image is on which node, and how we know: the one index between node-stocker and PrepulledImage status.
 * Positive evidence only - a name in node.status.images, or the receipt of a pull pod - and never a guess.
 */

import { imageDigests, type NodeFacts } from './node.ts';
import type { Want } from './want.ts';

/** Why an image is not on a node yet. */
export interface Failure {
  /** A reason of the PrepulledImage's `notPresent` entries. */
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly lastAttempt: number;
  /** The pair is left alone until then; milliseconds since the epoch. */
  readonly notBefore: number;
}

interface NodeEntry {
  readonly uid: string;
  listed: ReadonlySet<string>;
  /** Pull key to the time of its proof. */
  readonly receipts: Map<string, number>;
  pulling: ReadonlySet<string>;
  /** By want id. */
  readonly failures: Map<string, Failure>;
}

/** Told after each change, with the node and the pull keys whose state may differ now. */
export type CoverageListener = (node: string, keys: readonly string[]) => void;

const NOTHING: ReadonlySet<string> = new Set();

export class Coverage {
  readonly #nodes = new Map<string, NodeEntry>();
  readonly #listeners: CoverageListener[] = [];

  subscribe(listener: CoverageListener): void {
    this.#listeners.push(listener);
  }

  /** Takes in what the node reports. Another uid is another machine: nothing known of the old one counts. */
  observeNode(node: NodeFacts): void {
    const entry = this.#entry(node.name, node.uid);
    const before = entry.listed;
    entry.listed = listedKeys(node);
    this.#notify(node.name, [...entry.listed.symmetricDifference(before)]);
  }

  removeNode(name: string): void {
    const entry = this.#nodes.get(name);
    if (entry === undefined) return;
    this.#nodes.delete(name);
    this.#notify(name, [...entry.listed, ...entry.receipts.keys(), ...entry.pulling]);
  }

  /** A container of ours on that very node has shown an image id for this pull. */
  addReceipt(node: string, uid: string, key: string, at: number): void {
    const entry = this.#entry(node, uid);
    const isNew = !entry.receipts.has(key);
    entry.receipts.set(key, at);
    if (isNew) this.#notify(node, [key]);
  }

  /** The pulls of the unfinished pull pod on the node, if any. */
  setPulling(node: string, uid: string, keys: ReadonlySet<string>): void {
    const entry = this.#entry(node, uid);
    const before = entry.pulling;
    entry.pulling = keys;
    this.#notify(node, [...keys.symmetricDifference(before)]);
  }

  isPresent(node: string, want: Want): boolean {
    const entry = this.#nodes.get(node);
    return (
      entry !== undefined && want.pulls.every(({ key }) => entry.listed.has(key) || entry.receipts.has(key))
    );
  }

  isPulling(node: string, want: Want): boolean {
    const pulling = this.#nodes.get(node)?.pulling ?? NOTHING;
    return want.pulls.some(({ key }) => pulling.has(key));
  }

  /** Nodes on which something is being pulled now. */
  isNodeBusy(node: string): boolean {
    return (this.#nodes.get(node)?.pulling ?? NOTHING).size > 0;
  }

  failure(node: string, wantId: string): Failure | undefined {
    return this.#nodes.get(node)?.failures.get(wantId);
  }

  setFailure(node: string, uid: string, want: Want, failure: Failure): void {
    this.#entry(node, uid).failures.set(want.id, failure);
    this.#notify(
      node,
      want.pulls.map(({ key }) => key),
    );
  }

  /** Forgets what went wrong, on one node after success or on all when the image's own spec changed. */
  clearFailures(wantId: string, node?: string): void {
    if (node !== undefined) this.#nodes.get(node)?.failures.delete(wantId);
    else for (const entry of this.#nodes.values()) entry.failures.delete(wantId);
  }

  #entry(name: string, uid: string): NodeEntry {
    const known = this.#nodes.get(name);
    if (known?.uid === uid) return known;
    const entry: NodeEntry = {
      uid,
      listed: NOTHING,
      receipts: new Map(),
      pulling: NOTHING,
      failures: new Map(),
    };
    this.#nodes.set(name, entry);
    return entry;
  }

  #notify(node: string, keys: readonly string[]): void {
    if (keys.length > 0) for (const listener of this.#listeners) listener(node, keys);
  }
}

/** The proofs in node.status.images: each digest, and each tag together with the digests of the same entry. */
function listedKeys(node: NodeFacts): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { names } of node.images) {
    const digests = imageDigests(names);
    const tagged = names.filter((name) => !name.includes('@'));
    for (const digest of digests) {
      keys.add(digest);
      for (const name of tagged) keys.add(`${name}@${digest}`);
    }
  }
  return keys;
}
