/** Tags that are semantic versions, strict or loose ("v1.2.3", "1.2"); see docs/grammars/semver.md. */

import { comparePlain, readNamed } from './plain.ts';
import { BLANK, ReadTag, type TagFields } from './read-tag.ts';
import type { Tag } from './tag.ts';
import {
  areNumbersRanked,
  compareVersions,
  formatWritten,
  type Identifier,
  RANK_CHARACTERS,
  rankText,
  rankVersion,
  readLooseVersion,
  TEXT_RANKS,
  type Version,
} from './version.ts';

/** A version without pre-release is a release, one with it a releaseCandidate, anything else unknown. */
export function readSemVer(tag: string): Tag {
  const version = readLooseVersion(tag);
  if (version === undefined) return readNamed(tag, 'unknown');
  return new ReadTag({ ...BLANK, tag, type: versionType(version), version, semantic: true }, describeVersion);
}

/** The type of a tag that is a version, in the grammars other than RSP. */
export function versionType({ prerelease }: Version): 'release' | 'releaseCandidate' {
  return prerelease.length === 0 ? 'release' : 'releaseCandidate';
}

function describeVersion({ version }: TagFields): string {
  return version === null ? '' : formatWritten(version);
}

/** Precedence; then more precise is newer, then text: the same order on every run. Names are below versions. */
export function compareSemVer(left: Tag, right: Tag): number {
  if (left.version === null || right.version === null) {
    return Number(left.version !== null) - Number(right.version !== null) || comparePlain(left, right);
  }
  return (
    compareVersions(left.version, right.version) ||
    left.version.precision - right.version.precision ||
    comparePlain(left, right)
  );
}

/** Coarse age: never contradicts `compareSemVer`; names are below versions. */
export function rankSemVer({ version, tag }: Tag): number {
  return version === null ? rankText(tag) - TEXT_RANKS : rankVersion(version);
}

/** Finer age of names of one rank: never contradicts `compareSemVer`, nor `comparePlain`. */
export function tieRankName({ version, tag }: Tag): number {
  return version === null ? rankText(tag, RANK_CHARACTERS) : 0;
}

/** Finer age of tags of one rank, none with more than three numbers: never contradicts `compareSemVer`. */
export function tieRankSemVer(tag: Tag): number {
  const { version } = tag;
  return version !== null && areNumbersRanked(version)
    ? rankPrerelease(version.prerelease)
    : tieRankName(tag);
}

/** Above everything a pre-release can be. */
const NO_PRERELEASE = 2 ** 53;
/** Below every text: a numeric identifier beyond it is one with it. */
const MAX_NUMERIC = 2 ** 40;
/** Characters that are looked at, as `rankText` puts them, and what is below them. */
const CHARACTERS = 5;
const BELOW_CHARACTERS = 2 ** (7 * (RANK_CHARACTERS - CHARACTERS));
const SECOND_RANKS = 2 ** 17;

/** What everyday ones begin with: "rc.2", "alpha", "20240601". */
function rankPrerelease([first, second]: readonly Identifier[]): number {
  if (first === undefined) return NO_PRERELEASE;
  if (typeof first !== 'string') return Math.min(Number(first), MAX_NUMERIC);
  // A longer text is above this one, whatever follows it.
  const secondRank = first.length > CHARACTERS ? SECOND_RANKS - 1 : rankSecond(second);
  return Math.floor(rankText(first) / BELOW_CHARACTERS) * SECOND_RANKS + secondRank;
}

/** None, then numbers, then texts. */
function rankSecond(second: Identifier | undefined): number {
  if (second === undefined) return 0;
  return typeof second === 'string' ? SECOND_RANKS - 2 : Math.min(Number(second) + 1, SECOND_RANKS - 3);
}
