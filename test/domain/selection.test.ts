import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { NO_BOUNDS } from '../../src/domain/display.ts';
import { runFold } from '../../src/domain/fold.ts';
import {
  compileSelection,
  droppedTags,
  explainDropped,
  planSelection,
  unselectedNames,
} from '../../src/domain/selection.ts';
import { readNumber } from '../../src/domain/selection-rule.ts';
import type { CaptureOrder, SelectionSpec } from '../../src/domain/selection-spec.ts';
import { makeVersion } from '../../src/domain/tag/version.ts';
import {
  chosenOf,
  digestOf,
  NOW_MS,
  newestOf,
  planOf,
  ruleOf,
  selectionOf,
  specOf,
} from '../support/selections.ts';

const DAY_MS = 86_400_000;
const RSP_TAGS = [
  'r22_0_0',
  'r23_0_0',
  'r24_0_0_rc1',
  'w_2077_44',
  'w_2077_45',
  'w_2077_46',
  'w_2077_46-arm64',
  'd_2077_11_18',
  'recommended',
  'exp_x',
  'other',
];

function range(
  text: string,
  more: { dialect?: 'npm' | 'Masterminds'; prereleases?: boolean; variant?: string } = {},
) {
  return {
    kind: 'semver',
    range: text,
    dialect: more.dialect ?? 'npm',
    prereleases: more.prereleases ?? false,
    variant: more.variant ?? null,
  } as const;
}

function ordered(pattern: string, as: CaptureOrder, capture = 'd') {
  return { kind: 'pattern', pattern, orderBy: { capture, as } } as const;
}

/** Why a tag was dropped. */
function reason(spec: SelectionSpec, tags: readonly string[], tag: string): string | undefined {
  const selection = selectionOf(spec);
  return explainDropped(selection, runFold(planSelection(selection, tags, NOW_MS)), tag);
}

describe('rules by type', () => {
  it('keep the newest of a type, architecture tags neither kept nor counted', () => {
    const spec = specOf('RSP', [newestOf('release', 1), newestOf('weekly', 2), newestOf('daily', 3)]);
    expect(chosenOf(spec, RSP_TAGS)).toEqual([
      'recommended',
      'r23_0_0',
      'w_2077_46',
      'w_2077_45',
      'd_2077_11_18',
    ]);
    expect(reason(spec, RSP_TAGS, 'w_2077_46-arm64')).toBe('weekly: for architecture arm64 only');
    expect(reason(spec, RSP_TAGS, 'w_2077_44')).toBe('weekly: not among the newest 2');
    expect(reason(spec, RSP_TAGS, 'exp_x')).toBe('no rule is for experimental tags like this');
    expect(reason(spec, RSP_TAGS, 'w_2077_46')).toBeUndefined();
    expect(reason(spec, RSP_TAGS, 'nothing')).toBeUndefined();
  });

  it('keep all without a number', () => {
    const rule = ruleOf('all', { kind: 'type', type: 'weekly' });
    expect(chosenOf(specOf('RSP', [rule]), RSP_TAGS)).toEqual([
      'recommended',
      'w_2077_46',
      'w_2077_45',
      'w_2077_44',
    ]);
  });

  it('name every rule that kept an image, in order of priority', () => {
    const rules = [
      newestOf('weekly', 1),
      ruleOf('pin', { kind: 'tags', tags: ['w_2077_46', 'recommended', 'gone'] }),
    ];
    const { chosen } = planOf(specOf('RSP', rules), RSP_TAGS);
    expect([...chosen]).toEqual([
      ['recommended', ['recommended', 'pin']],
      ['w_2077_46', ['weekly', 'pin']],
    ]);
  });

  it('let a named tag be of any kind', () => {
    const rule = ruleOf('pin', { kind: 'tags', tags: ['w_2077_46-arm64', 'other'] });
    expect(chosenOf(specOf('RSP', [rule]), RSP_TAGS)).toEqual(['recommended', 'w_2077_46-arm64', 'other']);
  });
});

