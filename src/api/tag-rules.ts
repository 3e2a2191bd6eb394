/** How tags are read and which of them an ImageSource selects. */
import * as z from 'zod';
import type { Dialect } from '../domain/range/range.ts';
import type { CaptureOrder } from '../domain/selection-spec.ts';
import type { GrammarName } from '../domain/tag/grammar.ts';
import type { TagType } from '../domain/tag/tag.ts';
import {
  celString,
  dateOrTime,
  duration,
  integer,
  list,
  matching,
  type Rule,
  text,
  withRules,
} from './fields.ts';
import type { Parsed } from './immutable.ts';
import { tag } from './reference-fields.ts';

/** How tags can be read. */
export const GRAMMARS = [
  'RSP',
  'SemVer',
  'Docker',
  'CalVer',
  'Plain',
] as const satisfies readonly GrammarName[];

/** Types of images that a grammar finds; `alias` and `unknown` are never filtered by display. */
export const IMAGE_TYPES = [
  'release',
  'releaseCandidate',
  'weekly',
  'daily',
  'experimental',
  'alias',
  'unknown',
] as const satisfies readonly TagType[];

const ORDERS = ['Numerical', 'Alphabetical', 'SemVer', 'CalVer'] as const satisfies readonly CaptureOrder[];
const DIALECTS = ['npm', 'Masterminds'] as const satisfies readonly Dialect[];

/** Signature and attestation tags (cosign and referrers fallback): `sha256-<digest>` with any ending. */
export const SIGNATURE_TAGS = '^sha256-[0-9a-f]{64}(\\.[a-z]+)?$';

/** A regular expression of a user: RE2 syntax, checked when the object is admitted. */
export function userPattern(): z.ZodString {
  return withRules(text(256, 1), [
    {
      rule: "''.matches(self) || !''.matches(self)",
      message: 'must be a regular expression in RE2 syntax (no look-ahead, no back-references)',
    },
  ]);
}

export const sinceSchema = withRules(
  z.object({
    date: dateOrTime()
      .optional()
      .describe('Images of an earlier date are out; without a time, midnight UTC.'),
    version: matching(
      '^v?[0-9]+(\\.[0-9]+){0,2}(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$',
      'must be a version such as 22.0.0',
      64,
    )
      .optional()
      .describe('Images of a lower version are out.'),
    build: integer(0, Number.MAX_SAFE_INTEGER)
      .optional()
      .describe('RSP: images of a lower build are out; those without a build stay.'),
  }),
  [
    {
      rule: 'has(self.date) || has(self.version) || has(self.build)',
      message: 'since needs a date, a version or a build',
      check: (since) => (since.date ?? since.version ?? since.build) !== undefined,
    },
  ],
);

const selectorNames = ['type', 'semver', 'pattern', 'tags'] as const;

interface Selectors {
  readonly type?: unknown;
  readonly semver?: unknown;
  readonly pattern?: unknown;
  readonly tags?: unknown;
}

const exactlyOneSelector: Rule<Selectors> = {
  rule: `[${selectorNames.map((name) => `has(self.${name})`).join(', ')}].exists_one(given, given)`,
  message: 'give exactly one of type, semver, pattern and tags',
  check: (rule) => selectorNames.filter((name) => rule[name] !== undefined).length === 1,
};

/** `field` makes sense only beside `selector`. */
function onlyWith(field: string, selector: keyof Selectors): Rule<Selectors> {
  return {
    rule: `!has(self.${field}) || has(self.${selector})`,
    message: `${field} only applies to a rule with ${selector}`,
    check: (rule) => (rule as Record<string, unknown>)[field] === undefined || rule[selector] !== undefined,
  };
}

/** Explicit tags are wanted whatever their age, so `field` would be a contradiction. */
function notWithTags(field: string): Rule<Selectors> {
  return {
    rule: `!has(self.${field}) || !has(self.tags)`,
    message: `${field} does not apply to a rule with tags: named tags are always selected`,
    check: (rule) => (rule as Record<string, unknown>)[field] === undefined || rule.tags === undefined,
  };
}

interface PatternSelector extends Selectors {
  readonly orderBy?: { readonly capture: string } | undefined;
}

const capturesGroup: Rule<PatternSelector> = {
  rule: "!has(self.orderBy) || !has(self.pattern) || self.pattern.contains('<' + self.orderBy.capture + '>')",
  message: 'orderBy.capture must be a named group of pattern, such as (?<d>\\d{8})',
  fieldPath: '.orderBy',
  check: ({ orderBy, pattern }) =>
    orderBy === undefined || typeof pattern !== 'string' || pattern.includes(`<${orderBy.capture}>`),
};

