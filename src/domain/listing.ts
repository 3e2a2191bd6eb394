/** A repository's tags as one source sees them: read, filtered, in output order. */

import type { Digest } from './digest.ts';
import { type Fold, foldEach, foldOrder } from './fold.ts';
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

/** Names only: to read a tag again costs less than to keep a hundred thousand of them. */
export interface Listing {
  /** Every tag that exists for the source, in output order; equal ones in the registry's order. */
  readonly names: readonly string[];
  /** The same names by type, types in their fixed order. */
  readonly namesByType: ReadonlyMap<TagType, readonly string[]>;
  /** What a name of the list says. */
  readonly read: (name: string) => Tag;
  /** What the registry's list told beyond the names. */
  readonly listed: ReadonlyMap<string, ListedTag>;
  /** Names in the list that do not exist for the source, with the reason. */
  readonly ignored: ReadonlyMap<string, string>;
  /** Tags that menus hide because their ending reads as an architecture. */
  readonly hiddenByArchitecture: number;
  /** Names that are ignored because their cycle is another. */
  readonly hiddenByCycle: number;
}

/** Which names exist for a source, and how they are read. */
export interface ListingFilter {
  readonly grammar: Grammar;
  readonly include: readonly Pattern[];
  readonly exclude: readonly Pattern[];
  readonly cycle: Integer | null;
}

/**
 * Reads, filters and orders a tag list.
 *
 * @param entries bare names each once, as the registry client gives them; of entries of one name the first counts
 */
export function* readListing(filter: ListingFilter, entries: readonly (ListedTag | string)[]): Fold<Listing> {
  const segments = new Map<TagType, Segment>();
  const ignored = new Map<string, string>();
  const listed = new Map<string, ListedTag>();
  let hiddenByArchitecture = 0;
  let hiddenByCycle = 0;
  const patterns = [...filter.include, ...filter.exclude];
  const itemsPerStep = Math.min(1000, ...patterns.map((pattern) => pattern.itemsPerStep * 4));
  yield* foldEach(
    entries,
    (entry) => {
      const name = typeof entry === 'string' ? entry : entry.tag;
      if (listed.has(name)) return;
      const tag = readExisting(filter, name);
      if (typeof tag === 'string') {
        ignored.set(name, tag);
        return;
      }
      if (filter.cycle !== null && tag.cycle !== filter.cycle) {
        ignored.set(name, tag.cycle === null ? 'of no cycle' : `of cycle ${tag.cycle}`);
        hiddenByCycle++;
        return;
      }
      addToSegment(segments, filter.grammar, tag);
      if (typeof entry !== 'string') listed.set(name, entry);
      if (tag.architecture !== null) hiddenByArchitecture++;
    },
    itemsPerStep,
  );
  const namesByType = yield* sortSegments(segments, filter.grammar);
  const names = ([] as string[]).concat(...namesByType.values());
  return {
    names,
    namesByType,
    read: filter.grammar.read,
    listed,
    ignored,
    hiddenByArchitecture,
    hiddenByCycle,
  };
}

/** Every tag of the list, read one after the other. */
export function* readAll({ names, read }: Listing): Generator<Tag> {
  for (const name of names) yield read(name);
}

/** When the image was made, as far as anybody tells. */
export function dateOf(listing: Listing, tag: Tag): number | null {
  return tag.dateMs ?? listing.listed.get(tag.tag)?.pushedMs ?? null;
}

/** The tag, or the reason why the patterns leave it out. */
function readExisting(filter: ListingFilter, name: string): Tag | string {
  if (filter.include.length > 0 && !filter.include.some((pattern) => pattern.test(name)))
    return 'not in tags.include';
  const excluding = filter.exclude.find((pattern) => pattern.test(name));
  if (excluding !== undefined) return `in tags.exclude: ${excluding.source}`;
  return filter.grammar.read(name);
}

/** Names of one type in the registry's order, with what sorts them. */
interface Segment {
  readonly names: string[];
  readonly ranks: number[];
  readonly tieRanks: number[];
}

/** Ranks are asked for while the tag is at hand: it is not kept. */
function addToSegment(segments: Map<TagType, Segment>, { rank, tieRank }: Grammar, tag: Tag): void {
  let segment = segments.get(tag.type);
  if (segment === undefined) {
    segment = { names: [], ranks: [], tieRanks: [] };
    segments.set(tag.type, segment);
  }
  segment.names.push(tag.tag);
  // Newest first; subtracted, because negating 0 would give minus zero.
  segment.ranks.push(0 - rank(tag));
  segment.tieRanks.push(0 - tieRank(tag));
}

/** Sorting each type by itself spares comparing types. */
function* sortSegments(
  segments: ReadonlyMap<TagType, Segment>,
  { read, compare }: Grammar,
): Fold<ReadonlyMap<TagType, readonly string[]>> {
  const sorted = new Map<TagType, readonly string[]>();
  for (const type of TAG_TYPES) {
    const segment = segments.get(type);
    if (segment === undefined) continue;
    const { names, ranks, tieRanks } = segment;
    // Only names that tie in both ranks are compared; each of them is read once more.
    const tags: Tag[] = [];
    const tagAt = (place: number): Tag => (tags[place] ??= read(names[place] as string));
    const compareAt = (left: number, right: number): number => compare(tagAt(right), tagAt(left));
    const keys = { ranks: new Float64Array(ranks), tieRanks: new Float64Array(tieRanks) };
    const places = yield* foldOrder(names.length, { compareAt, keys });
    sorted.set(
      type,
      Array.from(places, (place) => names[place] as string),
    );
  }
  return sorted;
}