describe('ages and bounds', () => {
  const weekly = { kind: 'type', type: 'weekly' } as const;
  const ages = ['w_2077_44', 'w_2077_45', 'w_2077_46'];

  it.each([
    // The Thursday of week 46 is 18 November, of week 45 the 11th; it is the 20th.
    [{ maxAgeMs: 9 * DAY_MS }, ['w_2077_46', 'w_2077_45'], 'w_2077_44', 'older than maxAge'],
    [{ maxAgeMs: 9 * DAY_MS - 1 }, ['w_2077_46'], 'w_2077_45', 'older than maxAge'],
    [{ minAgeMs: 2 * DAY_MS }, ['w_2077_46', 'w_2077_45', 'w_2077_44'], 'x', undefined],
    [{ minAgeMs: 2 * DAY_MS + 1 }, ['w_2077_45', 'w_2077_44'], 'w_2077_46', 'younger than minAge'],
    [
      { since: { ...NO_BOUNDS, dateMs: Date.UTC(2077, 10, 11) } },
      ['w_2077_46', 'w_2077_45'],
      'w_2077_44',
      'below since.date',
    ],
  ])('%j keeps %j', (limits, kept, dropped, why) => {
    const spec = specOf('RSP', [ruleOf('r', weekly, limits)]);
    expect(chosenOf(spec, ages)).toEqual(kept);
    expect(reason(spec, ages, dropped)).toBe(why && `r: ${why}`);
  });

  it('cut before counting: the newest two of those old enough', () => {
    const rule = ruleOf('r', weekly, { minAgeMs: 5 * DAY_MS, newest: 1 });
    expect(chosenOf(specOf('RSP', [rule]), ages)).toEqual(['w_2077_45']);
  });

  it('look at versions and builds only where there are some', () => {
    const since = { dateMs: null, version: makeVersion(23, 0, 0), build: 5 };
    const rules = [ruleOf('r', { kind: 'type', type: 'release' }, { since }), ruleOf('w', weekly, { since })];
    const tags = [
      'r22_0_0',
      'r23_0_0',
      'r24_0_0_rsp4',
      'r24_0_0_rsp5',
      'w_2077_46',
      'w_2077_46_rsp4',
      'w_2077_46_rsp0',
    ];
    expect(chosenOf(specOf('RSP', rules), tags)).toEqual([
      'r24_0_0_rsp5',
      'r23_0_0',
      'w_2077_46_rsp0',
      'w_2077_46',
    ]);
    expect(reason(specOf('RSP', rules), tags, 'r22_0_0')).toBe('r: below since.version');
    expect(reason(specOf('RSP', rules), tags, 'r24_0_0_rsp4')).toBe('r: below since.build');
  });

  it('take the date the registry tells where the tag tells none; unknown ages pass', () => {
    const rule = ruleOf('r', { kind: 'type', type: 'release' }, { maxAgeMs: DAY_MS });
    const tags = [
      { tag: '1.0.0', pushedMs: NOW_MS - 2 * DAY_MS },
      { tag: '1.1.0', pushedMs: NOW_MS },
      { tag: '1.2.0' },
    ];
    expect(chosenOf(specOf('SemVer', [rule]), tags)).toEqual(['1.2.0', '1.1.0']);
  });
});

