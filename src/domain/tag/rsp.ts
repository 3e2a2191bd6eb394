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
  rankText,
  rankVersion,
  type Version,
} from './version.ts';

/** Reads tags of one source. */
export interface TagReader {
  /** Reads a tag with no hints. */
  read(tag: string): Tag;
  /** Reads a tag that is known to be an alias. */
  readAlias(tag: string): Tag;
}

const NO_ARCHITECTURES: Architectures = new Set();
const EXPERIMENTAL = 'exp_';
const UNDERSCORE = 0x5f;
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
  return readVersioned(tag, architectures) ?? readName(tag, architectures, 'unknown');
}

function readVersioned(tag: string, architectures: Architectures): Tag | undefined {
  switch (tag.charCodeAt(0)) {
    case 0x72:
      return readRelease(tag, architectures);
    case 0x77:
      return readWeekly(tag, architectures);
    case 0x64:
      return readDaily(tag, architectures);
    case 0x65:
      return readExperimental(tag, architectures);
    default:
      return undefined;
  }
}

/** Index after a number that begins at `start`, if "_" follows; 0 if not. */
function joinedEnd(tag: string, start: number): number {
  const end = skipDigits(tag, start);
  return end > start && tag.charCodeAt(end) === UNDERSCORE ? end : 0;
}

/** Index after the last number, which begins at `start`; 0 if there is none. */
function lastEnd(tag: string, start: number): number {
  const end = skipDigits(tag, start);
  return end > start ? end : 0;
}

function readRelease(tag: string, architectures: Architectures): Tag | undefined {
  const majorEnd = joinedEnd(tag, 1);
  const minorEnd = majorEnd === 0 ? 0 : joinedEnd(tag, majorEnd + 1);
  const end = minorEnd === 0 ? 0 : lastEnd(tag, minorEnd + 1);
  if (end === 0) return readOldRelease(tag);
  const major = readDigits(tag, 1, majorEnd);
  const minor = readDigits(tag, majorEnd + 1, minorEnd);
  const patch = readDigits(tag, minorEnd + 1, end);
  const candidate = readCandidate(tag, { numbers: [major, minor, patch], start: end }, architectures);
  if (candidate !== undefined) return candidate;
  return releaseTag(tag, { version: makeVersion(major, minor, patch), end }, architectures);
}

/** "r170" is 17.0.0: two digits and one, and nothing else. */
function readOldRelease(tag: string): Tag | undefined {
  if (tag.length !== 4 || skipDigits(tag, 1) !== 4) return undefined;
  const version = makeVersion(readDigits(tag, 1, 3), readDigits(tag, 3, 4), 0);
  return releaseTag(tag, { version, end: tag.length }, NO_ARCHITECTURES);
}

/** A release, or a candidate if the version has a pre-release; if the rest is a tail. */
function releaseTag(
  tag: string,
  { version, end }: Pick<Head, 'version' | 'end'>,
  architectures: Architectures,
): Tag | undefined {
  const type = version.prerelease.length === 0 ? 'release' : 'releaseCandidate';
  return versionTag(tag, { type, version, dateMs: null, end }, architectures);
}

interface Numbers {
  readonly numbers: readonly [Integer, Integer, Integer];
  /** Where they end. */
  readonly start: number;
}

function readCandidate(
  tag: string,
  { numbers, start }: Numbers,
  architectures: Architectures,
): Tag | undefined {
  if (!tag.startsWith('_rc', start)) return undefined;
  const end = lastEnd(tag, start + '_rc'.length);
  if (end === 0) return undefined;
  const version = makeVersion(...numbers, [tag.slice(start + 1, end)]);
  return releaseTag(tag, { version, end }, architectures);
}

function readWeekly(tag: string, architectures: Architectures): Tag | undefined {
  const yearEnd = tag.charCodeAt(1) === UNDERSCORE ? joinedEnd(tag, 2) : 0;
  const end = yearEnd === 0 ? 0 : lastEnd(tag, yearEnd + 1);
  if (end === 0) return undefined;
  const year = Number(readDigits(tag, 2, yearEnd));
  const week = Number(readDigits(tag, yearEnd + 1, end));
  const dateMs = weekMs(year, week);
  if (dateMs === undefined) return undefined;
  return versionTag(tag, { type: 'weekly', version: makeVersion(year, week, 0), dateMs, end }, architectures);
}

function readDaily(tag: string, architectures: Architectures): Tag | undefined {
  const yearEnd = tag.charCodeAt(1) === UNDERSCORE ? joinedEnd(tag, 2) : 0;
  const monthEnd = yearEnd === 0 ? 0 : joinedEnd(tag, yearEnd + 1);
  const end = monthEnd === 0 ? 0 : lastEnd(tag, monthEnd + 1);
  if (end === 0) return undefined;
  const year = Number(readDigits(tag, 2, yearEnd));
  const month = Number(readDigits(tag, yearEnd + 1, monthEnd));
  const day = Number(readDigits(tag, monthEnd + 1, end));
  const dateMs = dayMs(year, month, day);
  if (dateMs === undefined) return undefined;
  return versionTag(
    tag,
    { type: 'daily', version: makeVersion(year, month, day), dateMs, end },
    architectures,
  );
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

/** What stands before the tail. */
interface Head {
  readonly type: 'release' | 'releaseCandidate' | 'weekly' | 'daily';
  readonly version: Version;
  readonly dateMs: number | null;
  /** Where it ends. */
  readonly end: number;
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
export function rankRsp({ version }: Tag): number {
  return version === null ? Number.MAX_VALUE : rankVersion(version);
}

/** Finer age of tags of one rank: never contradicts `compareRsp`. Where the rank tells too little, below all others. */
export function tieRankRsp({ version, base, cycle, cycleBuild, rspBuild }: Tag): number {
  if (version === null) return rankText(base ?? '');
  if (!isRankExact(version)) return -1;
  const cycleDigit = rankDigit(cycle);
  const cycleRank = cycleDigit * RANK_DIGIT * RANK_DIGIT;
  if (cycleDigit === MAX_DIGIT) return cycleRank;
  const buildDigit = rankDigit(cycleBuild);
  const buildRank = cycleRank + buildDigit * RANK_DIGIT;
  return buildDigit === MAX_DIGIT ? buildRank : buildRank + rankDigit(rspBuild);
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
