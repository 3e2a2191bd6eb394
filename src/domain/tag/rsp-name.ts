/** The name for people of a tag of the Rubin Science Platform: digits stay as they were written. */

import type { TagFields } from './read-tag.ts';
import { type Architectures, readNameParts, readTail, skipDigits, tailTexts } from './rsp-tail.ts';
import { titleCase } from './title-case.ts';
import type { Version } from './version.ts';

/** No ending counts: for tags that were read as without architecture. */
const NO_ARCHITECTURE: Architectures = new Set(['']);
const ANY_ARCHITECTURE: Architectures = new Set();

/** "Weekly 2077_45 (SAL Cycle 0045, Build 003) (RSP Build 19) [extra] [amd64]"; not for experimental tags. */
export function describeRsp(tag: TagFields): string {
  if (tag.type === 'alias' || tag.type === 'unknown') return describeName(tag);
  const end = headEnd(tag);
  const tail = readTail(tag.tag, end, endingsOf(tag));
  if (tail === undefined) return headTitle(tag, end);
  const { cycle, cycleBuild, rspBuild, extra, architecture } = tailTexts(tag.tag, tail);
  const rsp = rspBuild === undefined ? '' : ` (RSP Build ${rspBuild})`;
  return (
    headTitle(tag, end) + cycleTitle(cycle, cycleBuild) + rsp + bracketed(extra) + bracketed(architecture)
  );
}

/** Endings that make the tag read as it was read. */
export function endingsOf({ architecture }: TagFields): Architectures {
  return architecture === null ? NO_ARCHITECTURE : ANY_ARCHITECTURE;
}

function describeName(tag: TagFields): string {
  const { base, cycle, architecture } = readNameParts(tag.tag, endingsOf(tag));
  const title = tag.type === 'alias' ? titleCase(base.replaceAll('_', ' ')) : base;
  return title + cycleTitle(cycle, undefined) + bracketed(architecture);
}

function headTitle({ tag, type, version }: TagFields, end: number): string {
  if (type === 'weekly') return `Weekly ${tag.slice(2, end)}`;
  if (type === 'daily') return `Daily ${tag.slice(2, end)}`;
  const candidate = version?.prerelease.join('.') ?? '';
  return candidate === ''
    ? `Release r${numbers(version)}`
    : `Release Candidate r${numbers(version)}-${candidate}`;
}

function numbers(version: Version | null): string {
  return version === null ? '' : `${version.major}.${version.minor}.${version.patch}`;
}

/** Index after the version part. */
function headEnd({ tag, type }: TagFields): number {
  if (type === 'weekly') return skipNumbers(tag, 2, 2);
  if (type === 'daily') return skipNumbers(tag, 2, 3);
  // "r170" has no underscores.
  const end = tag.includes('_') ? skipNumbers(tag, 1, 3) : tag.length;
  return type === 'release' ? end : skipDigits(tag, end + '_rc'.length);
}

/** Index after `count` numbers with one character between them. */
function skipNumbers(tag: string, start: number, count: number): number {
  let end = start - 1;
  for (let index = 0; index < count; index++) end = skipDigits(tag, end + 1);
  return end;
}

function cycleTitle(cycle: string | undefined, cycleBuild: string | undefined): string {
  if (cycle === undefined) return '';
  return cycleBuild === undefined ? ` (SAL Cycle ${cycle})` : ` (SAL Cycle ${cycle}, Build ${cycleBuild})`;
}

function bracketed(text: string | undefined): string {
  return text === undefined ? '' : ` [${text}]`;
}
