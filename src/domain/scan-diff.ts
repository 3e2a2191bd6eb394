/** What changed between two scans of one source. */

import type { PublishedImage } from './selection-result.ts';

/** A tag that means another digest now. */
export interface MovedTag {
  readonly tag: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** Tags in the order of the newer scan; removed ones in the order of the older. */
export interface ScanDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly moved: readonly MovedTag[];
  /** Same digest, other name or aliases. */
  readonly renamed: readonly string[];
}

type Scanned = Pick<PublishedImage, 'tag' | 'digest' | 'name' | 'aliases'>;

/** Compares by tag; a digest that only becomes known is a move from null. */
export function diffScans(before: readonly Scanned[], after: readonly Scanned[]): ScanDiff {
  const old = new Map(before.map((image) => [image.tag, image]));
  const now = new Set(after.map(({ tag }) => tag));
  const kept = after.flatMap((image) => {
    const previous = old.get(image.tag);
    return previous === undefined ? [] : [{ previous, image }];
  });
  const [moved, unmoved] = partition(kept, ({ previous, image }) => previous.digest !== image.digest);
  return {
    added: after.filter(({ tag }) => !old.has(tag)).map(({ tag }) => tag),
    removed: before.filter(({ tag }) => !now.has(tag)).map(({ tag }) => tag),
    moved: moved.map(({ previous, image }) => ({ tag: image.tag, from: previous.digest, to: image.digest })),
    renamed: unmoved
      .filter(({ previous, image }) => !readsSame(previous, image))
      .map(({ image }) => image.tag),
  };
}

/** Whether nothing changed at all. */
export function isUnchanged({ added, removed, moved, renamed }: ScanDiff): boolean {
  return added.length + removed.length + moved.length + renamed.length === 0;
}

function readsSame(left: Scanned, right: Scanned): boolean {
  return left.name === right.name && left.aliases.join(' ') === right.aliases.join(' ');
}

function partition<T>(
  items: readonly T[],
  test: (item: T) => boolean,
): readonly [readonly T[], readonly T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
