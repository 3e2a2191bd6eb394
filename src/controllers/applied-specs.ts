/** Whether a child has to be applied again: the children of one owner, and what was applied to them last. */

import type { PrepulledImage } from '../api/prepulled-image.ts';
import { isEqual } from '../json.ts';

/** What an owner wants its child to say. */
export type ChildSpec = Readonly<Record<string, unknown>>;

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
  /** By key of the owner, then by name of the child. */
  readonly #owners = new Map<string, Map<string, Applied>>();

  /**
   * Whether the stored child says exactly that, for a field that nobody wants any more has to go; or this very spec was
   * applied, and nobody has changed the child's since.
   */
  isAsWanted(owner: string, { metadata, spec: stored }: PrepulledImage, spec: ChildSpec): boolean {
    if (isEqual(stored, spec)) return true;
    const applied = this.#owners.get(owner)?.get(metadata.name);
    const { uid, generation = 0 } = metadata;
    if (applied === undefined || applied.uid !== uid) return false;
    return generation <= applied.generation && applied.spec === JSON.stringify(spec);
  }

  /** `child` as the API server has stored it. */
  note(owner: string, { metadata }: PrepulledImage, spec: ChildSpec): void {
    const { uid, name, generation = 0 } = metadata;
    const children = this.#owners.get(owner) ?? new Map<string, Applied>();
    this.#owners.set(owner, children.set(name, { uid, spec: JSON.stringify(spec), generation }));
  }

  /** Forgets all children of the owner but these. */
  keepOnly(owner: string, names: ReadonlySet<string>): void {
    const children = this.#owners.get(owner);
    for (const name of children?.keys() ?? []) if (!names.has(name)) children?.delete(name);
  }

  forget(owner: string): void {
    this.#owners.delete(owner);
  }
}
