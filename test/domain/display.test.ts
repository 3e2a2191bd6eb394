import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { boundBelow, type DisplayPolicy, displayed, NO_BOUNDS } from '../../src/domain/display.ts';
import { createGrammar } from '../../src/domain/tag/grammar.ts';
import { makeVersion } from '../../src/domain/tag/version.ts';
import { NOW_MS } from '../support/selections.ts';

const grammar = createGrammar({ name: 'RSP', recommended: '', aliases: ['latest'], architectures: [] });
const TAGS = [
  'latest',
  'r24_0_0_rsp9',
  'r23_0_0_rsp0',
  'r22_0_0_rsp3',
  'w_2077_46',
  'w_2077_45',
  'w_2077_46-amd64',
  'd_2077_11_18',
  'r25_0_0_rc1',
  'exp_x',
  'zz',
];
const DAY_MS = 86_400_000;

function shown(policy: DisplayPolicy, architectures?: boolean): readonly string[] {
  return [...displayed(TAGS.map(grammar.read), policy, NOW_MS, architectures)].map(({ tag }) => tag);
}

function rule(limits: Partial<NonNullable<DisplayPolicy['weekly']>>) {
  return { number: null, maxAgeMs: null, since: NO_BOUNDS, ...limits };
}

function without(...hidden: readonly string[]): readonly string[] {
  return TAGS.filter((tag) => tag !== 'w_2077_46-amd64' && !hidden.includes(tag));
}

describe('what a menu shows', () => {
  it('is everything but architecture tags without a policy', () => {
    expect(shown({})).toEqual(without());
    expect(shown({}, true)).toEqual(TAGS);
  });

  it.each([
    [{ weekly: rule({ number: 1 }) }, ['w_2077_45']],
    [{ weekly: rule({ number: 0 }) }, []],
    [{ weekly: rule({ maxAgeMs: 2 * DAY_MS }) }, ['w_2077_45']],
    [{ weekly: rule({ maxAgeMs: 2 * DAY_MS - 1 }) }, ['w_2077_46', 'w_2077_45']],
    [{ weekly: rule({ maxAgeMs: 0 }) }, []],
    [{ weekly: rule({ since: { ...NO_BOUNDS, dateMs: Date.UTC(2077, 10, 18) } }) }, ['w_2077_45']],
    [
      { weekly: rule({ maxAgeMs: 100 * DAY_MS, since: { ...NO_BOUNDS, dateMs: Date.UTC(2077, 10, 18) } }) },
      ['w_2077_45'],
    ],
    [{ weekly: rule({ since: { ...NO_BOUNDS, version: makeVersion(9999, 0, 0) } }) }, []],
    [{ release: rule({ since: { ...NO_BOUNDS, version: makeVersion(23, 0, 0) } }) }, ['r22_0_0_rsp3']],
    [{ release: rule({ since: { ...NO_BOUNDS, build: 9 } }) }, ['r22_0_0_rsp3']],
    [{ release: rule({ since: { ...NO_BOUNDS, build: 10 } }) }, ['r24_0_0_rsp9', 'r22_0_0_rsp3']],
    [{ release: rule({ number: 1, since: { ...NO_BOUNDS, build: 9 } }) }, ['r23_0_0_rsp0', 'r22_0_0_rsp3']],
    [{ alias: rule({ number: 1, maxAgeMs: 1 }), unknown: rule({ number: 1, maxAgeMs: 1 }) }, []],
    [
      {
        daily: rule({ maxAgeMs: DAY_MS }),
        releaseCandidate: rule({ number: 5 }),
        experimental: rule({ maxAgeMs: 1 }),
      },
      ['d_2077_11_18'],
    ],
  ])('under %j leaves out %j', (policy, hidden) => {
    expect(shown(policy as DisplayPolicy)).toEqual(without(...hidden));
  });

  it('never shows more under a stricter number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), (number) => {
        const fewer = shown({ release: rule({ number }) });
        expect(shown({ release: rule({ number: number + 1 }) })).toEqual(expect.arrayContaining([...fewer]));
      }),
    );
  });

  it('names the bound that is missed', () => {
    const tag = grammar.read('w_2077_45_rsp3');
    expect(boundBelow(tag, NO_BOUNDS)).toBeUndefined();
    expect(boundBelow(tag, { ...NO_BOUNDS, build: 4 })).toBe('build');
    expect(boundBelow(tag, { ...NO_BOUNDS, build: 3 })).toBeUndefined();
    expect(boundBelow(tag, { ...NO_BOUNDS, dateMs: NOW_MS })).toBe('date');
    expect(
      boundBelow(grammar.read('r22_0_0_rc2'), { ...NO_BOUNDS, version: makeVersion(22, 0, 0, ['rc10']) }),
    ).toBe('version');
    expect(
      boundBelow(grammar.read('r22_0_0'), { ...NO_BOUNDS, version: makeVersion(22, 0, 0) }),
    ).toBeUndefined();
  });
});
