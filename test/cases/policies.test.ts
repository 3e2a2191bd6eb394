/** Every kind of policy-cases.json: what the suites of other tools assert, asked of our ranges, orders and rules. */

import { expect } from 'vitest';

import { formatCanonical, parseReference, validateRepository } from '../../src/domain/reference.ts';
import { formatDate, isPossibleAlias } from '../../src/domain/tag/tag.ts';
import { type Difference, playCases, printTally, readCaseFile } from '../support/case-tally.ts';
import { rspGrammar, tagFields } from '../support/nublado-tag.ts';
import {
  extractPeer,
  filterPeer,
  orderPeer,
  type RetainedTag,
  retainPeer,
  selectPeer,
} from '../support/peer-policies.ts';
import {
  comparePeer,
  isLessThanRange,
  isSameTrack,
  isStableIn,
  isValidTagIn,
  type PeerPolicy,
  rangeOf,
  stripVariant,
  versionIn,
} from '../support/peer-tags.ts';

interface Expectation {
  readonly [field: string]: unknown;
  readonly selected?: string | null;
  readonly error?: unknown;
  readonly list?: readonly string[];
  readonly ordered?: boolean;
  readonly match?: boolean;
  readonly valid?: boolean;
  readonly orGroups?: number;
  readonly count?: number;
  readonly keep?: readonly string[];
  readonly minPulled?: number;
  readonly minActive?: number;
  readonly canonical?: string;
  readonly deterministic?: boolean;
  readonly sampleOf10?: readonly string[];
}

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly policy: PeerPolicy;
  readonly tags: readonly string[];
  readonly expect: Expectation;
}

const file = readCaseFile('policy-cases.json') as { readonly cases: readonly Row[] };
/** Suites also hand in null for "no tag". */
const cases = file.cases.map((row) => ({ ...row, tags: row.tags.map((tag: string | null) => tag ?? '') }));

printTally('policies');

function isNumber(text: string): boolean {
  return /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text);
}

/** Named and argued in docs/design/dialects.md. */
const DIFFERENCES: Readonly<Record<string, readonly Difference<Row>[]>> = {
  select: [
    {
      name: 'one-non-number-spoils-nothing',
      applies: ({ policy, tags, expect: wanted }) =>
        policy.type === 'numerical' && wanted.error === true && tags.some(isNumber) && !tags.every(isNumber),
    },
  ],
  scan: [
    {
      name: 'empty-repository-is-an-empty-list',
      applies: ({ tags, expect: wanted }) => tags.length === 0 && wanted.error !== undefined,
    },
  ],
  canonicalImage: [
    {
      name: 'docker.io-keeps-its-name',
      applies: ({ expect: wanted }) => wanted.canonical?.startsWith('index.docker.io/') === true,
    },
  ],
};

/** What we answer where we differ on purpose. */
const DIFFERENT: Readonly<Record<string, (row: Row) => void>> = {
  'one-non-number-spoils-nothing': ({ policy, tags }) => {
    expect(selectPeer(policy, tags)).toEqual(selectPeer(policy, tags.filter(isNumber)));
  },
  'empty-repository-is-an-empty-list': ({ tags }) => {
    expect(orderPeer({ type: 'latestSample' }, tags)).toEqual([]);
  },
  'docker.io-keeps-its-name': ({ tags: [image = ''], expect: wanted }) => {
    expect(formatCanonical(parseReference(image))).toBe(wanted.canonical?.replace(/^index\./, ''));
  },
};

function expectList(actual: readonly string[], { list = [], ordered, count }: Expectation): void {
  if (ordered === true) expect(actual).toEqual(list);
  else expect(actual.toSorted()).toEqual(list.toSorted());
  if (count !== undefined) expect(actual).toHaveLength(count);
}

/** Either an error is wanted, or the result is checked. */
function attempt(row: Row, act: () => readonly string[]): void {
  if (row.expect.error === true) expect(act).toThrow();
  else expectList(act(), row.expect);
}

function checkSelect({ policy, tags, expect: wanted }: Row): void {
  if (wanted.deterministic === true) {
    expect(selectPeer(policy, tags)).toEqual(selectPeer(policy, tags.toReversed()));
    expect(selectPeer(policy, tags)).not.toHaveProperty('error');
    return;
  }
  expect(selectPeer(policy, tags)).toEqual(
    wanted.error === undefined ? { selected: wanted.selected } : { error: true },
  );
}

function checkCompare({ policy, tags: [left = '', right = ''], expect: wanted }: Row): void {
  const order = comparePeer(policy.dialect, left, right);
  const { cmp, greater, equal } = wanted;
  if (cmp !== undefined) expect(order).toBe(cmp);
  if (greater !== undefined) expect(order === 1).toBe(greater);
  if (equal !== undefined) expect(order === 0).toBe(equal);
}

