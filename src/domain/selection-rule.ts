/** One selection rule, compiled: which tags it takes, why not the others, and which of them are newest. */

import { boundBelow } from './display.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import { compileRange, type Range } from './range/range.ts';
import { err, ok, type Result } from './result.ts';
import type { CaptureOrder, RuleSpec, Selector } from './selection-spec.ts';
import { readCalVer } from './tag/calver.ts';
import type { GrammarName } from './tag/grammar.ts';
import type { Tag, TagType } from './tag/tag.ts';
import {
  compareNumbers,
  compareText,
  compareVersions,
  readLooseVersion,
  type Version,
} from './tag/version.ts';

/** A tag a rule takes, with what orders it. */
export interface Candidate {
  readonly tag: Tag;
  readonly key: Version | string | number | null;
}

/** Candidate, or the reason why the rule does not take the tag; null if the tag is not the rule's business. */
export type Verdict = Candidate | string | null;

export interface Rule {
  readonly spec: RuleSpec;
  /** Cheaper than reading a tag only to have it refused: false if the rule certainly does not take the name. */
  readonly mayTake: (name: string) => boolean;
  /** Judges a tag by name alone: not by age, not by how many are newer. */
  readonly judge: (tag: Tag) => Verdict;
  /** Age of two candidates: negative if the first is older. Ties are broken by the grammar's order, then by text. */
  readonly compare: (left: Candidate, right: Candidate) => number;
  /** The only types it takes, in their fixed order; undefined: it may take any. */
  readonly types?: readonly TagType[];
  /** Tags that may be judged between two pauses. */
  readonly itemsPerStep: number;
}

/** What is wrong with a rule of the spec. */
export interface RuleProblem {
  readonly rule: string;
  readonly field: 'semver' | 'pattern';
  readonly message: string;
  readonly position: number;
}

const PLENTY = 1000;
/** Types of RSP tags that may be semantic versions; an experimental one may be of anything. */
const RSP_SEMANTIC: readonly TagType[] = ['release', 'releaseCandidate', 'experimental'];

/** Compiles patterns and ranges; the only step that can fail. */
export function compileRule(spec: RuleSpec, grammar: GrammarName): Result<Rule, RuleProblem> {
  const { selector } = spec;
  switch (selector.kind) {
    case 'type':
      return ok(typeRule(spec, selector.type, grammar));
    case 'tags':
      return ok(namedRule(spec, new Set(selector.tags)));
    case 'semver': {
      const range = compileRange(selector.range, selector.dialect, selector.prereleases);
      if (!range.ok) return err({ rule: spec.name, field: 'semver', ...range.error });
      return ok(rangeRule(spec, { selector, range: range.value, grammar }));
    }
    case 'pattern': {
      const pattern = compilePattern(selector.pattern);
      if (!pattern.ok) return err({ rule: spec.name, field: 'pattern', ...pattern.error });
      return ok(patternRule(spec, pattern.value, selector.orderBy));
    }
  }
}

/** Why a rule's age limits and lower bounds leave out a tag; undefined if they do not. Unknown dates pass. */
export function outOfBounds(
  { spec }: Rule,
  tag: Tag,
  dateMs: number | null,
  nowMs: number,
): string | undefined {
  if (dateMs !== null && spec.maxAgeMs !== null && dateMs < nowMs - spec.maxAgeMs) return 'older than maxAge';
  if (dateMs !== null && spec.minAgeMs !== null && dateMs > nowMs - spec.minAgeMs)
    return 'younger than minAge';
  const below = boundBelow(dateMs === tag.dateMs ? tag : { ...tag, dateMs }, spec.since);
  return below === undefined ? undefined : `below since.${below}`;
}

function typeRule(spec: RuleSpec, type: Tag['type'], grammar: GrammarName): Rule {
  return {
    spec,
    mayTake: () => true,
    judge(tag) {
      if (tag.type !== type) return null;
      if (tag.architecture !== null) return `for architecture ${tag.architecture} only`;
      if (grammar === 'Docker' && tag.extra !== null) return `variant ${tag.extra} is another track`;
      return { tag, key: null };
    },
    compare: () => 0,
    types: [type],
    itemsPerStep: PLENTY,
  };
}

function namedRule(spec: RuleSpec, names: ReadonlySet<string>): Rule {
  return {
    spec,
    mayTake: (name) => names.has(name),
    judge: (tag) => (names.has(tag.tag) ? { tag, key: null } : null),
    compare: () => 0,
    itemsPerStep: PLENTY,
  };
}