describe('rules by range', () => {
  const tags = ['1.9.0', '2.0.0', '2.1.0', 'v2.2.0', '2.3.0-rc.1', '3.0.0', 'latest'];

  it('keep the newest in the range', () => {
    const spec = specOf('SemVer', [ruleOf('r', range('>=2 <3'), { newest: 2 })]);
    expect(chosenOf(spec, tags)).toEqual(['v2.2.0', '2.1.0']);
    expect(reason(spec, tags, '1.9.0')).toBe('r: below the range');
    expect(reason(spec, tags, '3.0.0')).toBe('r: outside the range');
    expect(reason(spec, tags, '2.0.0')).toBe('r: not among the newest 2');
    expect(reason(spec, tags, '2.3.0-rc.1')).toBe(
      'r: outside the range, or a pre-release it does not ask for',
    );
    expect(reason(spec, tags, 'latest')).toBe('no rule is for unknown tags like this');
  });

  it('take pre-releases if asked, in their place of the order', () => {
    const spec = specOf('SemVer', [ruleOf('r', range('>=2', { prereleases: true }), { newest: 2 })]);
    expect(chosenOf(spec, [...tags, '3.0.1-rc1'])).toEqual(['3.0.0', '3.0.1-rc1']);
  });

  it('read the dialect that is named', () => {
    const pre = (dialect: 'npm' | 'Masterminds') =>
      chosenOf(specOf('SemVer', [ruleOf('r', range('>=2.0.0-0', { dialect }))]), tags);
    expect(pre('npm')).not.toContain('2.3.0-rc.1');
    expect(pre('Masterminds')).toContain('2.3.0-rc.1');
  });

  it('look at semantic versions only, in RSP', () => {
    const spec = specOf('RSP', [ruleOf('r', range('>=22', { prereleases: true }))]);
    expect(chosenOf(spec, [...RSP_TAGS, 'r23_0_0-amd64', 'exp_r25_0_0'])).toEqual([
      'recommended',
      'r23_0_0',
      'r22_0_0',
      'r24_0_0_rc1',
      'exp_r25_0_0',
    ]);
    expect(reason(spec, [...RSP_TAGS, 'r23_0_0-amd64'], 'r23_0_0-amd64')).toBe(
      'r: for architecture amd64 only',
    );
    expect(reason(spec, RSP_TAGS, 'w_2077_45')).toBe('no rule is for weekly tags like this');
  });

  it('strip the variant that is asked for, outside Docker', () => {
    const spec = specOf('SemVer', [ruleOf('r', range('>=1', { variant: 'alpine' }), { newest: 1 })]);
    expect(chosenOf(spec, ['1.0.0-alpine', '2.0.0-alpine', '3.0.0', 'x-alpine', '4.0.0-xalpine'])).toEqual([
      '2.0.0-alpine',
    ]);
  });

  it('break ties the same way whatever the order of the list', () => {
    const spec = specOf('SemVer', [ruleOf('r', range('1.2.x'), { newest: 1 })]);
    const same = ['1.2', 'v1.2.0', '1.2.0', 'v1.2'];
    expect(chosenOf(spec, same)).toEqual(['v1.2.0']);
    fc.assert(
      fc.property(fc.shuffledSubarray(same, { minLength: 4 }), (shuffled) => {
        expect(chosenOf(spec, shuffled)).toEqual(['v1.2.0']);
      }),
    );
  });
});

describe('Docker tracks', () => {
  const tags = [
    '1',
    '1.2',
    '1.2.3',
    '1.2.2',
    '1.2.3-alpine',
    '1.2.4-alpine',
    '1.2-alpine',
    '1.2.3.4',
    '1.2.5b1',
    'latest',
  ];

  it('are not mixed: the plain variant, and the most precise of it', () => {
    const spec = specOf('Docker', [ruleOf('r', range('>=1'), { newest: 5 })]);
    expect(chosenOf(spec, tags)).toEqual(['1.2.3', '1.2.2']);
    expect(reason(spec, tags, '1.2.3-alpine')).toBe('r: variant alpine is another track');
    expect(reason(spec, tags, '1.2.3.4')).toBe('r: more than three numbers');
    expect(reason(spec, tags, '1.2')).toBe('r: not among the newest 5');
    expect(reason(specOf('Docker', [ruleOf('r', range('>=1'))]), tags, '1.2')).toBe(
      'r: of a less precise track',
    );
  });

  it('are the variant that is asked for', () => {
    const spec = specOf('Docker', [ruleOf('r', range('>=1', { variant: 'alpine' }), { newest: 1 })]);
    expect(chosenOf(spec, tags)).toEqual(['1.2.4-alpine']);
    expect(reason(spec, tags, '1.2.3')).toBe('r: without variant');
    expect(reason(spec, tags, 'latest')).toBe('no rule is for unknown tags like this');
  });

  it('hold for rules by type as well', () => {
    const spec = specOf('Docker', [newestOf('release', 9)]);
    expect(
      chosenOf(
        spec,
        tags.filter((tag) => tag !== '1.2.3.4'),
      ),
    ).toEqual(['1.2.3', '1.2.2']);
    expect(reason(spec, tags, '1.2.3-alpine')).toBe('release: variant alpine is another track');
  });

  it('may be mixed by a pattern, which asks for it', () => {
    const spec = specOf('Docker', [ruleOf('r', { kind: 'pattern', pattern: '^1\\.2', orderBy: null })]);
    expect(chosenOf(spec, tags)).toHaveLength(8);
  });
});

