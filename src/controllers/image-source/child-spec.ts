/** What a source wants its child to say, and whether the child says it. */

import type { ImageSource } from '../../api/image-source.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import { allAliases, type Image, imageReferenceWithDigest } from '../../domain/image.ts';
import { isEqual } from '../../json.ts';

export type ChildSpec = Readonly<Record<string, unknown>>;

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

/** Whether the stored child says exactly that; a field that nobody wants any more has to go. */
export function saysExactly({ spec: stored }: PrepulledImage, spec: ChildSpec): boolean {
  return isEqual(stored, spec);
}

export function hasLabels({ metadata }: PrepulledImage, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);
}

interface Applied {
  readonly uid: string | undefined;
  /** JSON of the spec that was applied. */
  readonly spec: string;
  /** That the API server answered with. */
  readonly generation: number;
}

/**
 * What this process has applied. Another field manager may own more fields of a child than we set: such a child never
 * says exactly what we want, and applying again would change nothing. Lost at a restart, which costs one apply each.
 */
export class AppliedSpecs {
  /** By source, then by name of the child. */
  readonly #sources = new Map<string, Map<string, Applied>>();

  /** Whether this very spec was applied, and nobody has changed the child's since. */
  isInForce(source: string, { metadata }: PrepulledImage, spec: ChildSpec): boolean {
    const applied = this.#sources.get(source)?.get(metadata.name);
    const { uid, generation = 0 } = metadata;
    if (applied === undefined || applied.uid !== uid) return false;
    return generation <= applied.generation && applied.spec === JSON.stringify(spec);
  }

  /** `child` as the API server has stored it. */
  note(source: string, { metadata }: PrepulledImage, spec: ChildSpec): void {
    const { uid, name, generation = 0 } = metadata;
    const children = this.#sources.get(source) ?? new Map<string, Applied>();
    this.#sources.set(source, children.set(name, { uid, spec: JSON.stringify(spec), generation }));
  }

  /** Forgets all children of the source but these. */
  keepOnly(source: string, names: ReadonlySet<string>): void {
    const children = this.#sources.get(source);
    for (const name of children?.keys() ?? []) if (!names.has(name)) children?.delete(name);
  }

  forget(source: string): void {
    this.#sources.delete(source);
  }
}
