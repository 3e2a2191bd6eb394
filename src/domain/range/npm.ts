/** Ranges as npm reads them: the semver package parses, our own versions are compared. */

import { Range as SemverRange } from 'semver';

import { ok, type Problem, type Result, refuse } from '../result.ts';
import { compareNumbers, compareVersions, makeVersion, type Version } from '../tag/version.ts';
import type { Range } from './range.ts';

/** What semver leaves of a comparator after expanding ^, ~, x and hyphens. */
type Operator = '' | '=' | '>' | '>=' | '<' | '<=';

interface Comparator {
  readonly operator: Operator;
  readonly bound: Version;
}

/** semver's `Comparator.semver` is this symbol-like object for "any version". */
const ANY: Comparator = { operator: '>=', bound: makeVersion(0, 0, 0, [0]) };

/** A pre-release is in only if its group names a pre-release of the same three numbers, or `prereleases`. */
export function compileNpm(text: string, prereleases: boolean): Result<Range, Problem> {
  const parsed = parse(text, prereleases);
  if (parsed === undefined) return refuse('not a range of npm semver', firstWrong(text));
  const groups = parsed.set.map((group) => group.map(toComparator));
  return ok({
    alternatives: groups.length,
    includes: (version) => groups.some((group) => includes(group, version, prereleases)),
    isAbove: (version) => groups.every((group) => group.some((comparator) => isBelow(comparator, version))),
  });
}

/** A wildcard and numbers after it, such as the "x.5" of "1.x.5". */
const AFTER_WILDCARD = /(?<=^|[\s|<>=~^v.])([xX*])((?:\.[0-9xX*]+)+)/g;

function parse(text: string, includePrerelease: boolean): SemverRange | undefined {
  // semver 7.8 began to refuse numbers after a wildcard; as before, they mean nothing.
  const plain = text.replace(
    AFTER_WILDCARD,
    (_, wildcard: string, rest: string) => wildcard + rest.replace(/[0-9]+/g, 'x'),
  );
  try {
    return new SemverRange(plain, { includePrerelease });
  } catch {
    return undefined;
  }
}

function toComparator({ operator, semver }: SemverRange['set'][number][number]): Comparator {
  // Typed as SemVer, but the "any" comparator holds a marker without numbers.
  if (typeof (semver as { major?: unknown }).major !== 'number') return ANY;
  return { operator, bound: makeVersion(semver.major, semver.minor, semver.patch, semver.prerelease) };
}

function includes(group: readonly Comparator[], version: Version, prereleases: boolean): boolean {
  if (!group.every((comparator) => holds(comparator, version))) return false;
  if (version.prerelease.length === 0 || prereleases) return true;
  return group.some(
    ({ bound }) => bound !== ANY.bound && bound.prerelease.length > 0 && compareNumbers(bound, version) === 0,
  );
}

function holds({ operator, bound }: Comparator, version: Version): boolean {
  const order = compareVersions(version, bound);
  switch (operator) {
    case '':
    case '=':
      return order === 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
  }
}

/** Whether a lower bound keeps the version out. */
function isBelow({ operator, bound }: Comparator, version: Version): boolean {
  if (operator === '<' || operator === '<=') return false;
  const order = compareVersions(version, bound);
  return operator === '>' ? order <= 0 : order < 0;
}

/** The first character no range can hold, else the start: semver itself does not say where. */
function firstWrong(text: string): number {
  return Math.max(0, text.search(/[^0-9A-Za-z.*+\-^~<>=|\s]/));
}
