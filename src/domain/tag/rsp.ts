/**
 * The tag grammar of the Rubin Science Platform (docs/grammars/rsp.md). Every text is a tag of some type; the
 * first form that matches the whole text with a valid date wins.
 */

import { type Integer, parseInteger } from '../integer.ts';
import { dayMs, weekMs } from './calendar.ts';
import type { Tag, TagType } from './tag.ts';
import { titleCase } from './title-case.ts';
import { compareText, compareVersionsNaturally, makeVersion, type Version } from './version.ts';

/** Reads tags of one source. */
export interface TagReader {
  /** Reads a tag with no hints. */
  read(tag: string): Tag;
  /** Reads a tag that is known to be an alias. */
  readAlias(tag: string): Tag;
}

interface Forms {
  readonly candidate: RegExp;
  readonly release: RegExp;
  readonly weekly: RegExp;
  readonly daily: RegExp;
  readonly unknown: RegExp;
}

/** Groups of the tail of a version: cycle, cycle build, RSP build, extra, architecture. */
type Tail = readonly (string | undefined)[];

/** The version part of a form: what its own groups say. */
interface Head {
  readonly type: TagType;
  readonly title: string;
  readonly version: Version;
  readonly semantic: boolean;
  readonly dateMs: number | null;
}

const OLD_RELEASE = /^r([0-9]{2})([0-9])$/;
const EXPERIMENTAL = 'exp_';
const CYCLE_OF_NAME = /^(.*)_c([0-9]+)$/;

