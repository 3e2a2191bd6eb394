/** What changed between two scans of one source. */

import type { PublishedImage } from './selection-result.ts';

/** A tag that means another digest now. */
export interface MovedTag {
  readonly tag: string;
  readonly from: string;
  readonly to: string;
}

/** Tags in the order of the newer scan; removed ones in the order of the older. */
export interface ScanDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly moved: readonly MovedTag[];
}

type Scanned = Pick<PublishedImage, 'tag' | 'digest'>;

/** Compares by tag. A digest that only becomes known, or cannot be asked for now, has not moved. */
export function diffScans(before: readonly Scanned[], after: readonly Scanned[]): ScanDiff {
  const old = new Map(before.map(({ tag, digest }) => [tag, digest]));
  const now = new Set(after.map(({ tag }) => tag));
  return {
    added: after.filter(({ tag }) => !old.has(tag)).map(({ tag }) => tag),
    removed: before.filter(({ tag }) => !now.has(tag)).map(({ tag }) => tag),
    moved: after.flatMap(({ tag, digest }) => {
      const from = old.get(tag) ?? null;
      return from === null || digest === null || from === digest ? [] : [{ tag, from, to: digest }];
    }),
  };
}
