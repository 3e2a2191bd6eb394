/**
 * The states of all pairs of image and node, kept as they change: an event costs what it concerns - one node, one image
 * or one pair - and a report costs the length of its lists, however many nodes there are.
 */

import type { NodeFacts } from './node.ts';
import { compareNames, SortedNames } from './sorted-names.ts';
import {
  countStates,
  explain,
  firstToRetry,
  NODE_STATES,
  noNames,
  openCircuit,
  PAIR_STATES,
  type PairState,
  pairState,
  type ReportLimits,
  type StockFacts,
  type StockReport,
  shownAs,
  stockReport,
} from './stock-report.ts';
import type { Want } from './want.ts';

/** Nodes that became eligible a moment ago: an image that was ready does not stop being so because a node joined. */
export interface Newcomers {
  /** Those that lack the image. */
  readonly missing: number;
  /** Milliseconds until the first of them counts like any other. */
  readonly lookAfterMs?: number;
}

interface Entry {
  readonly want: Want;
  /** To see whether somebody asks for the same. */
  readonly text: string;
  /** By node; a node that the selector leaves out has none. */
  readonly states: Map<string, PairState>;
  readonly names: Readonly<Record<PairState, SortedNames>>;
  /** Since when nodes are eligible, monotonic milliseconds; who was there when the image came is not in it. */
  readonly joined: Map<string, number>;
}

export class StockIndex {
  readonly #facts: StockFacts;
  readonly #monotonic: () => number;
  readonly #nodes = new Map<string, NodeFacts>();
  readonly #entries = new Map<string, Entry>();

  /** `monotonic` tells milliseconds. */
  constructor(facts: StockFacts, monotonic: () => number) {
    this.#facts = facts;
    this.#monotonic = monotonic;
  }

  /** The node is new or has changed. Returns the ids of the images that stand differently there now. */
  putNode(node: NodeFacts): readonly string[] {
    this.#nodes.set(node.name, node);
    return this.#placeAll(node.name);
  }

  removeNode(name: string): readonly string[] {
    this.#nodes.delete(name);
    return this.#placeAll(name);
  }

  /** The node is that old, in milliseconds: it may have joined before anybody told this index of anything. */
  noteAge(name: string, ageMs: number): void {
    for (const { want, states, joined } of this.#entries.values())
      if (ageMs < want.timeoutMs && isEligible(states.get(name))) joined.set(name, this.#monotonic() - ageMs);
  }

  /** The ids of the images whose selector takes the node in. */
  imagesOf(node: string): readonly string[] {
    return [...this.#entries].filter(([, { states }]) => states.has(node)).map(([id]) => id);
  }

  putWant(want: Want): void {
    const before = this.#entries.get(want.id);
    const text = JSON.stringify(want);
    const entry = { want, text, states: new Map<string, PairState>(), joined: new Map(before?.joined) };
    const names = noNames();
    for (const node of this.#nodes.values()) {
      const state = pairState(node, want, this.#facts.coverage);
      if (before !== undefined) this.#noteJoin(entry, node.name, before.states.get(node.name), state);
      if (state === undefined) continue;
      entry.states.set(node.name, state);
      names[state].push(node.name);
    }
    this.#entries.set(want.id, { ...entry, names: sortNames(names) });
  }

  removeWant(id: string): void {
    this.#entries.delete(id);
  }

  /** Something was learned of the image on the node. */
  touch(node: string, wantId: string): void {
    const entry = this.#entries.get(wantId);
    if (entry !== undefined) this.#place(entry, node);
  }

  /** A want that has not come here yet, such as of an image resolved just now, costs a look at all nodes. */
  report(want: Want, limits: ReportLimits): StockReport {
    const entry = this.#entries.get(want.id);
    if (entry?.text === JSON.stringify(want)) return this.#report(entry, limits);
    return stockReport(want, [...this.#nodes.values()], this.#facts, limits);
  }

  #report({ want, names }: Entry, limits: ReportLimits): StockReport {
    const open = openCircuit(want, this.#facts.circuits);
    const shown = (state: PairState) => PAIR_STATES.filter((own) => shownAs(own, open) === state);
    const missing = NODE_STATES.flatMap((state) => merge(shown(state), names, limits.missing));
    const facts = { ...this.#facts, open };
    const unlisted = firstToRetry(names.Failed.after(limits.missing), want, facts);
    return {
      ...(unlisted !== undefined && { unlisted }),
      ...countStates((state) => shown(state).reduce((sum, own) => sum + names[own].size, 0)),
      presentOn: names.Present.first(limits.present),
      missing: missing
        .slice(0, limits.missing)
        .flatMap((name) => explain(this.#nodes.get(name), want, facts)),
    };
  }

  newcomers(id: string): Newcomers {
    const entry = this.#entries.get(id);
    if (entry === undefined) return { missing: 0 };
    const { want, states, joined } = entry;
    const monotonic = this.#monotonic();
    let [missing, oldest] = [0, 0];
    for (const [node, since] of joined) {
      const age = monotonic - since;
      if (age >= want.timeoutMs) joined.delete(node);
      else if (states.get(node) !== 'Present') {
        missing += 1;
        oldest = Math.max(oldest, age);
      }
    }
    return { missing, ...(missing > 0 && { lookAfterMs: want.timeoutMs - oldest }) };
  }

  /** Over all images: pairs whose node should have the image, and those whose node has it. */
  totals(): { readonly eligible: number; readonly present: number } {
    let [eligible, present] = [0, 0];
    for (const { names } of this.#entries.values()) {
      const counts = countStates((state) => names[state].size);
      eligible += counts.eligible;
      present += counts.present;
    }
    return { eligible, present };
  }

  #placeAll(node: string): readonly string[] {
    const changed: string[] = [];
    for (const [id, entry] of this.#entries) if (this.#place(entry, node)) changed.push(id);
    return changed;
  }

  #place(entry: Entry, name: string): boolean {
    const node = this.#nodes.get(name);
    const before = entry.states.get(name);
    const state = node === undefined ? undefined : pairState(node, entry.want, this.#facts.coverage);
    if (state === before) return false;
    if (before !== undefined) entry.names[before].delete(name);
    if (state === undefined) entry.states.delete(name);
    else {
      entry.states.set(name, state);
      entry.names[state].add(name);
    }
    this.#noteJoin(entry, name, before, state);
    return true;
  }

  #noteJoin(
    { joined }: Pick<Entry, 'joined'>,
    node: string,
    before: PairState | undefined,
    state: PairState | undefined,
  ): void {
    if (!isEligible(state)) joined.delete(node);
    else if (!isEligible(before)) joined.set(node, this.#monotonic());
  }
}

function isEligible(state: PairState | undefined): boolean {
  return state !== undefined && state !== 'Skipped';
}

type Names = Entry['names'];

function sortNames(names: Readonly<Record<PairState, readonly string[]>>): Names {
  return {
    Present: new SortedNames(names.Present),
    Failed: new SortedNames(names.Failed),
    Pulling: new SortedNames(names.Pulling),
    Waiting: new SortedNames(names.Waiting),
    Unknown: new SortedNames(names.Unknown),
    Skipped: new SortedNames(names.Skipped),
  };
}

/** The first `count` names of several states, and perhaps more, in order. */
function merge(states: readonly PairState[], names: Names, count: number): readonly string[] {
  return states.flatMap((state) => names[state].first(count)).sort(compareNames);
}
