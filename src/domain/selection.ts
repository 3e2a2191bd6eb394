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
import { type Fold, foldEach } from './fold.ts';
import { dateOf, type ListedTag, type Listing, type ListingFilter, readAll, readListing } from './listing.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import { err, ok, type Result } from './result.ts';
import { compileRule, outOfBounds, type Rule, type RuleProblem } from './selection-rule.ts';
import { searchListing } from './selection-search.ts';
import { RECOMMENDED_RULE, type SelectionSpec } from './selection-spec.ts';
import { createGrammar, type Grammar } from './tag/grammar.ts';
import type { Tag } from './tag/tag.ts';

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
  entries: readonly (ListedTag | string)[],
  nowMs: number,
): Fold<SelectionPlan> {
  const listing = yield* readListing(selection.filter, entries);
  const kept = new Map([[selection.spec.grammar.recommended, [RECOMMENDED_RULE]]]);
  for (const { rule, tags } of yield* searchListing(selection.rules, { ...selection, listing, nowMs })) {
    for (const { tag } of tags) kept.set(tag, [...(kept.get(tag) ?? []), rule.spec.name]);
  }
  const wanted = new Set([...kept.keys(), ...(yield* alsoWanted(selection, listing, nowMs))]);
  const needsDigest = yield* inListingOrder(listing, wanted);
  const chosen = new Map(needsDigest.filter((tag) => kept.has(tag)).map((tag) => [tag, kept.get(tag) ?? []]));
  return { listing, chosen, needsDigest, nowMs };
}

/** Why a tag of the registry's list is not selected; undefined if it is, or is not in the list. */
export function explainDropped(selection: Selection, plan: SelectionPlan, name: string): string | undefined {
  if (!plan.listing.names.includes(name)) return plan.listing.ignored.get(name);
  return plan.chosen.has(name) ? undefined : dropReason(selection, plan, plan.listing.read(name));
}

function dropReason(selection: Selection, plan: SelectionPlan, tag: Tag): string {
  const reasons = selection.rules.flatMap((rule) => ruleReason(rule, tag, plan) ?? []);
  return reasons.length === 0 ? `no rule is for ${tag.type} tags like this` : reasons.join('; ');
}

/** Every tag that is listed, or named by a rule, and not selected, with the reason; lazily: the list may be long. */
export function* droppedTags(
  selection: Selection,
  plan: SelectionPlan,
): Generator<{ readonly tag: string; readonly reason: string }> {
  const { names, ignored, read } = plan.listing;
  for (const tag of names) {
    if (!plan.chosen.has(tag)) yield { tag, reason: dropReason(selection, plan, read(tag)) };
  }
  for (const [tag, reason] of ignored) yield { tag, reason };
  for (const { rule, tag, reason } of unselectedNames(selection, plan)) {
    if (!ignored.has(tag)) yield { tag, reason: `${rule}: ${reason}` };
  }
}

/** A tag that a rule names, and that is not selected all the same. */
export interface UnselectedName {
  readonly rule: string;
  readonly tag: string;
  readonly reason: string;
}

/** Tags that rules name for nothing: the repository has none of that name, or the spec leaves it out. */
export function unselectedNames(
  { spec }: Selection,
  { listing, chosen }: SelectionPlan,
): readonly UnselectedName[] {
  return spec.rules.flatMap(({ name: rule, selector }) => {
    const tags = selector.kind === 'tags' ? selector.tags.filter((tag) => !chosen.has(tag)) : [];
    return tags.map((tag) => ({ rule, tag, reason: listing.ignored.get(tag) ?? 'there is no such tag' }));
  });
}

/** Those of the names that are listed, in output order. */
function* inListingOrder({ names }: Listing, wanted: ReadonlySet<string>): Fold<readonly string[]> {
  if (wanted.size <= FEW) {
    const places: number[] = [];
    yield* foldEach(wanted, (name) => places.push(names.indexOf(name)), 1);
    const found = places.filter((place) => place >= 0).sort((left, right) => left - right);
    return found.map((place) => names[place] as string);
  }
  const ordered: string[] = [];
  yield* foldEach(names, (name) => {
    if (wanted.has(name)) ordered.push(name);
  });
  return ordered;
}

function ruleReason(rule: Rule, tag: Tag, { listing, nowMs }: SelectionPlan): string | undefined {
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

/** Names of the tags whose digests are wanted, beyond the chosen ones; some may not be listed. */
function* alsoWanted({ spec }: Selection, listing: Listing, nowMs: number): Fold<readonly string[]> {
  if (spec.digests === 'Selected') return [];
  const names = [...spec.grammar.aliases];
  if (spec.digests === 'Named') return names;
  yield* foldEach(displayed(readAll(listing), spec.display, nowMs), ({ tag }) => {
    names.push(tag);
  });
  return names;
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
