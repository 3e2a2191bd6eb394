/** The budgets of pulling: how many nodes at once in all, per registry host and per image, and who comes next. */

import { CLUSTER_CLAIM, type Claim, explainFullClaim, NEWCOMER_CLAIM, namespaceOf } from './pull-claim.ts';
import { type Place, PullLine } from './pull-line.ts';

export class PullBudget {
  readonly #limitOf: (claim: Claim) => number;
  readonly #holders = new Map<string, readonly Claim[]>();
  readonly #taken = new Map<Claim, number>();
  readonly #line = new PullLine();

  /** `limitOf` gives the nodes that may hold a claim at the same time; Infinity: any number. */
  constructor(limitOf: (claim: Claim) => number) {
    this.#limitOf = limitOf;
  }

  /** Nodes that hold the claim. */
  taken(claim: Claim): number {
    return this.#taken.get(claim) ?? 0;
  }

  hasRoom(claim: Claim): boolean {
    return this.taken(claim) < this.#limitOf(claim);
  }

  isLimited(claim: Claim): boolean {
    return this.#limitOf(claim) < Infinity;
  }

  /** When a pull for the namespace was let through last, in pulls; smaller: longer ago. */
  turnOf(namespace: string): number {
    return this.#line.turnOf(namespace);
  }

  /** True if it is the node's turn and there is room: it then holds all claims; otherwise it waits in line. */
  tryTake(node: string, claims: readonly Claim[]): boolean {
    const place = placeOf(claims);
    this.#line.add(node, place, claims);
    if (!this.entitled().includes(node)) return false;
    this.#line.serve(place);
    this.take(node, claims);
    return true;
  }

  /** Counts a pull that runs already, such as one found at start, even above the limits. */
  take(node: string, claims: readonly Claim[]): void {
    this.giveBack(node);
    this.#line.remove(node);
    this.#holders.set(node, claims);
    for (const claim of claims) this.#taken.set(claim, this.taken(claim) + 1);
  }

  /** The node pulls no more; its place in line stays. */
  giveBack(node: string): void {
    for (const claim of this.#holders.get(node) ?? []) {
      const left = this.taken(claim) - 1;
      if (left === 0) this.#taken.delete(claim);
      else this.#taken.set(claim, left);
    }
    this.#holders.delete(node);
  }

  /** The node does not want to pull now; what it holds it keeps. */
  stopWaiting(node: string): void {
    this.#line.remove(node);
  }

  /** Gives everything back, and the place in line. */
  leave(node: string): void {
    this.giveBack(node);
    this.#line.remove(node);
  }

  /** Nothing is pulled for the namespace any more: a cluster outlives many. */
  forgetNamespace(namespace: string): void {
    this.#line.forget(namespace);
  }

  /** Waiting nodes that may try now: as many as fit together, in fair order. */
  entitled(): readonly string[] {
    const planned = new Map<Claim, number>();
    const used = (claim: Claim): number => this.taken(claim) + (planned.get(claim) ?? 0);
    const hasRoom = (claim: Claim): boolean => used(claim) < this.#limitOf(claim);
    const next: string[] = [];
    if (!hasRoom(CLUSTER_CLAIM)) return next;
    for (const node of this.#line.inTurn((claims) => claims.every(hasRoom))) {
      next.push(node);
      for (const claim of this.#line.claims(node) ?? []) planned.set(claim, (planned.get(claim) ?? 0) + 1);
      if (!hasRoom(CLUSTER_CLAIM)) break;
    }
    return next;
  }

  /** Why the node waits, for people; undefined if it does not wait. */
  shortage(node: string): string | undefined {
    const claims = this.#line.claims(node);
    if (claims === undefined) return undefined;
    const full = claims.find((claim) => !this.hasRoom(claim));
    return full === undefined ? 'Other nodes come first' : explainFullClaim(full, this.#limitOf(full));
  }
}

function placeOf(claims: readonly Claim[]): Place {
  return { namespace: namespaceOf(claims), isNew: claims.includes(NEWCOMER_CLAIM) };
}
