/** What a node must hold to pull, and how many nodes may hold the same. */

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
export function claimLimit(claim: Claim, limits: PullLimits): number {
  if (claim === CLUSTER_CLAIM) return limits.slots;
  if (claim === NEWCOMER_CLAIM) {
    return limits.hasOldNodes() ? Math.max(1, Math.floor(limits.slots * NEWCOMER_SHARE)) : limits.slots;
  }
  if (claim.startsWith(HOST)) return limits.slotsPerHost;
  if (claim.startsWith(NAMESPACE)) return limits.ofNamespace(claim.slice(NAMESPACE.length)) ?? Infinity;
  return Math.min(limits.slotsPerImage, limits.ofImage(claim.slice(IMAGE.length)) ?? Infinity);
}

/** Why a node waits that needs a claim of which no more can be had, for people. */
export function explainFullClaim(claim: Claim, limit: number): string {
  if (claim.startsWith(HOST)) return `${limit} nodes pull from ${claim.slice(HOST.length)}, the limit`;
  if (claim.startsWith(IMAGE)) return `${limit} nodes pull the image, the limit`;
  if (claim.startsWith(NAMESPACE))
    return `${limit} nodes pull for the namespace, as many as its quota lets through`;
  if (claim === NEWCOMER_CLAIM) return `${limit} new nodes pull, the limit; the other slots are for old ones`;
  return `All ${limit} pull slots are taken`;
}

/** The namespace that the claims are for, the first of several; empty if they are for none. */
export function namespaceOf(claims: readonly Claim[]): string {
  return (claims.find((claim) => claim.startsWith(NAMESPACE)) ?? NAMESPACE).slice(NAMESPACE.length);
}
