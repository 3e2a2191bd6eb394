import { describe, expect, it } from 'vitest';

import { runFold } from '../../src/domain/fold.ts';
import { searchListing } from '../../src/domain/selection-search.ts';
import type { RuleSpec } from '../../src/domain/selection-spec.ts';
import { NOW_MS, newestOf, planOf, ruleOf, selectionOf, specOf } from '../support/selections.ts';

const NAMES = ['r22_0_0', 'r23_0_0', 'w_2077_44', 'w_2077_45', 'w_2077_46', 'd_2077_11_18', 'other'];
const ALL_RELEASES = ruleOf('range', {
  kind: 'semver',
  range: '>=1',
  dialect: 'npm',
  prereleases: false,
  variant: null,
});

/** What the rules keep, and which names were read for it, in order. */
function search(rules: readonly RuleSpec[], names: readonly string[] = NAMES) {
  const spec = specOf('RSP', rules);
  const { rules: compiled, grammar } = selectionOf(spec);
  const { listing } = planOf(spec, names);
  const reads: string[] = [];
  const read = (name: string) => {
    reads.push(name);
    return listing.read(name);
  };
  const searched = { grammar, listing: { ...listing, read }, nowMs: NOW_MS };
  const steps = [...searchListing(compiled, searched)].length;
  const found = runFold(searchListing(compiled, { ...searched, listing }));
  return { reads, steps, found: found.map(({ rule, tags }) => [rule.spec.name, tags.map(({ tag }) => tag)]) };
}

describe('looking through a listing', () => {
  it('reads of one type no more than a rule keeps', () => {
    const { reads, found } = search([newestOf('weekly', 2), newestOf('daily', 1)]);
    expect(found).toEqual([
      ['weekly', ['w_2077_46', 'w_2077_45']],
      ['daily', ['d_2077_11_18']],
    ]);
    expect(reads).toEqual(['w_2077_46', 'w_2077_45', 'd_2077_11_18']);
  });

  it('reads a name once for all rules', () => {
    const { reads, found } = search([newestOf('release', 1), ALL_RELEASES, newestOf('release', 5)]);
    expect(found).toEqual([
      ['release', ['r23_0_0']],
      ['range', ['r23_0_0', 'r22_0_0']],
      ['release', ['r23_0_0', 'r22_0_0']],
    ]);
    expect(reads).toEqual(['r23_0_0', 'r22_0_0']);
  });

  it('reads nothing for a rule that can tell by the name', () => {
    const pinned = ruleOf('pinned', { kind: 'tags', tags: ['other', 'gone'] });
    const pattern = ruleOf('pattern', { kind: 'pattern', pattern: '_45$', orderBy: null });
    const { reads, found } = search([pinned, pattern]);
    expect(found).toEqual([
      ['pinned', ['other']],
      ['pattern', ['w_2077_45']],
    ]);
    expect(reads).toEqual(['w_2077_45', 'other']);
  });

  it('goes on past tags that a bound keeps out', () => {
    const old = { ...newestOf('weekly', 1), maxAgeMs: null, minAgeMs: 10 * 86_400_000 };
    expect(search([old]).found).toEqual([['weekly', ['w_2077_44']]]);
  });

  it('pauses by what the rules cost together', () => {
    const many = Array.from({ length: 3000 }, (_, index) => `r1_0_${index}`);
    expect(search([ALL_RELEASES], many).steps).toBeGreaterThanOrEqual(3);
    const costly = ruleOf('p', { kind: 'pattern', pattern: '^r1_0_[0-9]{1,90}x$', orderBy: null });
    expect(search([costly], many).steps).toBeGreaterThan(100);
  });

  it('finds nothing in nothing', () => {
    expect(search([newestOf('weekly', 1)], [])).toEqual({ reads: [], steps: 0, found: [['weekly', []]] });
    expect(search([])).toEqual({ reads: [], steps: 0, found: [] });
  });
});
