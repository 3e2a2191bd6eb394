/**
 * Which images are wanted and which rule says so. Two stages, because digests cost a request each:
 *
 *   const selection = compileSelection(spec)                          once per generation of the object
 *   const plan = runFold(planSelection(selection, tags, nowMs))       `plan.needsDigest` is what to ask the registry
 *   const result = runFold(concludeSelection(selection, plan, facts)) with those digests, nodes and presence
 *
 * Both folds pause every millisecond or two; a server gives way to its event loop there.
 */

import { displayed } from './display.ts';
import { type Fold, foldEach, foldSort } from './fold.ts';
import { dateOf, type ListedTag, type Listing, type ListingFilter, readListing } from './listing.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import { err, ok, type Result } from './result.ts';
import { type Candidate, compileRule, outOfBounds, type Rule, type RuleProblem } from './selection-rule.ts';
import { RECOMMENDED_RULE, type SelectionSpec } from './selection-spec.ts';
import { createGrammar, type Grammar } from './tag/grammar.ts';
import type { Tag } from './tag/tag.ts';
import { compareText } from './tag/version.ts';

/** Names that are looked for one by one. */
const FEW = 64;

/** A compiled spec. */
export interface Selection {
  readonly spec: SelectionSpec;
  readonly grammar: Grammar;
  readonly filter: ListingFilter;
  readonly rules: readonly Rule[];
}

/** What is wrong with a spec: the field ("select", "include", "exclude"), the rule's name or the pattern's number. */
export interface SelectionProblem {
  readonly field: string;
  readonly message: string;
  readonly position: number;
}

export interface SelectionPlan {
  readonly listing: Listing;
  /** Selected tags in output order, with the names of the rules that kept them in order of priority. */
  readonly chosen: ReadonlyMap<string, readonly string[]>;
  /** Tags whose digests are wanted, in output order. */
  readonly needsDigest: readonly string[];
  readonly nowMs: number;
}

/** Fails only on patterns and ranges; the API server refuses the same ones at admission. */
export function compileSelection(spec: SelectionSpec): Result<Selection, SelectionProblem> {
  const include = compilePatterns('include', spec.include);
  if (!include.ok) return include;
  const exclude = compilePatterns('exclude', spec.exclude);
  if (!exclude.ok) return exclude;
  const rules: Rule[] = [];
  for (const ruleSpec of spec.rules) {
    const rule = compileRule(ruleSpec, spec.grammar.name);
    if (!rule.ok) return err(ruleProblem(rule.error));
    rules.push(rule.value);
  }
  const grammar = createGrammar(spec.grammar);
  const filter = { grammar, include: include.value, exclude: exclude.value, cycle: spec.cycle };
  return ok({ spec, grammar, filter, rules });
}

/** Stage one: reads and orders the list, applies the rules, names the digests to ask for. */
export function* planSelection(
  selection: Selection,
  tags: Iterable<ListedTag | string>,
  nowMs: number,
): Fold<SelectionPlan> {
  const listing = yield* readListing(selection.filter, tags);
  const kept = new Map<string, string[]>();
  const { recommended } = selection.spec.grammar;
  if (listing.byTag.has(recommended)) kept.set(recommended, [RECOMMENDED_RULE]);
  for (const rule of selection.rules) {
    for (const { tag } of yield* keepNewest(selection, rule, { listing, nowMs })) {
      const rules = kept.get(tag.tag);
      if (rules === undefined) kept.set(tag.tag, [rule.spec.name]);
      else rules.push(rule.spec.name);
    }
  }
  const wanted = new Set([...kept.keys(), ...alsoWanted(selection, { listing, nowMs })]);
  const needsDigest = yield* inListingOrder(listing, wanted);
  const chosen = new Map(needsDigest.filter((tag) => kept.has(tag)).map((tag) => [tag, kept.get(tag) ?? []]));
  return { listing, chosen, needsDigest, nowMs };
}

/** Why a tag of the registry's list is not selected; undefined if it is, or is not in the list. */
export function explainDropped(selection: Selection, plan: SelectionPlan, name: string): string | undefined {
  const tag = plan.listing.byTag.get(name);
  if (tag === undefined) return plan.listing.ignored.get(name);
  if (plan.chosen.has(name)) return undefined;
  const reasons = selection.rules.flatMap((rule) => ruleReason(rule, tag, plan) ?? []);
  return reasons.length === 0 ? `no rule is for ${tag.type} tags like this` : reasons.join('; ');
}

/** Every tag of the list that is not selected, with the reason; lazily, because the list may be long. */
export function* droppedTags(
  selection: Selection,
  plan: SelectionPlan,
): Generator<{ readonly tag: string; readonly reason: string }> {
  for (const { tag } of plan.listing.tags) {
    const reason = explainDropped(selection, plan, tag);
    if (reason !== undefined) yield { tag, reason };
  }
  for (const [tag, reason] of plan.listing.ignored) yield { tag, reason };
}

