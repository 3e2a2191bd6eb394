/**
 * Tags as base images carry them: `1.2.3-alpine3.20`. What follows the first "-" is the variant; variant and number
 * of numbers make a track, and tracks are not mixed in one ordering unless asked (docs/grammars/docker.md).
 */

import { compareIntegers, type Integer, parseInteger } from '../integer.ts';
import { comparePlain, readNamed } from './plain.ts';
import { BLANK, ReadTag, type TagFields } from './read-tag.ts';
import { versionType } from './semver.ts';
import type { Tag } from './tag.ts';
import {
  compareText,
  formatWritten,
  NO_IDENTIFIERS,
  RANK_CHARACTERS,
  rankText,
  TEXT_RANKS,
  type Version,
  versionOf,
} from './version.ts';

const VERSION = /^([0-9]+(?:\.[0-9]+)*)(\w*)$/;
/** An abbreviated commit is no version, unless it is all digits. */
const COMMIT = /^(?=.*[a-f])[a-f0-9]{7,40}$/;

/** `1.2.3b1-alpine` is release 1.2.3, pre-release b1, variant alpine (in `extra`); a SNAPSHOT is no release either. */
export function readDocker(tag: string): Tag {
  const text = tag.startsWith('v') ? tag.slice(1) : tag;
  const dash = text.indexOf('-');
  const version = COMMIT.test(tag) ? undefined : readVersion(dash < 0 ? text : text.slice(0, dash));
  if (version === undefined) return readNamed(tag, 'unknown');
  const extra = dash < 0 || dash + 1 === text.length ? null : text.slice(dash + 1);
  const type = extra?.endsWith('SNAPSHOT') === true ? 'releaseCandidate' : versionType(version);
  return new ReadTag({ ...BLANK, tag, type, version, semantic: true, extra }, describeVariant);
}

function readVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const [, numbers = '', prerelease = ''] = match;
  return versionOf(numbers.split('.').map(parseInteger), prerelease === '' ? NO_IDENTIFIERS : [prerelease]);
}

function describeVariant({ version, extra }: TagFields): string {
  const name = version === null ? '' : formatWritten(version);
  return extra === null ? name : `${name} [${extra}]`;
}

/** Variant and precision; two tags of one track may replace each other. Undefined for a tag without version. */
export function trackOf(tag: Tag): string | undefined {
  return tag.version === null ? undefined : `${tag.version.precision}-${tag.extra ?? ''}`;
}

/** Age across tracks too: 2.1 stands for the newest 2.1.x, so it is above them; then variants by text, reversed. */
export function compareDocker(left: Tag, right: Tag): number {
  if (left.version === null || right.version === null) {
    return Number(left.version !== null) - Number(right.version !== null) || comparePlain(left, right);
  }
  return (
    compareReleases(left.version, right.version) ||
    comparePrereleaseText(left.version, right.version) ||
    compareText(right.extra ?? '', left.extra ?? '')
  );
}

/** Coarse age: never contradicts `compareDocker`; names are below versions. */
export function rankDocker({ version, tag }: Tag): number {
  return version === null ? rankText(tag) - TEXT_RANKS : Number(version.major);
}

/** Two of them fit a double exactly. */
const RANK_DIGIT = 2 ** 26;

/** Finer age of tags of one rank: never contradicts `compareDocker`. */
export function tieRankDocker({ version, tag }: Tag): number {
  if (version === null) return rankText(tag, RANK_CHARACTERS);
  const { major, minor, patch, precision } = version;
  if (typeof major !== 'number') return 0;
  const minorDigit = rankDigit(minor, precision > 1);
  // Where the first digit only says "large" or "none", the second must not decide.
  return minorDigit * RANK_DIGIT + (minorDigit < RANK_DIGIT - 2 ? rankDigit(patch, precision > 2) : 0);
}

/** What is not written stands above every number. */
function rankDigit(number: Integer, isWritten: boolean): number {
  return isWritten ? Math.min(Number(number), RANK_DIGIT - 2) : RANK_DIGIT - 1;
}

function compareReleases(left: Version, right: Version): number {
  const leftNumbers = writtenNumbers(left);
  const rightNumbers = writtenNumbers(right);
  for (const [index, number] of leftNumbers.entries()) {
    const other = rightNumbers[index];
    if (other === undefined) return -1;
    const order = compareIntegers(number, other);
    if (order !== 0) return order;
  }
  return leftNumbers.length < rightNumbers.length ? 1 : 0;
}

function writtenNumbers({
  major,
  minor,
  patch,
  rest,
  precision,
}: Version): ReturnType<typeof parseInteger>[] {
  return [major, minor, patch, ...rest].slice(0, precision);
}

function comparePrereleaseText(left: Version, right: Version): number {
  const leftText = left.prerelease.join('.');
  const rightText = right.prerelease.join('.');
  if (leftText === '' || rightText === '') return Number(leftText === '') - Number(rightText === '');
  return compareText(leftText, rightText);
}
