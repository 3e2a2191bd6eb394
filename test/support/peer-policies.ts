/** The policies of other tools (selection, filters, orders, retention), played through our own rules and orders. */

import { NO_BOUNDS } from '../../src/domain/display.ts';
import { runFold } from '../../src/domain/fold.ts';
import type { ListedTag } from '../../src/domain/listing.ts';
import { compileSelection, planSelection } from '../../src/domain/selection.ts';
import { type Candidate, compileRule } from '../../src/domain/selection-rule.ts';
import type { CaptureOrder, RuleSpec, SelectionSpec } from '../../src/domain/selection-spec.ts';
import { compareDocker, readDocker } from '../../src/domain/tag/docker.ts';
import { readPlain } from '../../src/domain/tag/plain.ts';
import {
  compareText,
  compareVersions,
  readLooseVersion,
  readStrictVersion,
  type Version,
} from '../../src/domain/tag/version.ts';
import { expand, globPattern, type PeerPolicy, pattern, rangeOf, versionIn } from './peer-tags.ts';

/** What a policy answers: a tag, nothing, or a refusal. */
export type Answer = { readonly selected: string | null } | { readonly error: true };

const REFUSED: Answer = { error: true };

/** A stable sort, newest first. */
function newestFirst<T>(items: readonly T[], compare: (left: T, right: T) => number): readonly T[] {
  return items.toSorted((left, right) => compare(right, left));
}

interface Versioned {
  readonly tag: string;
  readonly version: Version;
}

function versioned(
  tags: readonly string[],
  read: (tag: string) => Version | undefined,
): readonly Versioned[] {
  return tags.flatMap((tag) => {
    const version = read(tag);
    return version === undefined ? [] : [{ tag, version }];
  });
}

function byVersion(left: Versioned, right: Versioned): number {
  return compareVersions(left.version, right.version);
}

type SelectPeer = (policy: PeerPolicy, tags: readonly string[]) => Answer;

const SELECTORS: Readonly<Record<string, SelectPeer>> = {
  alphabetical: (policy, tags) => selectOrdered(policy, tags, 'Alphabetical'),
  numerical: (policy, tags) => selectOrdered(policy, tags, 'Numerical'),
  'newest-build': (policy, tags) => ({ selected: orderByDate(policy, tags).at(-1) ?? null }),
  'keel-semver': (policy, tags) => ({ selected: selectKeel(policy, tags) }),
  'keel-glob': ({ glob = '' }, tags) => ({
    selected: newestFirst(tags.filter(globPattern(glob).test), compareText)[0] ?? null,
  }),
  'keel-regexp': ({ regexp = '' }, tags) => ({ selected: selectByGroup(regexp, tags) }),
};

export function selectPeer(policy: PeerPolicy, tags: readonly string[]): Answer {
  const byDialect = policy.dialect === 'renovate-docker' ? selectTrack : selectRange;
  const select = SELECTORS[policy.type ?? ''] ?? byDialect;
  return select(policy, tags);
}

/** Values after Flux's filterTags, with the tags they came from; of equal values, the same one whatever the order. */
function extracted({ filterTags }: PeerPolicy, tags: readonly string[]): ReadonlyMap<string, string> {
  if (filterTags === undefined) return new Map(tags.map((tag) => [tag, tag]));
  const values = new Map<string, string>();
  for (const tag of tags.toSorted(compareText)) {
    const value = extractValue(filterTags, tag);
    if (value !== undefined) values.set(value, tag);
  }
  return values;
}

function extractValue(filter: NonNullable<PeerPolicy['filterTags']>, tag: string): string | undefined {
  return expand(pattern(filter.pattern).source, tag, filter.extract === '' ? '$0' : filter.extract);
}

export function extractPeer({ filterTags }: PeerPolicy, tags: readonly string[]): readonly string[] {
  return filterTags === undefined ? tags : tags.flatMap((tag) => extractValue(filterTags, tag) ?? []);
}

function selectRange(policy: PeerPolicy, tags: readonly string[]): Answer {
  const range = rangeOf(policy);
  if (range === undefined) return REFUSED;
  try {
    const values = extracted(policy, tags);
    const inRange = versioned([...values.keys()], (value) => versionIn(policy.dialect, value)).filter(
      ({ version }) => range.includes(version),
    );
    const sorted = newestFirst(inRange, byVersion);
    const found = policy.pick === 'min' ? sorted.at(-1) : sorted[0];
    // Flux refuses where nothing fits; the others select nothing.
    if (found === undefined) return policy.dialect === 'flux' ? REFUSED : { selected: null };
    return { selected: values.get(found.tag) ?? null };
  } catch {
    return REFUSED;
  }
}

