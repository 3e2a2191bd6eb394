/** Which PrepulledImage is the child of which image: one for each digest, under a name that it keeps. */

import { LABELS } from '../../api/group-version.ts';
import type { ImageSource } from '../../api/image-source.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { Image } from '../../domain/image.ts';
import { type Reference, validateReference } from '../../domain/reference.ts';
import type { SourceImages } from '../../domain/source-images.ts';
import type { Lister } from '../../kube/cache.ts';
import { childName, controllerOf, haveSameIdentity } from '../../kube/owner-reference.ts';
import { formatKey } from '../../kube/resource.ts';

const BY_OWNER = 'owner';
const RELEASED = 'released';

/** Indexes of the PrepulledImage informer: by the uid of the controlling owner, and by the source that let go of them. */
export const CHILD_INDEXES: Readonly<Record<string, (image: PrepulledImage) => readonly string[]>> = {
  [BY_OWNER]: (image) => [controllerOf(image)?.uid ?? ''],
  [RELEASED]: releasedBy,
};

type Images = Pick<Lister<PrepulledImage>, 'byIndex'>;

export function childrenOf(images: Images, { metadata }: ImageSource): readonly PrepulledImage[] {
  return images.byIndex(BY_OWNER, metadata.uid ?? '');
}

/** Children that were kept when they retired, or outlived their source: they come home when their image is selected again. */
export function releasedChildrenOf(images: Images, { metadata }: ImageSource): readonly PrepulledImage[] {
  return images.byIndex(RELEASED, formatKey(metadata));
}

export function isReleasedBy(child: PrepulledImage, { metadata }: ImageSource): boolean {
  return releasedBy(child).includes(formatKey(metadata));
}

/** The source whose label a PrepulledImage without owner has kept, as `namespace/name`; at most one. */
function releasedBy(image: PrepulledImage): readonly string[] {
  const { namespace, labels } = image.metadata;
  const name = labels?.[LABELS.source];
  return name === undefined || controllerOf(image) !== undefined ? [] : [formatKey({ namespace, name })];
}

/** The images that are to have a child: one per digest. While nobody knows its digest, an image has none. */
export function imagesWithChild({ selected }: SourceImages): readonly Image[] {
  return selected.images.filter(
    ({ digest, tag }) => digest !== null && selected.imageForDigest(digest)?.tag === tag,
  );
}

/** What the child of the image is called. A digest keeps its child when another of its tags becomes the primary one. */
export function childNameOf(
  { metadata: { name } }: ImageSource,
  { tag, digest, registry, repository }: Image,
  existing: ReadonlyMap<string, PrepulledImage>,
): string {
  // What can be read of a name is not enough: `a.b` and `a-b` read alike, and so do `a` with tag b-1 and `a-b` with 1.
  const identity = `${name} ${registry}/${repository}@${digest ?? ''}`;
  const own = childName(`${name}-${tag}`, identity);
  const child = existing.get(digest ?? '');
  if (child === undefined) return own;
  // A person may have copied a child with its label: without an owner only a name of our making shows that it is one.
  const isChild = controllerOf(child) !== undefined || haveSameIdentity(child.metadata.name, own);
  return isChild ? child.metadata.name : own;
}

/** By the digest that the spec names; of several the first counts. */
export function childrenByDigest(children: readonly PrepulledImage[]): ReadonlyMap<string, PrepulledImage> {
  const byDigest = new Map<string, PrepulledImage>();
  for (const child of children) {
    const digest = childReference(child)?.digest ?? '';
    if (!byDigest.has(digest)) byDigest.set(digest, child);
  }
  return byDigest;
}

/** Undefined if somebody has written what is no reference. */
export function childReference({ spec }: PrepulledImage): Reference | undefined {
  const reference = validateReference(spec.image);
  return reference.ok ? reference.value : undefined;
}
