/** What one PrepulledImage asks of the nodes: which pulls, where, and how urgent. */

import type { Digest } from './digest.ts';
import { type Eligibility, eligibility, type NodeFacts, type NodeScope } from './node.ts';
import { formatPlatform, type Platform, platformMatches } from './platform.ts';
import { formatReference, type Reference } from './reference.ts';

/** IfNotPresent is enough for a digest; a tag must be asked for again, or a moved tag stays where it was. */
export type PullPolicy = 'IfNotPresent' | 'Always';

/** One image name that must be on a node. */
export interface Pull {
  /**
   * Identity of the proof: a digest (content, under whatever name) or `registry/repository:tag@digest`
   * (this name for this content).
   */
  readonly key: string;
  /** What the container asks for. */
  readonly reference: string;
  readonly policy: PullPolicy;
}

export const PULL_BY = ['Digest', 'Tag', 'Both'] as const;
export type PullBy = (typeof PULL_BY)[number];

export interface Want {
  /** `namespace/name` of the PrepulledImage. */
  readonly id: string;
  readonly namespace: string;
  /** Equal for wants whose pulls may share a pod: same namespace, secrets, service account, priority class. */
  readonly identity: string;
  /** 0-100; higher goes first. */
  readonly priority: number;
  /** Compressed size in bytes; 0 if unknown. */
  readonly sizeBytes: number;
  readonly pulls: readonly Pull[];
  readonly scope: NodeScope;
  /** Registry host, as written; pulls from one host share a budget and a circuit. */
  readonly host: string;
  /** After this long a pull counts as slow and gives its budget back. */
  readonly timeoutMs: number;
  /** Presence that cannot be seen is verified by a cheap pull once in this time. */
  readonly verifyIntervalMs: number;
  /** Finished pull pods stay, which protects the image from the kubelet's collector. */
  readonly keepWarm: boolean;
  /** Nodes that may pull it at the same time; undefined: as many as the budgets let. */
  readonly maxConcurrentNodes?: number;
  /** Platforms the image has; empty if unknown, which counts as fitting. */
  readonly platforms: readonly Platform[];
}

/** The pulls that `by` demands of an image with this tag and digest; without a tag there is only the digest. */
export function pullsFor(image: Reference & { readonly digest: Digest }, by: PullBy): readonly Pull[] {
  const { registry, repository, tag, digest } = image;
  const byDigest: Pull = {
    key: digest,
    reference: formatReference({ registry, repository, digest }),
    policy: 'IfNotPresent',
  };
  if (tag === undefined || by === 'Digest') return [byDigest];
  const reference = formatReference({ registry, repository, tag });
  const byTag: Pull = { key: `${reference}@${digest}`, reference, policy: 'Always' };
  return by === 'Tag' ? [byTag] : [byDigest, byTag];
}

/** The content of the image, under whatever name it is pulled. */
export function digestOf({ pulls }: Pick<Want, 'pulls'>): string {
  const { key = '' } = pulls[0] ?? {};
  return key.slice(key.lastIndexOf('@') + 1);
}

/** Compressed bytes by digest: several wants of one image cost a node its bytes once, by the word of one that knows them. */
export function sizesByDigest(wants: readonly Want[]): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const want of wants) {
    const digest = digestOf(want);
    sizes.set(digest, Math.max(want.sizeBytes, sizes.get(digest) ?? 0));
  }
  return sizes;
}

/** Whether the node is one of those the image must be on now, and if not why. */
export function placement(node: NodeFacts, want: Pick<Want, 'scope' | 'platforms'>): Eligibility {
  const eligible = eligibility(node, want.scope);
  if (!eligible.eligible) return eligible;
  const host = { os: node.os, architecture: node.architecture };
  // Its kubelet would refuse the pod, which is made for Linux.
  if (node.os !== 'linux') {
    const message = `Images are pulled on linux only; the node is ${formatPlatform(host)}`;
    return { eligible: false, reason: 'PlatformMismatch', message };
  }
  if (want.platforms.length === 0) return eligible;
  if (want.platforms.some((platform) => platformMatches(host, platform))) return eligible;
  const offered = want.platforms.map(formatPlatform).join(', ');
  const message = `Image is for ${offered}; the node is ${formatPlatform(host)}`;
  return { eligible: false, reason: 'PlatformMismatch', message };
}