/** Our pattern rule with a capture; "desc" asks for the smallest. */
function selectOrdered(policy: PeerPolicy, tags: readonly string[], as: CaptureOrder): Answer {
  const spec = ruleOf({ kind: 'pattern', pattern: '^(?P<value>.*)$', orderBy: { capture: 'value', as } });
  const rule = compileRule(spec, 'Plain');
  if (!rule.ok || (policy.order ?? '') === 'invalid') return REFUSED;
  try {
    const values = extracted(policy, tags);
    const candidates = [...values.keys()].flatMap((value): readonly Candidate[] => {
      const verdict = rule.value.judge(readPlain(value));
      return verdict === null || typeof verdict === 'string' ? [] : [verdict];
    });
    const sorted = newestFirst(candidates, rule.value.compare);
    const found = policy.order === 'desc' ? sorted.at(-1) : sorted[0];
    if (found === undefined) return policy.dialect === 'argocd-image-updater' ? { selected: null } : REFUSED;
    return { selected: values.get(found.tag.tag) ?? null };
  } catch {
    return REFUSED;
  }
}

/** Renovate picks the tag that equals the wanted one. */
function selectTrack({ range = '' }: PeerPolicy, tags: readonly string[]): Answer {
  const wanted = readDocker(range);
  const found = tags.find(
    (tag) => readDocker(tag).version !== null && compareDocker(readDocker(tag), wanted) === 0,
  );
  return { selected: found ?? null };
}

/** Keel: the newest within the bump, pre-release like that of the current tag if asked. */
function selectKeel(policy: PeerPolicy, tags: readonly string[]): string | null {
  const now = readLooseVersion(policy.current ?? '');
  const twoParts = versioned(tags, (tag) => (tag.includes('.') ? readLooseVersion(tag) : undefined));
  const sorted = newestFirst(twoParts, byVersion);
  const newer = sorted.find(({ version }) => now !== undefined && isBump(policy, now, version));
  return (policy.current === 'latest' ? sorted[0] : newer)?.tag ?? null;
}

function isBump({ bump, matchPreRelease }: PeerPolicy, now: Version, next: Version): boolean {
  const isAlike = next.prerelease.join('.') === now.prerelease.join('.');
  if (matchPreRelease === true && bump !== 'all' && !isAlike) return false;
  if (compareVersions(next, now) <= 0) return false;
  if (bump === 'patch' && next.minor !== now.minor) return false;
  return (bump !== 'minor' && bump !== 'patch') || next.major === now.major;
}

function selectByGroup(source: string, tags: readonly string[]): string | null {
  const compiled = pattern(source);
  const key = (tag: string): string =>
    source.includes('<compare>') ? (compiled.capture(tag, 'compare') ?? '') : tag;
  return (
    newestFirst(tags.filter(compiled.test), (left, right) => compareText(key(left), key(right)))[0] ?? null
  );
}

/** Oldest first, ties by text; without dates, the order of the list. */
function orderByDate({ dates }: PeerPolicy, tags: readonly string[]): readonly string[] {
  const entries = tags.map((tag, index) => ({ tag, date: dates?.[index] ?? index }));
  return entries
    .toSorted((left, right) => left.date - right.date || compareText(left.tag, right.tag))
    .map(({ tag }) => tag);
}

type OrderPeer = (policy: PeerPolicy, tags: readonly string[]) => readonly string[];

const ORDERS: Readonly<Record<string, OrderPeer>> = {
  latestSample: ({ limit }, tags) => newestFirst(tags, compareText).slice(0, limit),
  'newest-build': orderByDate,
  'keel-force': (_, tags) =>
    orderVersionsFirst(tags, (tag) => (tag.includes('.') ? readLooseVersion(tag) : undefined)),
  'openshift-priority': (_, tags) => tags.toSorted(compareOpenShift),
  'drop-version': orderDrop,
};

export function orderPeer(policy: PeerPolicy, tags: readonly string[]): readonly string[] {
  const order = ORDERS[policy.type ?? ''] ?? orderVersions;
  return order(policy, tags);
}

