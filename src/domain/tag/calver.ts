/** Tags that are calendar versions: 2024.06.01, 24.04, 20240601, 2024-06-01-rc1 (docs/grammars/calver.md). */

import { type Integer, parseInteger } from '../integer.ts';
import { dayMs } from './calendar.ts';
import { readNamed } from './plain.ts';
import { BLANK, ReadTag } from './read-tag.ts';
import { versionType } from './semver.ts';
import type { Tag } from './tag.ts';
import { type Identifier, NO_IDENTIFIERS, readIdentifiers, versionOf } from './version.ts';

/** YYYY or YY, then month, then day or micro numbers, one separator throughout. */
const SEPARATED =
  /^v?([0-9]{4}|[0-9]{2})([._-])([0-9]{1,2})((?:\2[0-9]+)*)(?:[-+._]([A-Za-z][0-9A-Za-z.-]*))?$/;
/** YYYYMMDD, maybe with the time of day to the minute or second. */
const COMPACT =
  /^v?([0-9]{4})([0-9]{2})([0-9]{2})(?:[T._-]?([0-9]{4}(?:[0-9]{2})?))?(?:[-+._]([A-Za-z][0-9A-Za-z.-]*))?$/;
const CANDIDATE = /^(?:a|alpha|b|beta|c|rc|pre|preview|dev)[.-]?[0-9]*(?:[.-][0-9A-Za-z.-]*)?$/i;

export function readCalVer(tag: string): Tag {
  return readCompact(tag) ?? readSeparated(tag) ?? readNamed(tag, 'unknown');
}

function readCompact(tag: string): Tag | undefined {
  const [, year = '', month = '', day = '', time, modifier] = COMPACT.exec(tag) ?? [];
  const dateMs = dayMs(Number(year), Number(month), Number(day));
  if (dateMs === undefined) return undefined;
  const numbers = [year, month, day, ...(time === undefined ? [] : [time])].map(parseInteger);
  return calendarTag(tag, numbers, modifier, dateMs);
}

function readSeparated(tag: string): Tag | undefined {
  const match = SEPARATED.exec(tag);
  if (match === null) return undefined;
  const [, written = '', separator = '', month = '', others = '', modifier] = match;
  const year = written.length === 2 ? 2000 + Number(written) : Number(written);
  const rest = others.split(separator).slice(1).map(parseInteger);
  const dateMs = dateOf(year, Number(month), rest);
  return dateMs === undefined
    ? undefined
    : calendarTag(tag, [year, Number(month), ...rest], modifier, dateMs);
}

/** Without a day, and where the third number cannot be one (a micro version), the month is all that is known. */
function dateOf(year: number, month: number, rest: readonly Integer[]): number | undefined {
  return dayMs(year, month, Number(rest[0] ?? 1)) ?? dayMs(year, month, 1);
}

function calendarTag(
  tag: string,
  numbers: readonly Integer[],
  modifier: string | undefined,
  dateMs: number,
): Tag {
  const isCandidate = modifier !== undefined && CANDIDATE.test(modifier);
  const identifiers: readonly Identifier[] = isCandidate ? readIdentifiers(modifier) : NO_IDENTIFIERS;
  const version = versionOf(numbers, identifiers);
  const extra = modifier === undefined || isCandidate ? null : modifier;
  return new ReadTag(
    { ...BLANK, tag, type: versionType(version), version, extra, dateMs },
    ({ tag: name }) => name,
  );
}