/** The names in output order. */
function* inListingOrder({ tags, byTag }: Listing, names: ReadonlySet<string>): Fold<readonly string[]> {
  // A few are looked for: comparing pointers is far cheaper than visiting every tag.
  if (names.size <= FEW) {
    const found = [...names].flatMap((name) => byTag.get(name) ?? []);
    const placed = found.map((tag) => ({ name: tag.tag, place: tags.indexOf(tag) }));
    return placed.sort((left, right) => left.place - right.place).map(({ name }) => name);
  }
  const ordered: string[] = [];
  yield* foldEach(tags, ({ tag }) => {
    if (names.has(tag)) ordered.push(tag);
  });
  return ordered;
}

interface Listed {
  readonly listing: Listing;
  readonly nowMs: number;
}

/** Candidates within the bounds, newest first, at most `newest` of one track. */
function* keepNewest(selection: Selection, rule: Rule, listed: Listed): Fold<readonly Candidate[]> {
  const candidates = yield* findCandidates(selection, rule, listed);
  const track = selection.grammar.name === 'Docker' ? mostPrecise(rule, candidates) : candidates;
  const compare = (left: Candidate, right: Candidate): number =>
    compareCandidates(selection, rule, left, right);
  const newestFirst = isInOrder(rule) ? track : yield* foldSort(track, { compare });
  return rule.spec.newest === null ? newestFirst : newestFirst.slice(0, rule.spec.newest);
}

/** Every tag the rule takes within its bounds; where the list is in the rule's order, no more than are kept. */
function* findCandidates({ grammar }: Selection, rule: Rule, listed: Listed): Fold<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  const enough = isInOrder(rule) && grammar.name !== 'Docker' ? rule.spec.newest : null;
  let judged = 0;
  for (const tag of tagsFor(rule, listed.listing)) {
    if (candidates.length === enough) break;
    const candidate = takeTag(rule, tag, listed);
    if (candidate !== undefined) candidates.push(candidate);
    judged++;
    if (judged % rule.itemsPerStep === 0) yield;
  }
  return candidates;
}

function tagsFor({ types }: Rule, { tags, byType }: Listing): readonly Tag[] {
  if (types === undefined) return tags;
  return ([] as Tag[]).concat(...types.map((type) => byType.get(type) ?? []));
}

function takeTag(rule: Rule, tag: Tag, { listing, nowMs }: Listed): Candidate | undefined {
  const verdict = rule.judge(tag);
  if (verdict === null || typeof verdict === 'string') return undefined;
  return outOfBounds(rule, tag, dateOf(listing, tag), nowMs) === undefined ? verdict : undefined;
}

/** Whether the order of listings is the rule's order as well. */
function isInOrder({ spec }: Rule): boolean {
  return spec.selector.kind === 'type' || spec.selector.kind === 'tags';
}

/** Newest first; ties by the grammar, then by text, so that every run gives the same. */
function compareCandidates(selection: Selection, rule: Rule, left: Candidate, right: Candidate): number {
  return (
    rule.compare(right, left) ||
    selection.grammar.compare(right.tag, left.tag) ||
    compareText(left.tag.tag, right.tag.tag)
  );
}

/** Docker: 1.2 and 1 float over 1.2.3; the track with the most numbers is the one that is counted. */
function mostPrecise(rule: Rule, candidates: readonly Candidate[]): readonly Candidate[] {
  if (rule.spec.selector.kind !== 'type' && rule.spec.selector.kind !== 'semver') return candidates;
  const precision = Math.max(...candidates.map(({ tag }) => tag.version?.precision ?? 0));
  return candidates.filter(({ tag }) => (tag.version?.precision ?? 0) === precision);
}

function ruleReason(rule: Rule, tag: Tag, { listing, nowMs }: Listed): string | undefined {
  const verdict = rule.judge(tag);
  if (verdict === null) return undefined;
  if (typeof verdict === 'string') return `${rule.spec.name}: ${verdict}`;
  const bound = outOfBounds(rule, tag, dateOf(listing, tag), nowMs);
  if (bound !== undefined) return `${rule.spec.name}: ${bound}`;
  const count = rule.spec.newest;
  return count === null
    ? `${rule.spec.name}: of a less precise track`
    : `${rule.spec.name}: not among the newest ${count}`;
}

/** Names of the tags whose digests are wanted, beyond the chosen ones. */
function* alsoWanted({ spec }: Selection, { listing, nowMs }: Listed): Generator<string> {
  if (spec.digests === 'Selected') return;
  yield* spec.grammar.aliases.filter((alias) => listing.byTag.has(alias));
  if (spec.digests !== 'All') return;
  for (const { tag } of displayed(listing.tags, spec.display, nowMs)) yield tag;
}

function compilePatterns(
  field: string,
  sources: readonly string[],
): Result<readonly Pattern[], SelectionProblem> {
  const patterns: Pattern[] = [];
  for (const [index, source] of sources.entries()) {
    const pattern = compilePattern(source);
    if (!pattern.ok) return err({ field: `${field}[${index}]`, ...pattern.error });
    patterns.push(pattern.value);
  }
  return ok(patterns);
}

function ruleProblem({ rule, field, message, position }: RuleProblem): SelectionProblem {
  return { field: `select[${rule}].${field}`, message, position };
}