describe('rules by pattern', () => {
  it('order by text without a capture', () => {
    const spec = specOf('Plain', [
      ruleOf('r', { kind: 'pattern', pattern: '^rel-', orderBy: null }, { newest: 2 }),
    ]);
    expect(chosenOf(spec, ['rel-1', 'rel-3', 'dev-9', 'rel-2'])).toEqual(['rel-3', 'rel-2']);
    expect(reason(spec, ['dev-9'], 'dev-9')).toBe('no rule is for unknown tags like this');
  });

  it.each([
    ['Numerical', ['n-9', 'n-10', 'n-2'], ['n-9', 'n-10']],
    ['Alphabetical', ['n-9', 'n-10', 'n-2'], ['n-9', 'n-2']],
    ['SemVer', ['n-1.9.0', 'n-1.10.0', 'n-1.2.0', 'n-x'], ['n-1.9.0', 'n-1.10.0']],
    ['CalVer', ['n-24.04', 'n-2024.12', 'n-23.10', 'n-x'], ['n-24.04', 'n-2024.12']],
  ] as const)('order a capture as %s', (as, tags, kept) => {
    const spec = specOf('Plain', [ruleOf('r', ordered('^n-(?<d>.*)$', as), { newest: 2 })]);
    expect(chosenOf(spec, tags).toSorted()).toEqual([...kept].toSorted());
  });

  it('leave out, and say so, what is not of the order', () => {
    const spec = specOf('Plain', [ruleOf('r', ordered('^n-(?<d>.*)$', 'Numerical'))]);
    expect(chosenOf(spec, ['n-1', 'n-x'])).toEqual(['n-1']);
    expect(reason(spec, ['n-1', 'n-x'], 'n-x')).toBe('r: "x" is not Numerical');
    expect(reason(specOf('Plain', [ruleOf('r', ordered('^n-(?<d>.*)$', 'SemVer'))]), ['n-x'], 'n-x')).toBe(
      'r: "x" is not SemVer',
    );
  });

  it('break ties of a capture the same way whatever the order of the list', () => {
    const spec = specOf('Plain', [ruleOf('r', ordered('(?<d>[0-9]+)$', 'Numerical'), { newest: 1 })]);
    expect(chosenOf(spec, ['a-7', 'b-07', 'c-7'])).toEqual(chosenOf(spec, ['c-7', 'b-07', 'a-7']));
  });

  it.each([
    ['1', 1],
    ['-1.5', -1.5],
    ['+.5e3', 500],
    ['1.', 1],
    ['', undefined],
    ['0x10', undefined],
    ['1a', undefined],
    ['Infinity', undefined],
    ['.', undefined],
  ])('reads %j as number %s', (text, value) => {
    expect(readNumber(text)).toBe(value);
  });
});

describe('what exists for a source', () => {
  it('is bounded by include, exclude and cycle, with a reason for each', () => {
    const spec = specOf('RSP', [], { include: ['^w_', '^d_'], exclude: ['-arm64$'], cycle: 45 });
    const tags = [
      'w_2077_45_c0045.001',
      'w_2077_46_c0046.001',
      'w_2077_47',
      'd_2077_11_18_c0045.002-arm64',
      'r22_0_0',
    ];
    const { listing } = planOf(spec, tags);
    expect(listing.names).toEqual(['w_2077_45_c0045.001']);
    expect(Object.fromEntries(listing.ignored)).toEqual({
      'w_2077_46_c0046.001': 'of cycle 46',
      w_2077_47: 'of no cycle',
      'd_2077_11_18_c0045.002-arm64': 'in tags.exclude: -arm64$',
      r22_0_0: 'not in tags.include',
    });
    expect(reason(spec, tags, 'r22_0_0')).toBe('not in tags.include');
  });

  it('is ordered by type, newest first, and counts the tags hidden by architecture', () => {
    const { listing } = planOf(specOf('RSP', []), ['a-b', 'w_2077_45', 'w_2077_46-arm64', 'w_2077_46']);
    expect([...listing.namesByType]).toEqual([
      ['weekly', ['w_2077_46', 'w_2077_46-arm64', 'w_2077_45']],
      ['unknown', ['a-b']],
    ]);
    expect(listing.names).toEqual([...listing.namesByType.values()].flat());
    expect(listing.hiddenByArchitecture).toBe(2);
  });

  it('keeps tags that tie in everything in the order of the registry', () => {
    const { listing } = planOf(specOf('RSP', []), ['w_2077_46', 'w_2077_046', 'w_2077_0046']);
    expect(listing.names).toEqual(['w_2077_46', 'w_2077_046', 'w_2077_0046']);
  });

  it('counts the first of several entries of one name', () => {
    const entries = [1, 2].map((key) => ({ tag: 'w_2077_46-arm64', digest: digestOf(key) }));
    const { listing } = planOf(specOf('RSP', []), entries);
    expect(listing.names).toEqual(['w_2077_46-arm64']);
    expect(listing.hiddenByArchitecture).toBe(1);
    expect(listing.listed.get('w_2077_46-arm64')?.digest).toBe(digestOf(1));
  });

  it('says of every tag either which rules kept it or why it was dropped', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...RSP_TAGS)), (tags) => {
        const selection = selectionOf(
          specOf('RSP', [newestOf('weekly', 1), newestOf('release', 1)], { exclude: ['^exp_'] }),
        );
        const plan = runFold(planSelection(selection, tags, NOW_MS));
        const dropped = [...droppedTags(selection, plan)];
        expect([...plan.chosen.keys(), ...dropped.map(({ tag }) => tag)].toSorted()).toEqual(tags.toSorted());
        expect(dropped.every(({ reason: why }) => why !== '')).toBe(true);
      }),
    );
  });
});

