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
  const segments = new Map<TagType, Segment>();
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
      addToSegment(segments, filter.grammar, read);
      if (typeof entry !== 'string') listed.set(name, entry);
      if (read.architecture !== null) hiddenByArchitecture++;
    },
    itemsPerStep,
  );
  const byType = yield* sortSegments(segments, filter.grammar);
  const tags = ([] as Tag[]).concat(...TAG_TYPES.map((type) => byType.get(type) ?? []));
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

/** Tags of one type in the registry's order, with what sorts them. */
interface Segment {
  readonly tags: Tag[];
  readonly ranks: number[];
  readonly tieRanks: number[];
}

/** Ranks are asked for while the tag is at hand: later each would have to come from memory again. */
function addToSegment(segments: Map<TagType, Segment>, { rank, tieRank }: Grammar, tag: Tag): void {
  let segment = segments.get(tag.type);
  if (segment === undefined) {
    segment = { tags: [], ranks: [], tieRanks: [] };
    segments.set(tag.type, segment);
  }
  segment.tags.push(tag);
  // Newest first; subtracted, because negating 0 would give minus zero.
  segment.ranks.push(0 - rank(tag));
  segment.tieRanks.push(0 - tieRank(tag));
}

/** Sorting each type by itself spares comparing types. */
function* sortSegments(
  segments: ReadonlyMap<TagType, Segment>,
  { compare }: Grammar,
): Fold<ReadonlyMap<TagType, readonly Tag[]>> {
  const sorted = new Map<TagType, readonly Tag[]>();
  for (const [type, { tags, ranks, tieRanks }] of segments) {
    const order = { compare: (left: Tag, right: Tag) => compare(right, left), ranks: { ranks, tieRanks } };
    sorted.set(type, yield* foldSort(tags, order));
  }
  return sorted;
}
