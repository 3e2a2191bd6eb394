/**
 * The tag grammar of the Rubin Science Platform (docs/grammars/rsp.md). Every text is a tag of some type; the
 * first form that matches the whole text with a valid date wins.
 */

import { type Integer, parseInteger, readDigits } from '../integer.ts';
import { dayMs, weekMs } from './calendar.ts';
import { BLANK, ReadTag, type TagFields } from './read-tag.ts';
import { describeRsp, endingsOf } from './rsp-name.ts';
import { type Architectures, readNameParts, readTail, skipDigits } from './rsp-tail.ts';
import type { Tag } from './tag.ts';
import {
  compareText,
  compareVersionsNaturally,
  isRankExact,
  makeVersion,
  RANK_CHARACTERS,
  rankText,
  rankVersion,
  TEXT_RANKS,
  type Version,
} from './version.ts';

/** Reads tags of one source. */
export interface TagReader {
  /** Reads a tag with no hints. */
  read(tag: string): Tag;
  /** Reads a tag that is known to be an alias. */
  readAlias(tag: string): Tag;
}

const EXPERIMENTAL = 'exp_';
const CANDIDATE = '_rc';
const UNDERSCORE = 0x5f;
/** Above every version, and scales without rounding. */
const NAME_RANK = 2 ** 53;
/** Three of them fit a double exactly. */
const RANK_DIGIT = 2 ** 17;
const MAX_DIGIT = RANK_DIGIT - 1;

/** @param architectures endings that count as architecture; empty: every `-[a-z0-9]+` does */
export function createRspReader(architectures: readonly string[]): TagReader {
  const known: Architectures = new Set(architectures);
  return {
    read: (tag) => readTag(tag, known),
    readAlias: (tag) => readName(tag, known, 'alias'),
  };
}

/** Age within one type: version (or base text), cycle, cycle build, RSP build, extra, architecture. */
export function compareRsp(left: Tag, right: Tag): number {
  return (
    compareIdentity(left, right) ||
    compareNullable(left.cycle, right.cycle) ||
    compareNullable(left.cycleBuild, right.cycleBuild) ||
    compareNullable(left.rspBuild, right.rspBuild) ||
    compareNullable(left.extra, right.extra) ||
    compareArchitecture(left.architecture, right.architecture)
  );
}

/** Empty text is read as "latest". */
function readTag(text: string, architectures: Architectures): Tag {
  const tag = text === '' ? 'latest' : text;
  return (
    readExperimental(tag, architectures) ??
    readVersioned(tag, architectures) ??
    readName(tag, architectures, 'unknown')
  );
}

/** How a version is written: numbers joined by underscores. */
interface Form {
  readonly type: 'release' | 'weekly' | 'daily';
  /** Where the numbers begin. */
  readonly start: number;
  readonly count: number;
}

const RELEASE: Form = { type: 'release', start: 1, count: 3 };
const WEEKLY: Form = { type: 'weekly', start: 2, count: 2 };
const DAILY: Form = { type: 'daily', start: 2, count: 3 };

function formOf(tag: string): Form | undefined {
  const letter = tag.charAt(0);
  if (letter === 'r') return RELEASE;
  if (tag.charCodeAt(1) !== UNDERSCORE) return undefined;
  if (letter === 'w') return WEEKLY;
  return letter === 'd' ? DAILY : undefined;
}

/** What stands before the tail. */
interface Head {
  readonly type: 'release' | 'releaseCandidate' | 'weekly' | 'daily';
  readonly version: Version;
  readonly dateMs: number | null;
  /** Where it ends. */
  readonly end: number;
}

function readVersioned(tag: string, architectures: Architectures): Tag | undefined {
  const form = formOf(tag);
  const head = form && (readHead(tag, form) ?? readOldRelease(tag, form));
  if (head === undefined) return undefined;
  const candidate = readCandidate(tag, head);
  return (candidate && versionTag(tag, candidate, architectures)) ?? versionTag(tag, head, architectures);
}

function readHead(tag: string, { type, start, count }: Form): Head | undefined {
  const numbers: [Integer, Integer, Integer] = [0, 0, 0];
  let end = start - 1;
  for (let index = 0; index < count; index++) {
    const begin = end + 1;
    end = skipDigits(tag, begin);
    if (end === begin) return undefined;
    if (index < count - 1 && tag.charCodeAt(end) !== UNDERSCORE) return undefined;
    numbers[index] = readDigits(tag, begin, end);
  }
  const dateMs = dateOf(type, numbers);
  return dateMs === undefined ? undefined : { type, version: makeVersion(...numbers), dateMs, end };
}

/** Null for a release, which tells none; undefined if there is no such day or week. */
function dateOf(type: Form['type'], [major, minor, patch]: readonly Integer[]): number | null | undefined {
  if (type === 'release') return null;
  const [year, part] = [Number(major), Number(minor)];
  return type === 'weekly' ? weekMs(year, part) : dayMs(year, part, Number(patch));
}

/** "r170" is 17.0.0: two digits and one, and nothing else. */
function readOldRelease(tag: string, { type }: Form): Head | undefined {
  if (type !== 'release' || tag.length !== 4 || skipDigits(tag, 1) !== 4) return undefined;
  const version = makeVersion(readDigits(tag, 1, 3), readDigits(tag, 3, 4), 0);
  return { type, version, dateMs: null, end: tag.length };
}

