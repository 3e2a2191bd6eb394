/** A repository's tags as one source sees them: read, filtered, in output order. */

import type { Digest } from './digest.ts';
import { type Fold, foldEach, foldSort } from './fold.ts';
import type { Integer } from './integer.ts';
import type { Pattern } from './pattern.ts';
import type { Grammar } from './tag/grammar.ts';
import { TAG_TYPES, type Tag, type TagType } from './tag/tag.ts';

/** One entry of a tag list; only vendors' own APIs tell more than the name. */
export interface ListedTag {
  readonly tag: string;
  readonly digest?: Digest;
  /** Bytes, compressed. */
  readonly size?: number;
  /** When the tag was pushed, in milliseconds since the epoch: stands in where the tag tells no date. */
  readonly pushedMs?: number;
}

export interface Listing {
  /** Every tag that exists for the source, in output order; equal ones in the registry's order. */
  readonly tags: readonly Tag[];
  readonly byTag: ReadonlyMap<string, Tag>;
  /** The same tags by type, in output order. */
  readonly byType: ReadonlyMap<TagType, readonly Tag[]>;
  /** What the registry's list told beyond the names. */
  readonly listed: ReadonlyMap<string, ListedTag>;
  /** Names in the list that do not exist for the source, with the reason. */
  readonly ignored: ReadonlyMap<string, string>;
  /** Tags that menus hide because their ending reads as an architecture. */
  readonly hiddenByArchitecture: number;
}

/** Which names exist for a source, and how they are read. */
export interface ListingFilter {
  readonly grammar: Grammar;
  readonly include: readonly Pattern[];
  readonly exclude: readonly Pattern[];
  readonly cycle: Integer | null;
}

/** Reads, filters and orders a tag list. A name that is listed twice counts once. */
export function* readListing(filter: ListingFilter, entries: Iterable<ListedTag | string>): Fold<Listing> {
  const byTag = new Map<string, Tag>();
  const ignored = new Map<string, string>();
  const listed = new Map<string, ListedTag>();
  let hiddenByArchitecture = 0;
  const patterns = [...filter.include, ...filter.exclude];
  const itemsPerStep = Math.min(1000, ...patterns.map((pattern) => pattern.itemsPerStep * 4));
  yield* foldEach(
    entries,
    (entry) => {
      const name = typeof entry === 'string' ? entry : entry.tag;
      if (byTag.has(name)) return;
      const read = readExisting(filter, name);
      if (typeof read === 'string') {
        ignored.set(name, read);
        return;
      }
      byTag.set(name, read);
      if (typeof entry !== 'string') listed.set(name, entry);
      if (read.architecture !== null) hiddenByArchitecture++;
    },
    itemsPerStep,
  );
  const byType = yield* sortByType(byTag.values(), filter.grammar);
  const tags = TAG_TYPES.flatMap((type) => byType.get(type) ?? []);
  return { tags, byTag, byType, listed, ignored, hiddenByArchitecture };
}

/** When the image was made, as far as anybody tells. */
export function dateOf(listing: Listing, tag: Tag): number | null {
  return tag.dateMs ?? listing.listed.get(tag.tag)?.pushedMs ?? null;
}

/** The tag, or the reason why it does not exist for the source. */
function readExisting(filter: ListingFilter, name: string): Tag | string {
  if (filter.include.length > 0 && !filter.include.some((pattern) => pattern.test(name)))
    return 'not in tags.include';
  const excluding = filter.exclude.find((pattern) => pattern.test(name));
  if (excluding !== undefined) return `in tags.exclude: ${excluding.source}`;
  const tag = filter.grammar.read(name);
  if (filter.cycle === null || tag.cycle === filter.cycle) return tag;
  return tag.cycle === null ? 'of no cycle' : `of cycle ${tag.cycle}`;
}

/** Sorting each type by itself spares comparing types. */
function* sortByType(
  tags: Iterable<Tag>,
  { compare, rank, tieRank }: Grammar,
): Fold<ReadonlyMap<TagType, readonly Tag[]>> {
  const types = new Map<TagType, Tag[]>();
  yield* foldEach(tags, (tag) => {
    const sameType = types.get(tag.type);
    if (sameType === undefined) types.set(tag.type, [tag]);
    else sameType.push(tag);
  });
  const sorted = new Map<TagType, readonly Tag[]>();
  const order = {
    compare: (left: Tag, right: Tag) => compare(right, left),
    rank: (tag: Tag) => -rank(tag),
    tieRank: (tag: Tag) => -tieRank(tag),
  };
  for (const [type, segment] of types) sorted.set(type, yield* foldSort(segment, order));
  return sorted;
}
