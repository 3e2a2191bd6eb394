/** What a source wants its child to say. */

import type { ImageSource } from '../../api/image-source.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import { allAliases, type Image, imageReferenceWithDigest } from '../../domain/image.ts';
import type { ChildSpec } from '../applied-specs.ts';

const MAX_ALIASES = 16;

export function childSpec({ spec }: ImageSource, image: Image): ChildSpec {
  const aliases = allAliases(image).slice(0, MAX_ALIASES);
  return {
    image: imageReferenceWithDigest(image),
    interval: spec.interval,
    suspend: spec.suspend,
    access: spec.access,
    grammar: spec.tags.grammar,
    aliases,
    ...(image.aliasTarget !== null && { aliasTarget: image.aliasTarget }),
    ...spec.prepull,
  };
}

/** Whether the child has these labels, whatever others it has. */
export function hasLabels({ metadata }: PrepulledImage, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);
}