/** @param architectures endings that count as architecture; empty: every `-[a-z0-9]+` does */
export function createTagReader(architectures: readonly string[]): TagReader {
  const forms = compileForms(architectures);
  return {
    read: (tag) => readTag(forms, tag),
    readAlias: (tag) => readName(forms, tag, 'alias'),
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

function compileForms(architectures: readonly string[]): Forms {
  const named = architectures.map((name) => name.replace(/[^a-z0-9]/gi, '\\$&'));
  const architecture = `(?:-(${named.length === 0 ? '[a-z0-9]+' : named.join('|')}))?$`;
  const tail = `(?:_c([0-9]+)\\.([0-9]+))?(?:_rsp([0-9]+))?(?:_(.+?))?${architecture}`;
  return {
    candidate: new RegExp(`^r([0-9]+)_([0-9]+)_([0-9]+)_rc([0-9]+)${tail}`),
    release: new RegExp(`^r([0-9]+)_([0-9]+)_([0-9]+)${tail}`),
    weekly: new RegExp(`^w_([0-9]+)_([0-9]+)${tail}`),
    daily: new RegExp(`^d_([0-9]+)_([0-9]+)_([0-9]+)${tail}`),
    unknown: new RegExp(`^(.*?)${architecture}`, 's'),
  };
}

/** Empty text is read as "latest". */
function readTag(forms: Forms, text: string): Tag {
  const tag = text === '' ? 'latest' : text;
  switch (tag.charCodeAt(0)) {
    case 0x72:
      return readRelease(forms, tag) ?? readName(forms, tag, 'unknown');
    case 0x77:
      return readWeekly(forms, tag) ?? readName(forms, tag, 'unknown');
    case 0x64:
      return readDaily(forms, tag) ?? readName(forms, tag, 'unknown');
    default:
      return readExperimental(forms, tag) ?? readName(forms, tag, 'unknown');
  }
}

function readRelease(forms: Forms, tag: string): Tag | undefined {
  const candidate = forms.candidate.exec(tag);
  if (candidate !== null) return candidateTag(candidate);
  const [, major, minor, patch, ...tail] = forms.release.exec(tag) ?? [];
  if (major !== undefined && minor !== undefined && patch !== undefined) {
    return versionTag(tag, releaseHead(parseInteger(major), parseInteger(minor), parseInteger(patch)), tail);
  }
  const [, oldMajor, oldMinor] = OLD_RELEASE.exec(tag) ?? [];
  if (oldMajor === undefined || oldMinor === undefined) return undefined;
  return versionTag(tag, releaseHead(Number(oldMajor), Number(oldMinor), 0), []);
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

function candidateTag(match: RegExpExecArray): Tag {
  const [tag, major = '', minor = '', patch = '', candidate = '', ...tail] = match;
  const version = makeVersion(parseInteger(major), parseInteger(minor), parseInteger(patch), [
    `rc${candidate}`,
  ]);
  const title = `Release Candidate r${version.major}.${version.minor}.${version.patch}-rc${candidate}`;
  return versionTag(tag, { type: 'releaseCandidate', title, version, semantic: true, dateMs: null }, tail);
}

function readWeekly(forms: Forms, tag: string): Tag | undefined {
  const match = forms.weekly.exec(tag);
  if (match === null) return undefined;
  const [, year = '', week = '', ...tail] = match;
  const dateMs = weekMs(Number(year), Number(week));
  if (dateMs === undefined) return undefined;
  const version = makeVersion(Number(year), Number(week), 0);
  const title = `Weekly ${year}_${week}`;
  return versionTag(tag, { type: 'weekly', title, version, semantic: false, dateMs }, tail);
}

function readDaily(forms: Forms, tag: string): Tag | undefined {
  const match = forms.daily.exec(tag);
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', ...tail] = match;
  const dateMs = dayMs(Number(year), Number(month), Number(day));
  if (dateMs === undefined) return undefined;
  const version = makeVersion(Number(year), Number(month), Number(day));
  const title = `Daily ${year}_${month}_${day}`;
  return versionTag(tag, { type: 'daily', title, version, semantic: false, dateMs }, tail);
}

/** `exp_` and a tag: all fields of the inner tag stay, only type, tag and name change; it nests. */
function readExperimental(forms: Forms, tag: string): Tag | undefined {
  let depth = 0;
  while (tag.startsWith(EXPERIMENTAL, depth) && tag.length > depth + EXPERIMENTAL.length)
    depth += EXPERIMENTAL.length;
  if (depth === 0) return undefined;
  const inner = readTag(forms, tag.slice(depth));
  const displayName = 'Experimental '.repeat(depth / EXPERIMENTAL.length) + inner.displayName;
  return { ...inner, tag, type: 'experimental', displayName };
}

/** Forms 7 and 8: a name, maybe a cycle, maybe an architecture. Always matches. */
function readName(forms: Forms, tag: string, type: 'alias' | 'unknown'): Tag {
  const [, name = tag, architecture] = forms.unknown.exec(tag) ?? [];
  const [, base = name, cycle] = CYCLE_OF_NAME.exec(name) ?? [];
  const title = type === 'alias' ? titleCase(base.replaceAll('_', ' ')) : base;
  return {
    tag,
    type,
    displayName: title + nameTail([cycle, undefined, undefined, undefined, architecture]),
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
  const [cycle, cycleBuild, rspBuild, extra, architecture] = tail;
  return {
    tag,
    type: head.type,
    displayName: head.title + nameTail(tail),
    base: null,
    version: head.version,
    semantic: head.semantic,
    cycle: integerOrNull(cycle),
    cycleBuild: integerOrNull(cycleBuild),
    rspBuild: integerOrNull(rspBuild),
    architecture: architecture ?? null,
    extra: extra ?? null,
    dateMs: head.dateMs,
  };
}

/** The digits stay as they were written. */
function nameTail([cycle, cycleBuild, rspBuild, extra, architecture]: Tail): string {
  let text = '';
  if (cycle !== undefined)
    text += ` (SAL Cycle ${cycle}${cycleBuild === undefined ? '' : `, Build ${cycleBuild}`})`;
  if (rspBuild !== undefined) text += ` (RSP Build ${rspBuild})`;
  if (extra !== undefined) text += ` [${extra}]`;
  if (architecture !== undefined) text += ` [${architecture}]`;
  return text;
}

function integerOrNull(digits: string | undefined): Integer | null {
  return digits === undefined ? null : parseInteger(digits);
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
