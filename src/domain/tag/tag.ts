/** What a tag says about its image, in whichever grammar it was read, and the order of a listing. */

import type { Integer } from '../integer.ts';
import { formatVersion, type Version } from './version.ts';

/** In the fixed order of listings. */
export const TAG_TYPES = [
  'alias',
  'release',
  'weekly',
  'daily',
  'releaseCandidate',
  'experimental',
  'unknown',
] as const;
export type TagType = (typeof TAG_TYPES)[number];

/** One tag, read. Null where the tag does not say; every field is always there. */
export interface Tag {
  /** The tag itself, unmodified. */
  readonly tag: string;
  readonly type: TagType;
  /** For people, such as "Weekly 2077_45 (SAL Cycle 0045, Build 003)". */
  readonly displayName: string;
  /** The name part of a tag without version: aliases, unknown tags and experimental forms of them. May be empty. */
  readonly base: string | null;
  readonly version: Version | null;
  /** Whether `version` is a semantic version: a weekly's 2077.45.0 is not. */
  readonly semantic: boolean;
  readonly cycle: Integer | null;
  readonly cycleBuild: Integer | null;
  readonly rspBuild: Integer | null;
  readonly architecture: string | null;
  /** What follows the version (RSP), the variant suffix (Docker). */
  readonly extra: string | null;
  /** Milliseconds since the epoch at UTC midnight, where the tag itself tells the date. */
  readonly dateMs: number | null;
}

/** Negative if `left` is older than `right`, 0 if neither; only meant for two tags of one type. */
export type CompareTags = (left: Tag, right: Tag) => number;

const TYPE_RANK: Readonly<Record<TagType, number>> = {
  alias: 0,
  release: 1,
  weekly: 2,
  daily: 3,
  releaseCandidate: 4,
  experimental: 5,
  unknown: 6,
};

/** Order of a listing: types in their fixed order, newest first within one. */
export function listingOrder(compare: CompareTags): CompareTags {
  return (left, right) => {
    const byType = TYPE_RANK[left.type] - TYPE_RANK[right.type];
    return byType === 0 ? compare(right, left) : byType;
  };
}

/** An alias, or a name nobody knows that may turn out to be one. */
export function isPossibleAlias(tag: Pick<Tag, 'type'>): boolean {
  return tag.type === 'alias' || tag.type === 'unknown';
}

export function isTagType(text: string): text is TagType {
  return (TAG_TYPES as readonly string[]).includes(text);
}

/** The date as RFC 3339 without fractions, or null. */
export function formatDate(dateMs: number | null): string | null {
  return dateMs === null ? null : new Date(dateMs).toISOString().replace('.000Z', 'Z');
}

/** The version as text ("22.0.0-rc1"), or null. */
export function formatTagVersion(tag: Tag): string | null {
  return tag.version === null ? null : formatVersion(tag.version);
}