function orderVersions(policy: PeerPolicy, tags: readonly string[]): readonly string[] {
  const isAscending = policy.order?.startsWith('asc') === true;
  if (policy.dialect === 'renovate-docker') {
    const sorted = tags.toSorted((left, right) => compareDocker(readDocker(left), readDocker(right)));
    return isAscending ? sorted : sorted.toReversed();
  }
  const range = policy.range === undefined ? undefined : rangeOf(policy);
  const wanted = versioned(tags, (tag) => versionIn(policy.dialect, tag)).filter(
    ({ version }) => range === undefined || range.includes(version),
  );
  // Argo breaks ties by text; Flux keeps the order of the list.
  const isArgo = policy.dialect === undefined || policy.dialect === 'argocd-image-updater';
  const ascending = (left: Versioned, right: Versioned): number =>
    byVersion(left, right) || (isArgo ? compareText(left.tag, right.tag) : 0);
  const sorted = isAscending ? wanted.toSorted(ascending) : newestFirst(wanted, ascending);
  return sorted.map(({ tag }) => tag);
}

function orderVersionsFirst(
  tags: readonly string[],
  read: (tag: string) => Version | undefined,
): readonly string[] {
  const versions = newestFirst(versioned(tags, read), byVersion).map(({ tag }) => tag);
  return [...versions, ...tags.filter((tag) => read(tag) === undefined)];
}

/** latest, X.Y[-pre], X.Y.Z, others by text; newest first; without "v" before with. */
function compareOpenShift(left: string, right: string): number {
  const [first, second] = [openShiftKey(left), openShiftKey(right)];
  if (first.rank !== second.rank) return first.rank - second.rank;
  if (first.version === undefined || second.version === undefined) return compareText(left, right);
  return compareVersions(second.version, first.version) || compareText(first.prefix, second.prefix);
}

function openShiftKey(tag: string): {
  readonly rank: number;
  readonly version?: Version;
  readonly prefix: string;
} {
  const prefix = tag.startsWith('v') ? 'v' : '';
  if (tag === 'latest') return { rank: 0, prefix: '' };
  const full = readStrictVersion(tag.slice(prefix.length));
  if (full !== undefined) return { rank: 2, version: full, prefix };
  const minor = /^[0-9]+\.[0-9]+(?:-\w+)?$/.test(tag.slice(prefix.length))
    ? readLooseVersion(tag)
    : undefined;
  return minor === undefined ? { rank: 3, prefix } : { rank: 1, version: minor, prefix };
}

/** Newest first by the version anywhere in the tag; the others behind, last listed first. */
function orderDrop({ versionPattern }: PeerPolicy, tags: readonly string[]): readonly string[] {
  const embedded = versionPattern ?? '([0-9]+\\.[0-9]+(?:\\.[0-9]+)?(?:[-+][0-9A-Za-z.-]+)?)';
  const read = (tag: string): Version | undefined =>
    (versionPattern === undefined ? readLooseVersion(tag) : undefined) ??
    readLooseVersion(expand(embedded, tag, '$1') ?? '');
  const found = versioned(tags, read).toSorted(
    (left, right) => byVersion(right, left) || compareText(left.tag, right.tag),
  );
  return [...found.map(({ tag }) => tag), ...tags.filter((tag) => read(tag) === undefined).toReversed()];
}

export function filterPeer(policy: PeerPolicy, tags: readonly string[]): readonly string[] {
  if (policy.exclusionList !== undefined) return without(tags, policy.exclusionList.map(pattern));
  if (policy.ignoreGlobs !== undefined)
    return without(
      tags,
      policy.ignoreGlobs.map((glob) => globPattern(glob)),
    );
  if (policy.type === 'regsync') return filterRegsync(policy, tags);
  if (policy.type === 'doublestar') return tags.filter((entry) => matchesDoublestar(policy, entry));
  const wanted = policy.tagFilter === undefined ? tags : tags.filter(pattern(policy.tagFilter).test);
  return orderDrop(policy, wanted);
}

function without(
  tags: readonly string[],
  patterns: readonly { readonly test: (text: string) => boolean }[],
): readonly string[] {
  return tags.filter((tag) => !patterns.some(({ test }) => test(tag)));
}

