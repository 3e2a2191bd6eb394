/** Which tags of one repository are the same image: names that share a digest learn of each other. */

import type { Digest } from './digest.ts';
import { type Image, resolveAlias } from './image.ts';
import { isPossibleAlias } from './tag/tag.ts';

/** Images of one digest. */
export type Siblings = readonly Image[];

/** The image that stands for a digest: the first version image, else the first of all. */
export function primaryOf(siblings: Siblings): Image | undefined {
  return siblings.find((image) => !isPossibleAlias(image)) ?? siblings[0];
}

/** Images by digest, both in the given order; those without digest are left out. */
export function groupByDigest(images: readonly Image[]): ReadonlyMap<Digest, Siblings> {
  const groups = new Map<Digest, Image[]>();
  for (const image of images) addToGroup(groups, image);
  return groups;
}

/** Puts an image with its siblings. */
export function addToGroup(groups: Map<Digest, Image[]>, image: Image): void {
  if (image.digest === null) return;
  const group = groups.get(image.digest);
  if (group === undefined) groups.set(image.digest, [image]);
  else group.push(image);
}

/**
 * Lets images of one digest (in listing order) know each other; the result is in another order.
 *
 * The first version-type image is primary. Every later version image and the primary know each other; every possible
 * alias is resolved to the primary and known to all. Without a version image nothing is promoted, but all know all.
 */
export function resolveSiblings(siblings: Siblings): Siblings {
  if (siblings.length === 1) return siblings;
  const versions = siblings.filter((image) => !isPossibleAlias(image));
  const names = siblings.filter(isPossibleAlias);
  const [primary] = versions;
  if (primary === undefined) return names.map((image) => withAliases(image, siblings));
  const known = withAliases(primary, siblings);
  return [
    known,
    // A secondary version knows the primary and the names, but not the other secondaries.
    ...versions.slice(1).map((image) => withAliases(image, [primary, ...names])),
    ...names.map((image) => resolveAlias(image, known)),
  ];
}

function withAliases(image: Image, others: Siblings): Image {
  const known = new Set([...image.aliases, ...others.map((other) => other.tag)]);
  known.delete(image.tag);
  return { ...image, aliases: [...known].sort() };
}
