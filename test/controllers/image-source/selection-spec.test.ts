import { describe, expect, it } from 'vitest';

import { parseImageSource } from '../../../src/api/parse.ts';
import { toSelectionSpec } from '../../../src/controllers/image-source/selection-spec.ts';
import { NO_BOUNDS } from '../../../src/domain/display.ts';
import type { SelectionSpec } from '../../../src/domain/selection-spec.ts';
import { makeVersion } from '../../../src/domain/tag/version.ts';

function specOf(spec: Readonly<Record<string, unknown>>): SelectionSpec {
  const parsed = parseImageSource({
    apiVersion: 'larder.dev/v1alpha1',
    kind: 'ImageSource',
    metadata: { name: 'lab', namespace: 'default' },
    spec: { image: 'r.example/a/b', ...spec },
  });
  if (!parsed.ok) throw new Error(parsed.error.join('; '));
  return toSelectionSpec(parsed.value.spec);
}

const UNLIMITED = { newest: null, maxAgeMs: null, minAgeMs: null, since: NO_BOUNDS };

describe('the selection of an ImageSource', () => {
  it('is complete for a spec that says nothing but the image', () => {
    expect(specOf({})).toEqual({
      image: { registry: 'r.example', repository: 'a/b' },
      grammar: { name: 'SemVer', recommended: 'recommended', aliases: [], architectures: [] },
      cycle: null,
      include: [],
      exclude: [expect.stringContaining('sha256') as string],
      rules: [{ ...UNLIMITED, name: 'stable', selector: { kind: 'type', type: 'release' }, newest: 1 }],
      display: {},
      digests: 'Named',
      allowDowngrade: false,
    });
  });

  it('has the rules of the original for RSP, and none for an empty list', () => {
    const counts = specOf({ tags: { grammar: 'RSP' } }).rules.map(({ selector, newest }) => [
      selector,
      newest,
    ]);
    expect(counts).toEqual([
      [{ kind: 'type', type: 'release' }, 1],
      [{ kind: 'type', type: 'weekly' }, 2],
      [{ kind: 'type', type: 'daily' }, 3],
    ]);
    expect(specOf({ select: [] }).rules).toEqual([]);
  });

  it('carries every field of tags', () => {
    const tags = {
      grammar: 'RSP',
      recommended: 'best',
      aliases: ['a'],
      cycle: 45,
      include: ['^w'],
      exclude: [],
      architectures: ['amd64'],
    };
    expect(specOf({ tags, digests: 'All', allowDowngrade: true })).toMatchObject({
      grammar: { name: 'RSP', recommended: 'best', aliases: ['a'], architectures: ['amd64'] },
      cycle: 45,
      include: ['^w'],
      exclude: [],
      digests: 'All',
      allowDowngrade: true,
    });
  });

  it.each([
    [{ type: 'weekly' }, { kind: 'type', type: 'weekly' }],
    [{ semver: '>=2' }, { kind: 'semver', range: '>=2', dialect: 'npm', prereleases: false, variant: null }],
    [
      { semver: '>=2', dialect: 'Masterminds', prereleases: true, variant: 'alpine' },
      { kind: 'semver', range: '>=2', dialect: 'Masterminds', prereleases: true, variant: 'alpine' },
    ],
    [{ pattern: '^x' }, { kind: 'pattern', pattern: '^x', orderBy: null }],
    [
      { pattern: '(?<d>x)', orderBy: { capture: 'd', as: 'Numerical' } },
      { kind: 'pattern', pattern: '(?<d>x)', orderBy: { capture: 'd', as: 'Numerical' } },
    ],
    [{ tags: ['a', 'b'] }, { kind: 'tags', tags: ['a', 'b'] }],
  ])('reads rule %j as %j', (rule, selector) => {
    expect(specOf({ select: [{ name: 'r', ...rule }] }).rules).toEqual([
      { ...UNLIMITED, name: 'r', selector },
    ]);
  });

  it('reads limits in milliseconds and bounds as values', () => {
    const since = { date: '2077-01-31', version: 'v22.0', build: 7 };
    const rule = { name: 'r', type: 'weekly', newest: 2, maxAge: '720h', minAge: '1h', since };
    expect(specOf({ select: [rule] }).rules[0]).toMatchObject({
      newest: 2,
      maxAgeMs: 2_592_000_000,
      minAgeMs: 3_600_000,
      since: { dateMs: Date.UTC(2077, 0, 31), version: { ...makeVersion(22, 0, 0), precision: 2 }, build: 7 },
    });
  });

  it('reads what is displayed per type', () => {
    const display = {
      weekly: { number: 5, maxAge: '1h', since: { date: '2077-01-31T12:00:00+02:00' } },
      release: {},
    };
    expect(specOf({ display }).display).toEqual({
      weekly: { number: 5, maxAgeMs: 3_600_000, since: { ...NO_BOUNDS, dateMs: Date.UTC(2077, 0, 31, 10) } },
      release: { number: null, maxAgeMs: null, since: NO_BOUNDS },
    });
  });
});
