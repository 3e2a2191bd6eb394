/** Looks through a listing for what each rule of a selection keeps. */

import { type Fold, foldSort } from './fold.ts';
import { dateOf, type Listing } from './listing.ts';
import type { Candidate, Rule } from './selection-rule.ts';
import { outOfBounds } from './selection-rule.ts';
import type { Grammar } from './tag/grammar.ts';
import type { Tag } from './tag/tag.ts';
import { compareText } from './tag/version.ts';

/** What is searched, and when. */
export interface Searched {
  readonly grammar: Grammar;
  readonly listing: Listing;
  readonly nowMs: number;
}

/** What one rule keeps, newest first. */
export interface Found {
  readonly rule: Rule;
  readonly tags: readonly Tag[];
}

/** What every rule keeps: candidates within its bounds, at most `newest` of one track. */
export function* searchListing(rules: readonly Rule[], searched: Searched): Fold<readonly Found[]> {
  const searches = rules.map((rule): Search => ({ rule, candidates: [], enough: enoughFor(rule, searched) }));
  for (const [type, names] of searched.listing.namesByType) {
    const concerned = searches.filter(({ rule }) => rule.types?.includes(type) ?? true);
    yield* searchNames(concerned, names, searched);
  }
  const found: Found[] = [];
  for (const search of searches) {
    const candidates = yield* keepNewest(search, searched.grammar);
    found.push({ rule: search.rule, tags: candidates.map(({ tag }) => tag) });
  }
  return found;
}

/** What one rule has found so far. */
interface Search {
  readonly rule: Rule;
  readonly candidates: Candidate[];
  /** Where the list is in the rule's order, it need not find more. */
  readonly enough: number;
}

function enoughFor(rule: Rule, { grammar }: Searched): number {
  const stopsEarly = isInOrder(rule) && grammar.name !== 'Docker';
  return (stopsEarly ? rule.spec.newest : null) ?? Number.POSITIVE_INFINITY;
}

/** One pass for all rules, because every name is read again; it ends when all have enough. */
function* searchNames(
  searches: readonly Search[],
  names: readonly string[],
  searched: Searched,
): Fold<undefined> {
  let open = searches.filter(isOpen);
  let spent = 0;
  for (const name of names) {
    if (open.length === 0) break;
    let tag: Tag | undefined;
    for (const { rule, candidates } of open) {
      spent += 1 / rule.itemsPerStep;
      if (!rule.mayTake(name)) continue;
      tag ??= searched.listing.read(name);
      const candidate = takeTag(rule, tag, searched);
      if (candidate !== undefined) candidates.push(candidate);
    }
    if (!open.every(isOpen)) open = open.filter(isOpen);
    if (spent < 1) continue;
    spent = 0;
    yield;
  }
  return undefined;
}

function isOpen({ candidates, enough }: Search): boolean {
  return candidates.length < enough;
}

function takeTag(rule: Rule, tag: Tag, { listing, nowMs }: Searched): Candidate | undefined {
  const verdict = rule.judge(tag);
  if (verdict === null || typeof verdict === 'string') return undefined;
  return outOfBounds(rule, tag, dateOf(listing, tag), nowMs) === undefined ? verdict : undefined;
}

function* keepNewest({ rule, candidates }: Search, grammar: Grammar): Fold<readonly Candidate[]> {
  const track = grammar.name === 'Docker' ? mostPrecise(rule, candidates) : candidates;
  const compare = (left: Candidate, right: Candidate): number =>
    compareCandidates(grammar, rule, left, right);
  const newestFirst = isInOrder(rule) ? track : yield* foldSort(track, compare);
  return rule.spec.newest === null ? newestFirst : newestFirst.slice(0, rule.spec.newest);
}

/** Whether the order of listings is the rule's order as well. */
function isInOrder({ spec }: Rule): boolean {
  return spec.selector.kind === 'type' || spec.selector.kind === 'tags';
}

/** Newest first; ties by the grammar, then by text, so that every run gives the same. */
function compareCandidates(grammar: Grammar, rule: Rule, left: Candidate, right: Candidate): number {
  return (
    rule.compare(right, left) ||
    grammar.compare(right.tag, left.tag) ||
    compareText(left.tag.tag, right.tag.tag)
  );
}

/** Docker: 1.2 and 1 float over 1.2.3; the track with the most numbers is the one that is counted. */
function mostPrecise(rule: Rule, candidates: readonly Candidate[]): readonly Candidate[] {
  if (rule.spec.selector.kind !== 'type' && rule.spec.selector.kind !== 'semver') return candidates;
  const precision = Math.max(...candidates.map(({ tag }) => tag.version?.precision ?? 0));
  return candidates.filter(({ tag }) => (tag.version?.precision ?? 0) === precision);
}
