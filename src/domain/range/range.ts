/** Version ranges in a named dialect. The dialects read the same text differently: see docs/design/dialects.md. */

import type { Problem, Result } from '../result.ts';
import type { Version } from '../tag/version.ts';
import { compileMasterminds } from './masterminds.ts';
import { compileNpm } from './npm.ts';

export const DIALECTS = ['npm', 'Masterminds'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** A compiled range. */
export interface Range {
  /** Groups joined by "||". */
  readonly alternatives: number;
  readonly includes: (version: Version) => boolean;
  /** Whether the version is lower than everything in the range. */
  readonly isAbove: (version: Version) => boolean;
}

/** Longest range text: as in the CRD. */
export const MAX_RANGE_LENGTH = 256;

export function isDialect(text: string): text is Dialect {
  return (DIALECTS as readonly string[]).includes(text);
}

/** @param prereleases whether pre-releases count even where the range names none */
export function compileRange(text: string, dialect: Dialect, prereleases = false): Result<Range, Problem> {
  if (text.length > MAX_RANGE_LENGTH) {
    const message = `a range has at most ${MAX_RANGE_LENGTH} characters`;
    return { ok: false, error: { message, position: MAX_RANGE_LENGTH } };
  }
  return dialect === 'npm' ? compileNpm(text, prereleases) : compileMasterminds(text, prereleases);
}