describe('tags that a rule names and that are not selected', () => {
  const pinned = ruleOf('pinned', { kind: 'tags', tags: ['w_2077_46', 'r1_0_0', 'exp_x', 'gone'] });
  const selection = selectionOf(specOf('RSP', [newestOf('weekly', 1), pinned], { exclude: ['^exp_'] }));
  const plan = runFold(planSelection(selection, ['w_2077_46', 'exp_x', 'recommended'], NOW_MS));

  it('are those that nobody has pushed, and those that the spec leaves out', () => {
    expect(unselectedNames(selection, plan)).toEqual([
      { rule: 'pinned', tag: 'r1_0_0', reason: 'there is no such tag' },
      { rule: 'pinned', tag: 'exp_x', reason: expect.stringMatching('exclude') as string },
      { rule: 'pinned', tag: 'gone', reason: 'there is no such tag' },
    ]);
  });

  it('are dropped tags, each told once', () => {
    const dropped = [...droppedTags(selection, plan)].map(({ tag, reason: why }) => `${tag}: ${why}`);
    expect(dropped).toEqual([
      expect.stringMatching(/^exp_x: .*exclude/),
      'r1_0_0: pinned: there is no such tag',
      'gone: pinned: there is no such tag',
    ]);
  });
});

describe('the digests that are asked for', () => {
  const tags = ['w_2077_46', 'w_2077_45', 'latest', 'recommended', 'w_2077_44-arm64'];
  const weekly = newestOf('weekly', 1);
  const aliases = {
    name: 'RSP',
    recommended: 'recommended',
    aliases: ['latest', 'gone'],
    architectures: [],
  } as const;

  it.each([
    ['Selected', ['recommended', 'w_2077_46']],
    ['Named', ['recommended', 'latest', 'w_2077_46']],
    ['All', ['recommended', 'latest', 'w_2077_46', 'w_2077_45']],
  ] as const)('with %s are those of %j', (digests, expected) => {
    expect(planOf(specOf('RSP', [weekly], { digests, grammar: aliases }), tags).needsDigest).toEqual(
      expected,
    );
  });

  it('with All are those of displayed tags', () => {
    const display = { weekly: { number: 1, maxAgeMs: null, since: NO_BOUNDS } };
    const spec = specOf('RSP', [], { digests: 'All', display });
    expect(planOf(spec, [{ tag: 'w_2077_45', digest: digestOf(1) }, 'w_2077_46']).needsDigest).toEqual([
      'w_2077_46',
    ]);
  });
});

describe('compiling', () => {
  it.each([
    [specOf('Plain', [], { include: ['ok', '[='] }), 'include[1]', 0],
    [specOf('Plain', [], { exclude: ['a(?=b)'] }), 'exclude[0]', 1],
    [
      specOf('Plain', [ruleOf('x', { kind: 'pattern', pattern: '(', orderBy: null })]),
      'select[x].pattern',
      0,
    ],
    [specOf('SemVer', [ruleOf('y', range('foo'))]), 'select[y].semver', 0],
    [specOf('SemVer', [ruleOf('z', range('1 foo', { dialect: 'Masterminds' }))]), 'select[z].semver', 2],
  ])('says what is wrong, and where', (spec, field, position) => {
    expect(compileSelection(spec)).toMatchObject({ ok: false, error: { field, position } });
  });

  it('pauses often: no stretch sorts or judges more than a few thousand tags', () => {
    const selection = selectionOf(specOf('RSP', [newestOf('weekly', 5)]));
    const many = Array.from({ length: 5000 }, (_, index) => `w_${2000 + (index % 70)}_10_rsp${index}`);
    const fold = planSelection(selection, many, NOW_MS);
    let steps = 0;
    while (fold.next().done !== true) steps++;
    expect(steps).toBeGreaterThan(15);
  });
});