/** Any of the ranges, then any of allow, then none of deny; patterns are anchored. */
function filterRegsync(
  { semverRange = [], allow = [], deny = [] }: PeerPolicy,
  tags: readonly string[],
): readonly string[] {
  const anchored = (sources: readonly string[]): readonly ReturnType<typeof pattern>[] =>
    sources.map((source) => pattern(`^(?:${source})$`));
  const ranges = semverRange.map((range) => rangeOf({ dialect: 'regclient', range }));
  const inRange = tags.filter((tag) => {
    const version = versionIn('regclient', tag);
    return (
      ranges.length === 0 ||
      (version !== undefined && ranges.some((range) => range?.includes(version) === true))
    );
  });
  const allowed = anchored(allow);
  return without(
    inRange.filter((tag) => allowed.length === 0 || allowed.some(({ test }) => test(tag))),
    anchored(deny),
  );
}

/** Entries are repository:tag; `untagged` makes artifacts without tag part of the match. */
function matchesDoublestar(policy: PeerPolicy, entry: string): boolean {
  const [repository = '', tag = ''] = entry.split(':');
  const isUntagged = tag === '<untagged>';
  const matches = (glob: string, text: string): boolean => globPattern(glob, '[^/]*').test(text);
  if (policy.tagMatches !== undefined)
    return isUntagged ? policy.untagged === true : matches(policy.tagMatches, tag);
  if (policy.tagExcludes !== undefined)
    return isUntagged ? policy.untagged !== true : !matches(policy.tagExcludes, tag);
  if (policy.repoMatches !== undefined) return matches(policy.repoMatches, repository);
  return !matches(policy.repoExcludes ?? '', repository);
}

function ruleOf(selector: RuleSpec['selector'], limits: Partial<RuleSpec> = {}): RuleSpec {
  return {
    name: 'rule',
    selector,
    newest: null,
    maxAgeMs: null,
    minAgeMs: null,
    since: NO_BOUNDS,
    ...limits,
  };
}

export interface RetainedTag {
  readonly tag: string;
  readonly pushed?: number;
  readonly pulled?: number;
  readonly pushedDaysAgo?: number;
  readonly pulledDaysAgo?: number;
  readonly offset?: string;
}

const DAY_MS = 86_400_000;

/** Harbor's rules as ours: "latest k" as newest of a captured number, "within days" as maxAge of the date listed. */
export function retainPeer(policy: PeerPolicy, tags: readonly RetainedTag[]): readonly string[] {
  const count = policy.k ?? policy.n;
  if (count === 0) return [];
  const selector = {
    kind: 'pattern',
    pattern: '^(?P<time>[0-9]+)_',
    orderBy: { capture: 'time', as: 'Numerical' },
  } as const;
  const rule =
    count === undefined
      ? ruleOf({ ...selector, pattern: '^(?P<time>[0-9]*)_', orderBy: null }, withinDays(policy))
      : ruleOf(selector, { newest: count });
  const selection = compileSelection(plainSpec([rule]));
  if (!selection.ok) throw new Error(selection.error.message);
  const listed = tags.map(
    (tag): ListedTag => ({ tag: `${timeOf(policy, tag)}_${tag.tag}`, pushedMs: daysAgoMs(tag) }),
  );
  const { chosen, listing } = runFold(planSelection(selection.value, listed, 0));
  const newest = listing.names.filter((tag) => chosen.has(tag));
  return newest
    .toSorted((left, right) => Number.parseInt(right) - Number.parseInt(left))
    .map((tag) => tag.replace(/^[0-9]*_/, ''));
}

function timeOf({ type }: PeerPolicy, { pushed = 0, pulled = 0 }: RetainedTag): number {
  if (type === 'latestActiveK') return Math.max(pushed, pulled);
  return type === 'latestPulledN' ? pulled : pushed;
}

function daysAgoMs({ pushedDaysAgo, pulledDaysAgo, offset }: RetainedTag): number {
  const hours = offset === undefined ? 0 : Number(/[+-]\d+/.exec(offset)?.[0] ?? 0);
  return -(pushedDaysAgo ?? pulledDaysAgo ?? 0) * DAY_MS + hours * 3_600_000;
}

/** Harbor leaves out what is exactly N days old; our maxAge keeps it. */
function withinDays({ days = 0 }: PeerPolicy): Partial<RuleSpec> {
  return { maxAgeMs: days * DAY_MS - 1 };
}

function plainSpec(rules: readonly RuleSpec[]): SelectionSpec {
  return {
    image: { registry: 'r.example', repository: 'a' },
    grammar: { name: 'Plain', recommended: '', aliases: [], architectures: [] },
    cycle: null,
    include: [],
    exclude: [],
    rules,
    display: {},
    digests: 'Selected',
    allowDowngrade: false,
  };
}
