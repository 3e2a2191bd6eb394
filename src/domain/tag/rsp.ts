/**
 * The tag grammar of the Rubin Science Platform (docs/grammars/rsp.md). Every text is a tag of some type; the
 * first form that matches the whole text with a valid date wins.
 */

import { type Integer, parseInteger, readDigits } from '../integer.ts';
import { dayMs, weekMs } from './calendar.ts';
import { type Architectures, readNameParts, readTail, skipDigits, type Tail } from './rsp-tail.ts';
import type { Tag, TagType } from './tag.ts';
import { titleCase } from './title-case.ts';
import { compareText, compareVersionsNaturally, makeVersion, rankVersion, type Version } from './version.ts';

/** Reads tags of one source. */
export interface TagReader {
  /** Reads a tag with no hints. */
  read(tag: string): Tag;
  /** Reads a tag that is known to be an alias. */
  readAlias(tag: string): Tag;
}

const EXPERIMENTAL = 'exp_';
const UNDERSCORE = 0x5f;

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

/** The version part of a form. */
interface Head {
  readonly type: TagType;
  readonly title: string;
  readonly version: Version;
  readonly semantic: boolean;
  readonly dateMs: number | null;
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
  const tail = readTail(tag, end, architectures);
  return tail && versionTag(tag, releaseHead(major, minor, patch), tail);
}

/** "r170" is 17.0.0: two digits and one, and nothing else. */
function readOldRelease(tag: string): Tag | undefined {
  if (tag.length !== 4 || skipDigits(tag, 1) !== 4) return undefined;
  const tail = readTail(tag, 4, new Set());
  return tail && versionTag(tag, releaseHead(Number(tag.slice(1, 3)), Number(tag.slice(3)), 0), tail);
}

function releaseHead(major: Integer, minor: Integer, patch: Integer): Head {
  const version = makeVersion(major, minor, patch);
  return {
    type: 'release',
    title: `Release r${major}.${minor}.${patch}`,
    version,
    semantic: true,
    dateMs: null,
  };
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
  const end = skipDigits(tag, start + 3);
  const tail = end === start + 3 ? undefined : readTail(tag, end, architectures);
  if (tail === undefined) return undefined;
  const candidate = tag.slice(start + 1, end);
  const version = makeVersion(...numbers, [candidate]);
  const title = `Release Candidate r${numbers.join('.')}-${candidate}`;
  return versionTag(tag, { type: 'releaseCandidate', title, version, semantic: true, dateMs: null }, tail);
}

function readWeekly(tag: string, architectures: Architectures): Tag | undefined {
  const yearEnd = tag.charCodeAt(1) === UNDERSCORE ? joinedEnd(tag, 2) : 0;
  const end = yearEnd === 0 ? 0 : lastEnd(tag, yearEnd + 1);
  if (end === 0) return undefined;
  const year = Number(readDigits(tag, 2, yearEnd));
  const week = Number(readDigits(tag, yearEnd + 1, end));
  return datedTag(
    tag,
    { type: 'weekly', end, version: [year, week, 0], dateMs: weekMs(year, week) },
    architectures,
  );
}

function readDaily(tag: string, architectures: Architectures): Tag | undefined {
  const yearEnd = tag.charCodeAt(1) === UNDERSCORE ? joinedEnd(tag, 2) : 0;
  const monthEnd = yearEnd === 0 ? 0 : joinedEnd(tag, yearEnd + 1);
  const end = monthEnd === 0 ? 0 : lastEnd(tag, monthEnd + 1);
  if (end === 0) return undefined;
  const year = Number(readDigits(tag, 2, yearEnd));
  const month = Number(readDigits(tag, yearEnd + 1, monthEnd));
  const day = Number(readDigits(tag, monthEnd + 1, end));
  return datedTag(
    tag,
    { type: 'daily', end, version: [year, month, day], dateMs: dayMs(year, month, day) },
    architectures,
  );
}

interface Dated {
  readonly type: 'weekly' | 'daily';
  /** Where the date ends. */
  readonly end: number;
  readonly version: readonly [number, number, number];
  readonly dateMs: number | undefined;
}

/** A weekly or daily, if there is such a date and the tail is one. */
function datedTag(
  tag: string,
  { type, end, version, dateMs }: Dated,
  architectures: Architectures,
): Tag | undefined {
  const tail = dateMs === undefined ? undefined : readTail(tag, end, architectures);
  if (dateMs === undefined || tail === undefined) return undefined;
  const title = (type === 'weekly' ? 'Weekly ' : 'Daily ') + tag.slice(2, end);
  return versionTag(tag, { type, title, version: makeVersion(...version), semantic: false, dateMs }, tail);
}

/** `exp_` and a tag: all fields of the inner tag stay, only type, tag and name change; it nests. */
function readExperimental(tag: string, architectures: Architectures): Tag | undefined {
  let depth = 0;
  while (tag.startsWith(EXPERIMENTAL, depth) && tag.length > depth + EXPERIMENTAL.length)
    depth += EXPERIMENTAL.length;
  if (depth === 0) return undefined;
  const inner = readTag(tag.slice(depth), architectures);
  const displayName = 'Experimental '.repeat(depth / EXPERIMENTAL.length) + inner.displayName;
  return { ...inner, tag, type: 'experimental', displayName };
}

/** A name, maybe a cycle, maybe an architecture. Always matches. */
function readName(tag: string, architectures: Architectures, type: 'alias' | 'unknown'): Tag {
  const { base, cycle, architecture } = readNameParts(tag, architectures);
  const title = type === 'alias' ? titleCase(base.replaceAll('_', ' ')) : base;
  return {
    tag,
    type,
    displayName: title + partsOfName(cycle, undefined) + bracketed(architecture),
    base,
    version: null,
    semantic: false,
    cycle: integerOrNull(cycle),
    cycleBuild: null,
    rspBuild: null,
    architecture: architecture ?? null,
    extra: null,
    dateMs: null,
  };
}

function versionTag(tag: string, head: Head, tail: Tail): Tag {
  return {
    tag,
    type: head.type,
    displayName: head.title + tailName(tail),
    base: null,
    version: head.version,
    semantic: head.semantic,
    cycle: integerOrNull(tail.cycle),
    cycleBuild: integerOrNull(tail.cycleBuild),
    rspBuild: integerOrNull(tail.rspBuild),
    architecture: tail.architecture ?? null,
    extra: tail.extra ?? null,
    dateMs: head.dateMs,
  };
}

/** The digits stay as they were written. */
function tailName({ cycle, cycleBuild, rspBuild, extra, architecture }: Tail): string {
  const rsp = rspBuild === undefined ? '' : ` (RSP Build ${rspBuild})`;
  return partsOfName(cycle, cycleBuild) + rsp + bracketed(extra) + bracketed(architecture);
}

function partsOfName(cycle: string | undefined, cycleBuild: string | undefined): string {
  if (cycle === undefined) return '';
  return cycleBuild === undefined ? ` (SAL Cycle ${cycle})` : ` (SAL Cycle ${cycle}, Build ${cycleBuild})`;
}

function bracketed(text: string | undefined): string {
  return text === undefined ? '' : ` [${text}]`;
}

function integerOrNull(digits: string | undefined): Integer | null {
  return digits === undefined ? null : parseInteger(digits);
}

/** Coarse age: never contradicts `compareRsp`, and most often decides; names are above versions. */
export function rankRsp({ version }: Tag): number {
  return version === null ? Number.MAX_VALUE : rankVersion(version);
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
