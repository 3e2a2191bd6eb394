/**
 * Nodes that wait for a slot, and whose turn it is: namespaces take turns, so that one with a thousand images cannot
 * keep another waiting; within a namespace new and old nodes take turns; among those, who came first.
 */

import type { Claim } from './pull-claim.ts';

/** Where a node stands in line. */
export interface Place {
  readonly namespace: string;
  /** Whether the node joined the cluster a moment ago. */
  readonly isNew: boolean;
}

type Queue = Map<string, readonly Claim[]>;

interface Lane {
  readonly new: Queue;
  readonly old: Queue;
  /** Who was served last; the others come next. */
  servedNew: boolean;
}

export class PullLine {
  readonly #lanes = new Map<string, Lane>();
  readonly #queues = new Map<string, Queue>();
  /** When each namespace was served last, counted in servings. */
  readonly #turns = new Map<string, number>();
  #servings = 0;

  /** Keeps the place of a node that stands there already. */
  add(node: string, { namespace, isNew }: Place, claims: readonly Claim[]): void {
    const queue = this.#lane(namespace)[isNew ? 'new' : 'old'];
    if (this.#queues.get(node) !== queue) this.remove(node);
    queue.set(node, claims);
    this.#queues.set(node, queue);
  }

  remove(node: string): void {
    this.#queues.get(node)?.delete(node);
    this.#queues.delete(node);
  }

  /** What the node waits for; undefined if it does not wait. */
  claims(node: string): readonly Claim[] | undefined {
    return this.#queues.get(node)?.get(node);
  }

  /** Smaller: longer ago. */
  turnOf(namespace: string): number {
    return this.#turns.get(namespace) ?? 0;
  }

  /** Nothing is pulled for the namespace any more. */
  forget(namespace: string): void {
    const lane = this.#lanes.get(namespace);
    if (lane !== undefined && lane.new.size + lane.old.size > 0) return;
    this.#lanes.delete(namespace);
    this.#turns.delete(namespace);
  }

  /** The namespace has had its turn. */
  serve({ namespace, isNew }: Place): void {
    this.#servings += 1;
    this.#turns.set(namespace, this.#servings);
    this.#lane(namespace).servedNew = isNew;
  }

  /** The nodes for which `fits` holds when they are asked in fair order, one of each namespace in a round. */
  *inTurn(fits: (claims: readonly Claim[]) => boolean): Generator<string, void> {
    let rounds = [...this.#lanes]
      .filter(([, lane]) => lane.new.size + lane.old.size > 0)
      .sort(([left], [right]) => this.turnOf(left) - this.turnOf(right))
      .map(([, lane]) => alternate(lane, fits));
    while (rounds.length > 0) {
      const going: typeof rounds = [];
      for (const lane of rounds) {
        const next = lane.next();
        if (next.done === true) continue;
        yield next.value;
        going.push(lane);
      }
      rounds = going;
    }
  }

  #lane(namespace: string): Lane {
    const known = this.#lanes.get(namespace);
    if (known !== undefined) return known;
    const lane: Lane = { new: new Map(), old: new Map(), servedNew: true };
    this.#lanes.set(namespace, lane);
    return lane;
  }
}

function* alternate(lane: Lane, fits: (claims: readonly Claim[]) => boolean): Generator<string, void> {
  const queues = lane.servedNew ? [lane.old, lane.new] : [lane.new, lane.old];
  let asking = queues.map((queue) => queue[Symbol.iterator]());
  while (asking.length > 0) {
    const going: typeof asking = [];
    for (const queue of asking) {
      const node = firstFitting(queue, fits);
      if (node === undefined) continue;
      yield node;
      going.push(queue);
    }
    asking = going;
  }
}

function firstFitting(
  queue: Iterator<[string, readonly Claim[]]>,
  fits: (claims: readonly Claim[]) => boolean,
): string | undefined {
  for (let next = queue.next(); next.done !== true; next = queue.next()) {
    const [node, claims] = next.value;
    if (fits(claims)) return node;
  }
  return undefined;
}
