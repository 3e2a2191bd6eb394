/**
 * Ranges as Go's Masterminds/semver v3 reads them (Helm, Flux, Argo).
 *
 *   range      = group *( "||" group )
 *   group      = comparator *( ( 1*SP / *SP "," *SP ) comparator )
 *   comparator = [ operator ] *SP version / version 1*SP "-" 1*SP version
 *   operator   = "=" / "!=" / ">" / "<" / ">=" / "=>" / "<=" / "=<" / "~" / "~>" / "^"
 *   version    = [ "v" ] part [ "." part [ "." part ] ] [ "-" identifiers ] [ "+" identifiers ]
 *   part       = 1*DIGIT / "x" / "X" / "*"
 *
 * Unlike npm, a group that names any pre-release takes pre-releases of all versions in it.
 */

import { type Integer, parseInteger } from '../integer.ts';
import { ok, type Problem, type Result, refuse } from '../result.ts';
import {
  compareVersions,
  makeVersion,
  NO_IDENTIFIERS,
  readIdentifiers,
  type Version,
  versionOf,
} from '../tag/version.ts';
import type { Range } from './range.ts';

type Operator = '=' | '!=' | '>' | '>=' | '<' | '<=' | '~' | '^';

interface Comparator {
  readonly operator: Operator;
  /** Missing and wildcard parts are 0. */
  readonly bound: Version;
  /** How many numbers were given before the first missing or wildcard part: 0 to 3. */
  readonly given: number;
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  '': '=',
  '=': '=',
  '!=': '!=',
  '>': '>',
  '<': '<',
  '>=': '>=',
  '=>': '>=',
  '<=': '<=',
  '=<': '<=',
  '~': '~',
  '~>': '~',
  '^': '^',
};
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const PART = '(?:[0-9]+|[xX*])';
const VERSION = `v?(${PART})(?:\\.(${PART}))?(?:\\.(${PART}))?(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?`;
const COMPARATOR = new RegExp(`(=>|=<|>=|<=|!=|~>|[=<>~^]|)\\s*${VERSION}`, 'y');
const PLAIN_VERSION = `v?${PART}(?:\\.${PART}){0,2}(?:-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?`;
const HYPHEN = new RegExp(`(?<![^\\s,|])(${PLAIN_VERSION})\\s+-\\s+(${PLAIN_VERSION})`, 'g');
const SEPARATOR = /\s*,\s*|\s+|$/y;
/** Go holds each number in 64 bits. */
const MAX_NUMBER = 2n ** 64n - 1n;

/** Empty text is "*". */
export function compileMasterminds(text: string, prereleases: boolean): Result<Range, Problem> {
  const groups: (readonly Comparator[])[] = [];
  let position = 0;
  for (const part of text.split('||')) {
    const group = text.trim() === '' ? ok([ANY]) : readGroup(rewriteHyphens(part));
    if (!group.ok) return refuse(group.error.message, position + Math.min(group.error.position, part.length));
    groups.push(group.value);
    position += part.length + 2;
  }
  return ok({
    alternatives: groups.length,
    includes: (version) => groups.some((group) => includes(group, version, prereleases)),
    isAbove: (version) => groups.every((group) => group.some((comparator) => isBelow(comparator, version))),
  });
}

const ANY: Comparator = { operator: '=', bound: makeVersion(0, 0, 0), given: 0 };

function rewriteHyphens(group: string): string {
  return group.replace(HYPHEN, '>=$1 <=$2');
}

function readGroup(text: string): Result<readonly Comparator[], Problem> {
  const comparators: Comparator[] = [];
  const end = text.trimEnd().length;
  let position = text.length - text.trimStart().length;
  if (position >= end) return refuse('a version is expected', position);
  while (position < end) {
    COMPARATOR.lastIndex = position;
    const match = COMPARATOR.exec(text);
    if (match === null) return refuse('an operator or a version is expected', position);
    const comparator = readComparator(match);
    if (!comparator.ok) return refuse(comparator.error, position);
    comparators.push(comparator.value);
    position += match[0].length;
    SEPARATOR.lastIndex = position;
    const separator = SEPARATOR.exec(text.slice(0, end));
    if (separator === null) return refuse('a blank or a comma is expected between comparators', position);
    position += separator[0].length;
  }
  return ok(comparators);
}

