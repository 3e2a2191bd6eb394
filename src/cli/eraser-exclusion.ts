/** What Eraser, and AKS Image Cleaner which is Eraser, must leave alone: the images that Larder keeps on nodes. */

import type { PrepulledImage } from '../api/prepulled-image.ts';
import { formatReference, validateReference } from '../domain/reference.ts';

/** Eraser reads every ConfigMap with this label in its own namespace. */
const LABEL = 'eraser.sh/exclude.list';

/**
 * Each image under every name by which a version of Eraser may know it: with its tag, with its digest, and the digest
 * alone. Suspended images are left alone as well. Sorted, each name once.
 */
export function excludedNames(images: readonly PrepulledImage[]): readonly string[] {
  return [...new Set(images.flatMap(namesOf))].sort();
}

function namesOf({ spec, status }: PrepulledImage): readonly string[] {
  const asked = validateReference(spec.image);
  if (!asked.ok) return [];
  const { registry, repository, tag, digest: given } = asked.value;
  const digest = given ?? status?.image?.digest;
  return [
    ...(tag === undefined ? [] : [formatReference({ registry, repository, tag })]),
    ...(digest === undefined ? [] : [`${registry}/${repository}@${digest}`, digest]),
  ];
}

/** The ConfigMap, ready to be applied. */
export function eraserExclusion(images: readonly PrepulledImage[], namespace: string): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'larder-excluded', namespace, labels: { [LABEL]: 'true' } },
    data: { 'excluded.json': JSON.stringify({ excluded: excludedNames(images) }) },
  };
}
