import { describe, expect, it } from 'vitest';
import { toSelectionSpec } from '../../../src/controllers/image-source/selection-spec.ts';
import type { SelectionSpec } from '../../../src/domain/selection-spec.ts';
import { imageSource } from '../../support/builders.ts';

type Spec = NonNullable<NonNullable<Parameters<typeof imageSource>[0]>['spec']>;

function read(spec: Spec = {}): SelectionSpec {
  return toSelectionSpec(imageSource({ spec }).spec);
}

const HOUR = 3_600_000;
const UNBOUND = { newest: null, maxAgeMs: null, minAgeMs: null, since: noSince() };

function noSince() {
  return { dateMs: null, version: null, build: null } as const;
}

describe('a spec that says nothing', () => {
  it('means the newest stable version', () => {
    expect(read()).toMatchObject({
      image: { registry: 'registry.example.org', repository: 'sciplat/lab' },
      grammar: { name: 'SemVer', recommended: 'recommended', aliases: [], architectures: [] },
      cycle: null,
      include: [],
      rules: [{ ...UNBOUND, name: 'stable', selector: { kind: 'type', type: 'release' }, newest: 1 }],
      display: {},
      digests: 'Named',
      allowDowngrade: false,
    });
  });

  it('means what the original stocks for RSP tags', () => {
    const rules = read({ tags: { grammar: 'RSP', cycle: 45, architectures: ['amd64'] } }).rules;
    expect(rules.map(({ name, newest }) => [name, newest])).toEqual([
      ['releases', 1],
      ['weeklies', 2],
      ['dailies', 3],
    ]);
  });

  it('means no rule at all if the list of rules is empty', () => {
    expect(read({ select: [] }).rules).toEqual([]);
  });
});

describe('a rule', () => {
  it.each([
    [
      'by type, with every bound',
      { type: 'weekly', newest: 2, maxAge: '720h', minAge: '1h', since: { date: '2026-01-31', build: 7 } },
      {
        selector: { kind: 'type', type: 'weekly' },
        newest: 2,
        maxAgeMs: 720 * HOUR,
        minAgeMs: HOUR,
        since: { dateMs: Date.UTC(2026, 0, 31), version: null, build: 7 },
      },
    ],
    [
      'by range, in its plainest form',
      { semver: '>=2 <3' },
      {
        ...UNBOUND,
        selector: { kind: 'semver', range: '>=2 <3', dialect: 'npm', prereleases: false, variant: null },
      },
    ],
    [
      'by range, with everything',
      {
        semver: '^2',
        dialect: 'Masterminds',
        prereleases: true,
        variant: 'alpine',
        since: { version: '2.1.0' },
      },
      {
        selector: {
          kind: 'semver',
          range: '^2',
          dialect: 'Masterminds',
          prereleases: true,
          variant: 'alpine',
        },
        since: { dateMs: null, build: null, version: { major: 2, minor: 1, patch: 0 } },
      },
    ],
    [
      'by pattern',
      { pattern: '^n-(?<d>\\d{8})$', orderBy: { capture: 'd', as: 'Numerical' } },
      {
        selector: {
          kind: 'pattern',
          pattern: '^n-(?<d>\\d{8})$',
          orderBy: { capture: 'd', as: 'Numerical' },
        },
      },
    ],
    [
      'by pattern, in the order of the tags',
      { pattern: '^n-' },
      { selector: { kind: 'pattern', pattern: '^n-', orderBy: null } },
    ],
    ['by name', { tags: ['a', 'b'] }, { ...UNBOUND, selector: { kind: 'tags', tags: ['a', 'b'] } }],
  ] as const)('%s', (_how, rule, meaning) => {
    expect(read({ select: [{ name: 'rule', ...rule }] }).rules).toMatchObject([{ name: 'rule', ...meaning }]);
  });
});

describe('display', () => {
  it('reads each type on its own', () => {
    const display = {
      weekly: { number: 5 },
      daily: { maxAge: '24h' },
      release: { since: { version: '22.0.0' } },
    };
    expect(read({ display }).display).toMatchObject({
      weekly: { number: 5, maxAgeMs: null, since: noSince() },
      daily: { number: null, maxAgeMs: 24 * HOUR },
      release: { since: { version: { major: 22 } } },
    });
  });
});
