/** The budgets of pulling: how many nodes at once in all, per registry host and per image, and who comes next. */

/** What a pulling node uses up: `cluster`, `host:registry.example.org`, `image:namespace/name`. */
export type Claim = string;

export const CLUSTER_CLAIM: Claim = 'cluster';

export function hostClaim(host: string): Claim {
  return `host:${host}`;
}

export function imageClaim(wantId: string): Claim {
  return `image:${wantId}`;
}

export class PullBudget {
  readonly #limitOf: (claim: Claim) => number;
  readonly #holders = new Map<string, readonly Claim[]>();
  readonly #taken = new Map<Claim, number>();
  readonly #waiting = new Map<string, readonly Claim[]>();

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

  /** True if the node, which holds nothing, may pull now: it then holds all claims; otherwise it waits in line. */
  tryTake(node: string, claims: readonly Claim[]): boolean {
    if (!claims.every((claim) => this.hasRoom(claim))) {
      this.#waiting.set(node, claims);
      return false;
    }
    this.take(node, claims);
    return true;
  }

  /** Counts a pull that runs already, such as one found at start, even above the limits. */
  take(node: string, claims: readonly Claim[]): void {
    this.#drop(node);
    this.#waiting.delete(node);
    this.#holders.set(node, claims);
    for (const claim of claims) this.#taken.set(claim, this.taken(claim) + 1);
  }

  /** Gives everything back, and the place in line; returns the waiting nodes that may try now, first come first. */
  release(node: string): readonly string[] {
    this.#waiting.delete(node);
    this.#drop(node);
    // Also if it held nothing: it may have been woken for room that it does not need, and that others wait for.
    return this.#next();
  }

  #drop(node: string): boolean {
    const claims = this.#holders.get(node);
    if (claims === undefined) return false;
    this.#holders.delete(node);
    for (const claim of claims) {
      const left = this.taken(claim) - 1;
      if (left === 0) this.#taken.delete(claim);
      else this.#taken.set(claim, left);
    }
    return true;
  }

  /** As many of the waiting as would fit together. */
  #next(): readonly string[] {
    const planned = new Map<Claim, number>();
    const used = (claim: Claim): number => this.taken(claim) + (planned.get(claim) ?? 0);
    const next: string[] = [];
    for (const [node, claims] of this.#waiting) {
      if (!this.hasRoom(CLUSTER_CLAIM) || used(CLUSTER_CLAIM) >= this.#limitOf(CLUSTER_CLAIM)) break;
      if (!claims.every((claim) => used(claim) < this.#limitOf(claim))) continue;
      next.push(node);
      for (const claim of claims) planned.set(claim, (planned.get(claim) ?? 0) + 1);
    }
    return next;
  }
}
