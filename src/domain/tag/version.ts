/** Versions of one or more numbers with semver's pre-release and build parts, and their precedence. */

import { compareIntegers, type Integer, parseInteger } from '../integer.ts';

/** One dot-separated part of a pre-release: numeric identifiers are integers, others text. */
export type Identifier = Integer | string;

export interface Version {
  readonly major: Integer;
  readonly minor: Integer;
  readonly patch: Integer;
  /** Numbers after the third. */
  readonly rest: readonly Integer[];
  /** How many numbers were written: "1.2" has 2. Missing ones are 0. */
  readonly precision: number;
  readonly prerelease: readonly Identifier[];
  /** Text after "+", empty if none; plays no part in precedence. */
  readonly build: string;
}

export const NO_IDENTIFIERS: readonly Identifier[] = [];
export const NO_NUMBERS: readonly Integer[] = [];

const NUMBER = '0|[1-9][0-9]*';
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const PRERELEASE = '(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)';
/** semver.org 2.0.0, to the letter. */
const STRICT = new RegExp(
  `^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})(?:-(${PRERELEASE}(?:\\.${PRERELEASE})*))?(?:\\+(${IDENTIFIERS}))?$`,
);
/** One to three numbers, an optional "v"; leading zeros allowed in them, pre-release as in semver. */
const LOOSE = new RegExp(
  `^v?([0-9]+)(?:\\.([0-9]+))?(?:\\.([0-9]+))?(?:-(${PRERELEASE}(?:\\.${PRERELEASE})*))?(?:\\+(${IDENTIFIERS}))?$`,
);

export function makeVersion(
  major: Integer,
  minor: Integer,
  patch: Integer,
  prerelease = NO_IDENTIFIERS,
): Version {
  return { major, minor, patch, rest: NO_NUMBERS, precision: 3, prerelease, build: '' };
}

/** A version of `numbers` (at least one), missing ones 0. */
export function versionOf(numbers: readonly Integer[], prerelease = NO_IDENTIFIERS): Version {
  const [major = 0, minor = 0, patch = 0] = numbers;
  const rest = numbers.length > 3 ? numbers.slice(3) : NO_NUMBERS;
  return { major, minor, patch, rest, precision: numbers.length, prerelease, build: '' };
}

/** Semantic versions to the letter: three numbers, no "v". Undefined if it is none. */
export function readStrictVersion(text: string): Version | undefined {
  const match = STRICT.exec(text);
  return match === null ? undefined : versionFromMatch(match);
}

/** Also "v1.2.3", "1.2", "1": what people push as tags. Undefined if it is none. */
export function readLooseVersion(text: string): Version | undefined {
  const match = LOOSE.exec(text);
  return match === null ? undefined : versionFromMatch(match);
}

function versionFromMatch(match: RegExpExecArray): Version {
  const [, major = '', minor, patch, prerelease, build = ''] = match;
  return {
    major: parseInteger(major),
    minor: minor === undefined ? 0 : parseInteger(minor),
    patch: patch === undefined ? 0 : parseInteger(patch),
    rest: NO_NUMBERS,
    precision: 1 + Number(minor !== undefined) + Number(patch !== undefined),
    prerelease: prerelease === undefined ? NO_IDENTIFIERS : readIdentifiers(prerelease),
    build,
  };
}

/** Splits "rc.10.x" into its identifiers. */
export function readIdentifiers(text: string): readonly Identifier[] {
  return text.split('.').map((part) => (/^[0-9]+$/.test(part) ? parseInteger(part) : part));
}

/** Full text: missing numbers as 0 up to three, "22.0.0-rc1+build". */
export function formatVersion(version: Version): string {
  const numbers = [version.major, version.minor, version.patch, ...version.rest].join('.');
  return numbers + formatTail(version);
}

/** Only the numbers that were written: "1.2" stays "1.2". */
export function formatWritten(version: Version): string {
  const numbers = [version.major, version.minor, version.patch, ...version.rest].slice(0, version.precision);
  return numbers.join('.') + formatTail(version);
}

function formatTail({ prerelease, build }: Version): string {
  const dash = prerelease.length === 0 ? '' : `-${prerelease.join('.')}`;
  return build === '' ? dash : `${dash}+${build}`;
}

