/** The budgets of pulling: how many nodes at once in all, per registry host and per image, and who comes next. */

import { type Place, PullLine } from './pull-line.ts';

/** What a pulling node uses up, or is counted by: `cluster`, `host:registry.example.org`, `image:namespace/name`. */
export type Claim = string;

export const CLUSTER_CLAIM: Claim = 'cluster';
/** Of a node that joined a moment ago: those may not take all slots, or an image new to old nodes would starve. */
export const NEWCOMER_CLAIM: Claim = 'newcomers';

const HOST = 'host:';
const IMAGE = 'image:';
const NAMESPACE = 'namespace:';

export function hostClaim(host: string): Claim {
  return `${HOST}${host}`;
}

export function imageClaim(wantId: string): Claim {
  return `${IMAGE}${wantId}`;
}

/** Limited by quotas alone; namespaces take turns. */
export function namespaceClaim(namespace: string): Claim {
  return `${NAMESPACE}${namespace}`;
}

/** Slots at the same time; Infinity: any number. */
export interface PullLimits {
  readonly slots: number;
  readonly slotsPerHost: number;
  readonly slotsPerImage: number;
  /** The limit of one image of its own, by want id; undefined: none. */
  readonly ofImage: (wantId: string) => number | undefined;
  /** What is known of the quota of a namespace; undefined: nothing. */
  readonly ofNamespace: (namespace: string) => number | undefined;
  /** Whether there are nodes that are not new: only for them slots are kept. */
  readonly hasOldNodes: () => boolean;
}

/** How long a node counts as new. */
export const NEW_FOR_MS = 600_000;
const NEWCOMER_SHARE = 3 / 4;

/** How many nodes may hold a claim at the same time. */
export function limitOf(claim: Claim, limits: PullLimits): number {
  if (claim === CLUSTER_CLAIM) return limits.slots;
  if (claim === NEWCOMER_CLAIM) {
    return limits.hasOldNodes() ? Math.max(1, Math.floor(limits.slots * NEWCOMER_SHARE)) : limits.slots;
  }
  if (claim.startsWith(HOST)) return limits.slotsPerHost;
  if (claim.startsWith(NAMESPACE)) return limits.ofNamespace(claim.slice(NAMESPACE.length)) ?? Infinity;
  return Math.min(limits.slotsPerImage, limits.ofImage(claim.slice(IMAGE.length)) ?? Infinity);
}

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
    return full === undefined ? 'Other nodes come first' : this.#shortageOf(full);
  }

  #shortageOf(claim: Claim): string {
    const limit = `${this.#limitOf(claim)}`;
    if (claim.startsWith(HOST)) return `${limit} nodes pull from ${claim.slice(HOST.length)}, the limit`;
    if (claim.startsWith(IMAGE)) return `${limit} nodes pull the image, the limit`;
    if (claim.startsWith(NAMESPACE))
      return `${limit} nodes pull for the namespace, as many as its quota lets through`;
    if (claim === NEWCOMER_CLAIM)
      return `${limit} new nodes pull, the limit; the other slots are for old ones`;
    return `All ${limit} pull slots are taken`;
  }
}

function placeOf(claims: readonly Claim[]): Place {
  const namespace = claims.find((claim) => claim.startsWith(NAMESPACE)) ?? NAMESPACE;
  return { namespace: namespace.slice(NAMESPACE.length), isNew: claims.includes(NEWCOMER_CLAIM) };
}