function readComparator(match: RegExpExecArray): Result<Comparator> {
  const [, operator = '', major, minor, patch, prerelease] = match;
  const numbers = givenNumbers([major, minor, patch]);
  if (numbers.some((number) => number > MAX_NUMBER))
    return { ok: false, error: 'a number does not fit 64 bits' };
  if (prerelease !== undefined && /(?:^|\.)0[0-9]+(?:\.|$)/.test(prerelease)) {
    return { ok: false, error: 'a numeric part of a pre-release has a leading zero' };
  }
  const identifiers = prerelease === undefined ? NO_IDENTIFIERS : readIdentifiers(prerelease);
  const bound = { ...versionOf(numbers, identifiers), precision: 3 };
  return ok({ operator: OPERATORS[operator] ?? '=', bound, given: numbers.length });
}

/** The numbers before the first missing or wildcard part: 1.x.3 reads as 1.x. */
function givenNumbers(parts: readonly (string | undefined)[]): readonly Integer[] {
  const wild = parts.findIndex((part) => part === undefined || /^[xX*]$/.test(part));
  return parts.slice(0, wild < 0 ? parts.length : wild).map((part = '') => parseInteger(part));
}

function includes(group: readonly Comparator[], version: Version, prereleases: boolean): boolean {
  if (
    version.prerelease.length > 0 &&
    !prereleases &&
    !group.some(({ bound }) => bound.prerelease.length > 0)
  ) {
    return false;
  }
  return group.every((comparator) => HOLDS[comparator.operator](version, comparator));
}

const HOLDS: Readonly<Record<Operator, (version: Version, comparator: Comparator) => boolean>> = {
  '=': (version, comparator) =>
    comparator.given < 3
      ? withinTilde(version, comparator)
      : compareVersions(version, comparator.bound) === 0,
  '!=': isDifferent,
  '>': isAbove,
  '>=': (version, { bound }) => compareVersions(version, bound) >= 0,
  '<': (version, { bound }) => compareVersions(version, bound) < 0,
  '<=': isUpTo,
  '~': withinTilde,
  '^': withinCaret,
};

/** Whether a lower bound keeps the version out. */
function isBelow(comparator: Comparator, version: Version): boolean {
  const { operator, bound } = comparator;
  if (operator === '>') return !isAbove(version, comparator);
  return operator !== '<' && operator !== '<=' && operator !== '!=' && compareVersions(version, bound) < 0;
}

/** !=1 and !=1.2 leave out everything they begin; with a pre-release in play, only that pre-release. */
function isDifferent(version: Version, { bound, given }: Comparator): boolean {
  if (given === 3 || given === 0) return compareVersions(version, bound) !== 0;
  if (version.major !== bound.major) return true;
  if (given === 1) return false;
  if (version.minor !== bound.minor) return true;
  if (version.prerelease.length === 0 && bound.prerelease.length === 0) return false;
  return comparePrereleases(version, bound) !== 0;
}

/** >11 begins at 12, >11.1 at 11.2. */
function isAbove(version: Version, { bound, given }: Comparator): boolean {
  if (given === 3 || given === 0 || version.major !== bound.major) return compareVersions(version, bound) > 0;
  return given === 2 && version.minor > bound.minor;
}

/** <=11 ends before 12, <=11.1 before 11.2. */
function isUpTo(version: Version, { bound, given }: Comparator): boolean {
  if (given === 3) return compareVersions(version, bound) <= 0;
  if (version.major !== bound.major) return version.major < bound.major;
  return given === 1 || version.minor <= bound.minor;
}

/** ~1.2.3 is >=1.2.3 <1.3.0, ~1 is >=1 <2; ~0.0.0 and ~* are any. */
function withinTilde(version: Version, { bound, given }: Comparator): boolean {
  if (compareVersions(version, bound) < 0) return false;
  const isZero = bound.major === 0 && bound.minor === 0 && bound.patch === 0;
  if (isZero && (given === 3 || given === 0)) return true;
  return version.major === bound.major && (given === 1 || version.minor === bound.minor);
}

/** ^1.2.3 is >=1.2.3 <2.0.0, ^0.2.3 is >=0.2.3 <0.3.0, ^0.0.3 is that patch alone. */
function withinCaret(version: Version, { bound, given }: Comparator): boolean {
  if (compareVersions(version, bound) < 0) return false;
  if (version.major !== bound.major) return false;
  if (bound.major > 0 || given === 1) return true;
  if (version.minor !== bound.minor) return false;
  return bound.minor > 0 || given === 2 || version.patch === bound.patch;
}

function comparePrereleases(left: Version, right: Version): number {
  return compareVersions(makeVersion(0, 0, 0, left.prerelease), makeVersion(0, 0, 0, right.prerelease));
}