/** Precedence of semver 2.0.0 §11, numbers beyond the third included. */
export function compareVersions(left: Version, right: Version): number {
  return compareNumbers(left, right) || comparePrereleases(left.prerelease, right.prerelease, compareText);
}

/** The same, but rcN against rcN by number: rc2 is older than rc10. */
export function compareVersionsNaturally(left: Version, right: Version): number {
  return (
    compareNumbers(left, right) || comparePrereleases(left.prerelease, right.prerelease, compareCandidates)
  );
}

const RANK_MAJOR = 2 ** 20;
const RANK_MINOR = 2 ** 16;

/** One number that never contradicts `compareNumbers`, and says equal only where that must decide. */
export function rankVersion({ major, minor, patch }: Version): number {
  if (major >= RANK_MAJOR) return RANK_MAJOR * RANK_MINOR * RANK_MINOR;
  const majorRank = Number(major) * RANK_MINOR * RANK_MINOR;
  if (minor >= RANK_MINOR - 1) return majorRank + (RANK_MINOR - 1) * RANK_MINOR;
  return majorRank + Number(minor) * RANK_MINOR + Math.min(Number(patch), RANK_MINOR - 1);
}

/** Whether the rank tells the whole version: two of one rank are then the same. */
export function isRankExact(version: Version): boolean {
  return version.prerelease.length === 0 && version.rest.length === 0 && areNumbersRanked(version);
}

/** Whether the rank tells the first three numbers: two of one rank then differ in what follows only. */
export function areNumbersRanked({ major, minor, patch }: Version): boolean {
  return major < RANK_MAJOR && minor < RANK_MINOR - 1 && patch < RANK_MINOR - 1;
}

/** The numbers only; a missing one counts as 0. */
export function compareNumbers(left: Version, right: Version): number {
  return (
    compareIntegers(left.major, right.major) ||
    compareIntegers(left.minor, right.minor) ||
    compareIntegers(left.patch, right.patch) ||
    (left.rest === right.rest ? 0 : compareRest(left.rest, right.rest))
  );
}

/** By code unit: the same on every machine, never by locale. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Characters of 7 bits that fit a double exactly. */
export const RANK_CHARACTERS = 7;
/** Above every rank of a text. */
export const TEXT_RANKS = 2 ** (7 * RANK_CHARACTERS);

/**
 * One number that never contradicts `compareText`: the first characters; from the first that is not ASCII, nothing.
 *
 * @param start of texts with the same rank, that of the characters after it: 0, 7, 14…
 */
export function rankText(text: string, start = 0): number {
  let rank = 0;
  let isPlain = true;
  for (let index = 0; index < start + RANK_CHARACTERS; index++) {
    const code: number = isPlain && index < text.length ? text.charCodeAt(index) : 0;
    isPlain = isPlain && code < 0x7f;
    if (index >= start) rank = rank * 0x80 + Math.min(code, 0x7f);
  }
  return rank;
}

function compareRest(left: readonly Integer[], right: readonly Integer[]): number {
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = compareIntegers(left[index] ?? 0, right[index] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePrereleases(
  left: readonly Identifier[],
  right: readonly Identifier[],
  compareNames: (left: string, right: string) => number,
): number {
  if (left.length === 0 || right.length === 0) return Number(left.length === 0) - Number(right.length === 0);
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const order = compareIdentifiers(left[index] ?? 0, right[index] ?? 0, compareNames);
    if (order !== 0) return order;
  }
  return Math.sign(left.length - right.length);
}

function compareIdentifiers(
  left: Identifier,
  right: Identifier,
  compareNames: (left: string, right: string) => number,
): number {
  const leftIsText = typeof left === 'string';
  const rightIsText = typeof right === 'string';
  if (leftIsText && rightIsText) return compareNames(left, right);
  if (!leftIsText && !rightIsText) return compareIntegers(left, right);
  return leftIsText ? 1 : -1;
}

const CANDIDATE = /^rc([0-9]+)$/;

function compareCandidates(left: string, right: string): number {
  const leftNumber = CANDIDATE.exec(left)?.[1];
  const rightNumber = CANDIDATE.exec(right)?.[1];
  if (leftNumber === undefined || rightNumber === undefined) return compareText(left, right);
  return compareIntegers(parseInteger(leftNumber), parseInteger(rightNumber));
}
