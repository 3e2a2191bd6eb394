/** What node.status.images proves, and when its silence proves something too. */

import { imageDigests, type NodeFacts } from './node.ts';

/** The kubelet cuts an entry at five names, digests first: a sixth may be missing. */
const MAX_NAMES = 5;

export interface NodeListing {
  /** Each digest, and each tag together with the digests of the same entry (`name:tag@digest`). */
  readonly keys: ReadonlySet<string>;
  /** Entries in the list. */
  readonly length: number;
  /** Unpacked bytes of the smallest entry. */
  readonly smallestBytes: number;
  /** Some entry may have lost names. */
  readonly isCut: boolean;
}

export const EMPTY_LISTING: NodeListing = { keys: new Set(), length: 0, smallestBytes: 0, isCut: false };

export function readListing(node: NodeFacts): NodeListing {
  const keys = new Set<string>();
  let smallestBytes = Number.POSITIVE_INFINITY;
  let isCut = false;
  for (const { names, sizeBytes } of node.images) {
    smallestBytes = Math.min(smallestBytes, sizeBytes);
    isCut ||= names.length >= MAX_NAMES;
    addKeys(keys, names);
  }
  return { keys, length: node.images.length, smallestBytes, isCut };
}

function addKeys(keys: Set<string>, names: readonly string[]): void {
  const tagged = names.filter((name) => !name.includes('@'));
  for (const digest of imageDigests(names)) {
    keys.add(digest);
    for (const name of tagged) keys.add(`${name}@${digest}`);
  }
}

/**
 * Whether an image of at least `sizeBytes` would be in the list if it were on the node. The list is sorted by size and
 * ends at `maxImages`: a full list tells nothing of images smaller than its last entry. Kubelets may be set to list
 * nothing at all, so an empty list is no evidence.
 */
export function wouldBeListed(listing: NodeListing, sizeBytes: number, maxImages: number): boolean {
  if (listing.length === 0 || listing.isCut) return false;
  return listing.length < maxImages || listing.smallestBytes < sizeBytes;
}