interface RangeParts {
  readonly selector: Extract<Selector, { kind: 'semver' }>;
  readonly range: Range;
  readonly grammar: GrammarName;
}

function rangeRule(spec: RuleSpec, { selector, range, grammar }: RangeParts): Rule {
  return {
    spec,
    mayTake: () => true,
    judge(tag) {
      const version = versionForRange(tag, selector.variant, grammar);
      if (typeof version === 'string' || version === null) return version;
      if (tag.architecture !== null) return `for architecture ${tag.architecture} only`;
      if (range.includes(version)) return { tag, key: version };
      return outsideReason(range, version);
    },
    compare: (left, right) => compareVersions(left.key as Version, right.key as Version),
    // A variant is cut off the text: then any tag may turn out to be a version.
    ...(grammar === 'RSP' && selector.variant === null && { types: RSP_SEMANTIC }),
    itemsPerStep: PLENTY,
  };
}

function outsideReason(range: Range, version: Version): string {
  if (range.isAbove(version)) return 'below the range';
  return version.prerelease.length > 0
    ? 'outside the range, or a pre-release it does not ask for'
    : 'outside the range';
}

/** The semantic version a range looks at: that of the tag without the variant that was asked for. */
function versionForRange(tag: Tag, variant: string | null, grammar: GrammarName): Version | string | null {
  if (grammar === 'Docker') return versionInTrack(tag, variant);
  if (variant !== null) return readVariant(tag.tag, variant);
  return grammar === 'RSP' && !tag.semantic ? null : upToThreeNumbers(tag.version);
}

function versionInTrack(tag: Tag, variant: string | null): Version | string | null {
  if (tag.version === null || tag.extra === variant) return upToThreeNumbers(tag.version);
  return tag.extra === null ? 'without variant' : `variant ${tag.extra} is another track`;
}

function readVariant(tag: string, variant: string): Version | null {
  if (!tag.endsWith(`-${variant}`)) return null;
  return readLooseVersion(tag.slice(0, -variant.length - 1)) ?? null;
}

function upToThreeNumbers(version: Version | null): Version | string | null {
  return version !== null && version.rest.length > 0 ? 'more than three numbers' : version;
}

function patternRule(
  spec: RuleSpec,
  pattern: Pattern,
  orderBy: { readonly capture: string; readonly as: CaptureOrder } | null,
): Rule {
  const readKey = orderBy === null ? undefined : KEY_READERS[orderBy.as];
  return {
    spec,
    mayTake: (name) => pattern.test(name),
    judge(tag) {
      if (orderBy === null || readKey === undefined)
        return pattern.test(tag.tag) ? { tag, key: tag.tag } : null;
      const text = pattern.capture(tag.tag, orderBy.capture);
      if (text === undefined) return null;
      const key = readKey(text);
      return key === undefined ? `${JSON.stringify(text)} is not ${orderBy.as}` : { tag, key };
    },
    compare: orderBy === null ? compareTextKeys : KEY_COMPARERS[orderBy.as],
    itemsPerStep: pattern.itemsPerStep,
  };
}

type Key = Version | string | number;

const KEY_READERS: Readonly<Record<CaptureOrder, (text: string) => Key | undefined>> = {
  Alphabetical: (text) => text,
  Numerical: readNumber,
  SemVer: readLooseVersion,
  CalVer: (text) => readCalVer(text).version ?? undefined,
};

const KEY_COMPARERS: Readonly<Record<CaptureOrder, Rule['compare']>> = {
  Alphabetical: compareTextKeys,
  Numerical: (left, right) => Number(left.key) - Number(right.key),
  SemVer: (left, right) => compareVersions(left.key as Version, right.key as Version),
  CalVer: compareCalendarKeys,
};

function compareTextKeys(left: Candidate, right: Candidate): number {
  return compareText(left.key as string, right.key as string);
}

function compareCalendarKeys(left: Candidate, right: Candidate): number {
  const [older, newer] = [left.key as Version, right.key as Version];
  return compareNumbers(older, newer) || compareVersions(older, newer);
}

/** Decimal numbers with sign, fraction and exponent; nothing else. */
export function readNumber(text: string): number | undefined {
  return /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text) ? Number(text) : undefined;
}
