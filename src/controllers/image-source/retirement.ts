/** Which children have to go. What a tag meant stays until its new image is on the nodes, so that it is never without. */

import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { Image } from '../../domain/image.ts';
import { childReference, childrenByDigest } from './child-identity.ts';
import type { FailedDigest } from './digests.ts';

export interface Retirement {
  readonly existing: readonly PrepulledImage[];
  /** One image per child that there is to be. */
  readonly wanted: readonly Image[];
  /** Of these children. */
  readonly names: ReadonlySet<string>;
  /** Tags whose digest could not be asked for. */
  readonly failed: readonly FailedDigest[];
}

export function childrenToRetire({ existing, wanted, names, failed }: Retirement): readonly PrepulledImage[] {
  const leaving = existing.filter(({ metadata }) => !names.has(metadata.name));
  if (leaving.length === 0) return [];
  const unknown = new Set(failed.filter(({ kept }) => !kept).map(({ tag }) => tag));
  const digests = new Map(wanted.map(({ tag, digest }) => [tag, digest ?? '']));
  const byDigest = childrenByDigest(existing);
  const byTag = Map.groupBy(leaving, (child) => childReference(child)?.tag ?? '');
  return [...byTag].flatMap(([tag, children]) => {
    if (unknown.has(tag)) return [];
    const digest = digests.get(tag);
    if (digest === undefined || isStocked(byDigest.get(digest))) return children;
    // One is enough, or a node that can pull none of them would make the tag keep every image it ever meant.
    return children.toSorted(bestFirst).slice(1);
  });
}

/** Whether the new image of a tag needs the old one no more. */
function isStocked(child: PrepulledImage | undefined): boolean {
  return child?.status?.prepulled === true || child?.status?.nodes?.eligible === 0;
}

/** On more nodes, or else newer. */
function bestFirst(left: PrepulledImage, right: PrepulledImage): number {
  return presentOf(right) - presentOf(left) || (createdAt(left) < createdAt(right) ? 1 : -1);
}

function presentOf({ status }: PrepulledImage): number {
  return status?.nodes?.present ?? 0;
}

function createdAt({ metadata }: PrepulledImage): string {
  return metadata.creationTimestamp ?? '';
}