/** The same release as a candidate, if the name of one follows. */
function readCandidate(tag: string, { type, version, end }: Head): Head | undefined {
  if (type !== 'release' || !tag.startsWith(CANDIDATE, end)) return undefined;
  const start = end + CANDIDATE.length;
  const candidateEnd = skipDigits(tag, start);
  if (candidateEnd === start) return undefined;
  const { major, minor, patch } = version;
  const candidate = makeVersion(major, minor, patch, [tag.slice(end + 1, candidateEnd)]);
  return { type: 'releaseCandidate', version: candidate, dateMs: null, end: candidateEnd };
}

/** `exp_` and a tag: all fields of the inner tag stay, only type, tag and name change; it nests. */
function readExperimental(tag: string, architectures: Architectures): Tag | undefined {
  const start = innerStart(tag);
  if (start === 0) return undefined;
  const inner = readTag(tag.slice(start), architectures);
  const { base, version, semantic, cycle, cycleBuild, rspBuild, architecture, extra, dateMs } = inner;
  return new ReadTag(
    {
      tag,
      type: 'experimental',
      base,
      version,
      semantic,
      cycle,
      cycleBuild,
      rspBuild,
      architecture,
      extra,
      dateMs,
    },
    describeExperimental,
  );
}

/** Index after every "exp_" at the beginning that something follows. */
function innerStart(tag: string): number {
  let start = 0;
  while (tag.startsWith(EXPERIMENTAL, start) && tag.length > start + EXPERIMENTAL.length)
    start += EXPERIMENTAL.length;
  return start;
}

function describeExperimental(fields: TagFields): string {
  const start = innerStart(fields.tag);
  const inner = readTag(fields.tag.slice(start), endingsOf(fields));
  return 'Experimental '.repeat(start / EXPERIMENTAL.length) + inner.displayName;
}

/** A name, maybe a cycle, maybe an architecture. Always matches. */
function readName(tag: string, architectures: Architectures, type: 'alias' | 'unknown'): Tag {
  const { base, cycle, architecture = null } = readNameParts(tag, architectures);
  return new ReadTag({ ...BLANK, tag, type, base, cycle: integerOrNull(cycle), architecture }, describeRsp);
}

/** A tag with a version, if what follows its head is a tail. */
function versionTag(
  tag: string,
  { type, version, dateMs, end }: Head,
  architectures: Architectures,
): Tag | undefined {
  const tail = readTail(tag, end, architectures);
  if (tail === undefined) return undefined;
  const { start, buildDot, cycleEnd, rspEnd, dash } = tail;
  const semantic = type === 'release' || type === 'releaseCandidate';
  const cycle = buildDot === 0 ? null : readDigits(tag, start + 2, buildDot);
  const cycleBuild = buildDot === 0 ? null : readDigits(tag, buildDot + 1, cycleEnd);
  const rspBuild = rspEnd === cycleEnd ? null : readDigits(tag, cycleEnd + 4, rspEnd);
  const extra = rspEnd === dash ? null : tag.slice(rspEnd + 1, dash);
  const architecture = dash === tag.length ? null : tag.slice(dash + 1);
  // Named one by one: spreading into a literal is slow.
  return new ReadTag(
    { tag, type, base: null, version, semantic, cycle, cycleBuild, rspBuild, architecture, extra, dateMs },
    describeRsp,
  );
}

function integerOrNull(digits: string | undefined): Integer | null {
  return digits === undefined ? null : parseInteger(digits);
}

/** Coarse age: never contradicts `compareRsp`, and most often decides; names are above versions. */
export function rankRsp({ version, base }: Tag): number {
  return version === null ? NAME_RANK * (1 + rankText(base ?? '')) : rankVersion(version);
}

/** Finer age of tags of one rank: never contradicts `compareRsp`. Where the rank tells too little, below all others. */
export function tieRankRsp({ version, base, cycle, cycleBuild, rspBuild, extra }: Tag): number {
  if (version === null) return rankText(base ?? '', RANK_CHARACTERS);
  if (!isRankExact(version)) return -1;
  const cycleDigit = rankDigit(cycle);
  const cycleRank = cycleDigit * RANK_DIGIT * RANK_DIGIT;
  if (cycleDigit === MAX_DIGIT) return cycleRank;
  const buildDigit = rankDigit(cycleBuild);
  const buildRank = cycleRank + buildDigit * RANK_DIGIT;
  if (buildDigit === MAX_DIGIT) return buildRank;
  const rspDigit = rankDigit(rspBuild);
  if (rspDigit === MAX_DIGIT) return buildRank + rspDigit;
  // As much of the extra as fits beside the numbers: rounding makes ties, but turns nothing round.
  return buildRank + rspDigit + rankText(extra ?? '') / TEXT_RANKS;
}

/** Null is below 0; everything too large is one. */
function rankDigit(value: Integer | null): number {
  if (value === null) return 0;
  return value < MAX_DIGIT - 1 ? Number(value) + 1 : MAX_DIGIT;
}

/** Versions if both have one, else base text; a tag with a base is above one with a version. */
function compareIdentity(left: Tag, right: Tag): number {
  if (left.version !== null && right.version !== null)
    return compareVersionsNaturally(left.version, right.version);
  return compareNullable(left.base, right.base);
}

/** Null is below any value. */
function compareNullable(left: Integer | string | null, right: Integer | string | null): number {
  if (left === right) return 0;
  if (left === null) return -1;
  if (right === null) return 1;
  return left < right ? -1 : 1;
}

/** Null is above any value: of equals, the tag for all architectures comes first. */
function compareArchitecture(left: string | null, right: string | null): number {
  if (left === right) return 0;
  if (left === null) return 1;
  if (right === null) return -1;
  return compareText(left, right);
}