const selectFields = z.object({
  name: matching(
    '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$',
    'must be a short name: lower-case letters, digits and "-", at most 32',
    32,
  ).describe('Name of the rule; images say which rules kept them.'),
  type: z.enum(IMAGE_TYPES).optional().describe('Images of this type, newest first.'),
  semver: text(256, 1).optional().describe('Versions in this range, such as ">=2 <3", newest first.'),
  dialect: z.enum(DIALECTS).optional().describe('With semver: whose range syntax it is. Without: npm.'),
  prereleases: z
    .boolean()
    .optional()
    .describe('With semver: pre-releases count too. Without: only if the range names one.'),
  variant: matching('^[A-Za-z0-9_.-]+$', 'must be the variant part of a tag, such as alpine', 64)
    .optional()
    .describe('With semver: only tags of this variant, such as alpine in 1.2.3-alpine.'),
  pattern: userPattern().optional().describe('Tags that match this regular expression (RE2).'),
  orderBy: z
    .object({
      capture: matching('^[A-Za-z_][A-Za-z0-9_]*$', 'must be the name of a group', 64).describe(
        'Named group of pattern whose text orders the tags.',
      ),
      as: z.enum(ORDERS).default('Alphabetical').describe('How the captured texts are compared.'),
    })
    .optional()
    .describe('With pattern: what "newest" means. Without: alphabetical order of the tags.'),
  tags: list(tag(), 32, 1).optional().describe('These tags, if they exist.'),
  newest: integer(1, 100)
    .optional()
    .describe('Keep at most this many, newest first. Without: all that match.'),
  maxAge: duration('1s').optional().describe('Images older than this are out.'),
  minAge: duration('0s').optional().describe('Images younger than this are not in yet.'),
  since: sinceSchema.optional().describe('Lower bounds of date, version and build.'),
});

export const selectRuleSchema = withRules(selectFields, [
  exactlyOneSelector,
  onlyWith('dialect', 'semver'),
  onlyWith('prereleases', 'semver'),
  onlyWith('variant', 'semver'),
  onlyWith('orderBy', 'pattern'),
  capturesGroup,
  notWithTags('newest'),
  notWithTags('maxAge'),
  notWithTags('minAge'),
  notWithTags('since'),
]);

/** At most 32 rules of unique names; any match selects, order is priority. */
export const selectSchema = withRules(list(selectRuleSchema, 32), [
  {
    rule: 'self.all(rule, self.exists_one(other, other.name == rule.name))',
    message: 'rules must have different names',
    check: (rules) => new Set(rules.map((rule) => rule.name)).size === rules.length,
  },
]);

const tagsFields = z.object({
  grammar: z
    .enum(GRAMMARS)
    .default('SemVer')
    .describe(
      'How a tag becomes type, version, date and display name. Docker is SemVer with variant tracks such as 1.2.3-alpine.',
    ),
  recommended: tag()
    .default('recommended')
    .describe('Tag that points to the recommended image; always selected if it exists.'),
  aliases: list(tag(), 16).optional().describe('Tags known to be aliases, such as latest_weekly.'),
  cycle: integer(0, 2 ** 31 - 1)
    .optional()
    .describe('RSP: only images of this cycle.'),
  include: list(userPattern(), 16)
    .optional()
    .describe('Only tags that match one of these regular expressions (RE2) exist for this source.'),
  exclude: list(userPattern(), 16)
    .default([SIGNATURE_TAGS])
    .describe('Tags that match one of these regular expressions (RE2) do not exist for this source.'),
  architectures: list(matching('^[a-z0-9]+$', 'must be an ending such as amd64', 32), 16)
    .optional()
    .describe('RSP: endings of a tag that count as an architecture. Without: any.'),
});

/** `field` belongs to the RSP grammar. */
function onlyRsp(field: 'cycle' | 'architectures'): Rule<z.output<typeof tagsFields>> {
  return {
    rule: `!has(self.${field}) || self.grammar == ${celString('RSP')}`,
    message: `${field} only applies to grammar RSP`,
    check: (tags) => tags[field] === undefined || tags.grammar === 'RSP',
  };
}

export const tagsSchema = withRules(tagsFields, [onlyRsp('cycle'), onlyRsp('architectures')]);

const shownSchema = z.object({
  number: integer(1, 100_000).optional().describe('Show at most this many. Without: all.'),
  maxAge: duration('1s').optional().describe('Hide images older than this.'),
  since: sinceSchema.optional().describe('Hide images below these bounds.'),
});

/** What the menu's dropdown shows, per type. */
export const displaySchema = z.object({
  release: shownSchema.optional().describe('Releases.'),
  releaseCandidate: shownSchema.optional().describe('Release candidates.'),
  weekly: shownSchema.optional().describe('Weeklies.'),
  daily: shownSchema.optional().describe('Dailies.'),
  experimental: shownSchema.optional().describe('Experimental images.'),
});

/** One of spec.select. */
export type SelectRule = Parsed<z.output<typeof selectRuleSchema>>;
/** spec.display of an ImageSource. */
export type DisplayPolicy = Parsed<z.output<typeof displaySchema>>;
/** Lower bounds of a rule. */
export type Since = Parsed<z.output<typeof sinceSchema>>;