function checkValidPolicy({ policy, expect: wanted }: Row): void {
  const isOrder = policy.type === 'alphabetical' || policy.type === 'numerical';
  const range = policy.range === undefined ? undefined : rangeOf(policy);
  expect(isOrder ? ['', 'asc', 'desc'].includes(policy.order ?? '') : range !== undefined).toBe(wanted.valid);
  if (wanted.orGroups !== undefined) expect(range?.alternatives ?? 0).toBe(wanted.orGroups);
}

function checkValidTag({ policy, tags: [tag = ''], expect: wanted }: Row): void {
  expect(isValidTagIn(policy, tag)).toBe(wanted.valid);
  const version = versionIn(policy.dialect, tag);
  for (const field of ['major', 'minor', 'patch'] as const) {
    if (wanted[field] !== undefined) expect(version?.[field]).toBe(wanted[field]);
  }
  if (wanted['prerelease'] !== undefined) expect(version?.prerelease.join('.')).toBe(wanted['prerelease']);
}

function checkRetain({ policy, tags, expect: wanted }: Row): void {
  const rows = tags as unknown as readonly RetainedTag[];
  const kept = retainPeer(policy, rows);
  expect(kept).toHaveLength(wanted.count ?? 0);
  if (wanted.keep !== undefined) expect(kept).toEqual(wanted.keep);
  // The suites assert lower bounds, not the oldest kept.
  const { minPulled = 0, minActive = 0 } = wanted;
  for (const { pushed = 0, pulled = 0 } of rows.filter(({ tag }) => kept.includes(tag))) {
    expect(pulled).toBeGreaterThanOrEqual(minPulled);
    expect(Math.max(pushed, pulled)).toBeGreaterThanOrEqual(minActive);
  }
}

function checkParseTag({ tags: [text = ''], expect: wanted }: Row): void {
  const tag = rspGrammar().read(text);
  const { rsp_build: build, ...fields } = tagFields(tag);
  const version = tag.version && {
    build: null,
    major: tag.version.major,
    minor: tag.version.minor,
    patch: tag.version.patch,
    prerelease: tag.version.prerelease.length === 0 ? null : tag.version.prerelease.join('.'),
  };
  const date = formatDate(tag.dateMs)?.replace('T', ' ').replace('Z', '') ?? null;
  expect({ ...fields, build, version, date }).toEqual({ ...wanted, is_possible_alias: isPossibleAlias(tag) });
}

function checkScan({ policy, tags, expect: wanted }: Row): void {
  const listed = orderPeer(
    { type: 'latestSample' },
    filterPeer({ exclusionList: policy.exclusionList ?? [] }, tags),
  );
  expectList(listed, wanted);
  if (wanted.sampleOf10 !== undefined) expect(listed.slice(0, 10)).toEqual(wanted.sampleOf10);
}

const CHECKS: Readonly<Record<string, (row: Row) => void>> = {
  satisfies: ({ policy, tags: [tag = ''], expect: wanted }) => {
    const version = versionIn(policy.dialect, tag);
    expect(version !== undefined && rangeOf(policy)?.includes(version) === true).toBe(wanted.match);
  },
  select: checkSelect,
  compare: checkCompare,
  validPolicy: checkValidPolicy,
  validTag: checkValidTag,
  retain: checkRetain,
  parseTag: checkParseTag,
  scan: checkScan,
  filter: (row) => {
    attempt(row, () => filterPeer(row.policy, row.tags));
  },
  filterExtract: (row) => {
    attempt(row, () => extractPeer(row.policy, row.tags));
  },
  order: (row) => {
    attempt(row, () => orderPeer(row.policy, row.tags));
  },
  stableTag: ({ policy, tags: [tag = ''], expect: wanted }) => {
    expect(isStableIn(policy.dialect, tag)).toBe(wanted['stable']);
  },
  sameTrack: ({ policy, tags: [tag = ''], expect: wanted }) => {
    expect(isSameTrack(tag, policy.current ?? '')).toBe(wanted['compatible']);
  },
  stripSuffix: ({ tags: [tag = ''], expect: wanted }) => {
    expect(stripVariant(tag)).toBe(wanted['version'] ?? '');
  },
  lessThanRange: ({ policy, tags: [tag = ''], expect: wanted }) => {
    expect(isLessThanRange(policy, tag)).toBe(wanted['less']);
  },
  validImage: ({ tags: [image = ''], expect: wanted }) => {
    expect(validateRepository(image).ok).toBe(wanted.valid);
  },
  canonicalImage: ({ tags: [image = ''], expect: wanted }) => {
    expect(formatCanonical(parseReference(image))).toBe(wanted.canonical);
  },
};

for (const kind of new Set(cases.map((row) => row.kind))) {
  playCases({
    title: kind,
    rows: cases.filter((row) => row.kind === kind),
    check: (row) => {
      const check = CHECKS[kind];
      if (check === undefined) throw new Error(`no test for cases of kind ${kind}`);
      check(row);
    },
    differences: DIFFERENCES[kind] ?? [],
    checkDifferent: (row, difference) => {
      DIFFERENT[difference]?.(row);
    },
  });
}
