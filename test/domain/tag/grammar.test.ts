import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  createGrammar,
  GRAMMAR_NAMES,
  type GrammarName,
  isGrammarName,
} from '../../../src/domain/tag/grammar.ts';
import { TAG_TYPES } from '../../../src/domain/tag/tag.ts';
import { readVectors } from '../../support/vectors.ts';

function grammarOf(name: GrammarName, aliases: readonly string[] = []) {
  return createGrammar({ name, recommended: 'recommended', aliases, architectures: [] });
}

const tags = fc.oneof(
  fc.stringMatching(
    /^[rwd]_?[0-9]{1,4}(_[0-9]{1,2}){0,2}(_rc[0-9]{1,2})?(_c[0-9]{1,3}\.[0-9])?(_rsp[0-9])?(_[a-z]{1,2})?(-[a-z0-9]{1,3})?$/,
  ),
  fc.stringMatching(/^(exp_){1,2}[a-z0-9_.-]{1,8}$/),
  fc.stringMatching(/^v?[0-9]{1,2}(\.[0-9]{1,2}){0,3}(-(rc|alpine|beta)\.?[0-9]{0,2})?$/),
  fc.stringMatching(/^20[0-9]{2}[.-]?(0[1-9]|1[0-2])[.-]?[0-2][0-9]$/),
  fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}$/),
);

describe.each(GRAMMAR_NAMES)('grammar %s', (name) => {
  const grammar = grammarOf(name, ['latest']);

  it('reads every text as a tag of some type, unmodified', () => {
    fc.assert(
      fc.property(tags, (text) => {
        const tag = grammar.read(text);
        expect(tag.tag).toBe(text);
        expect(TAG_TYPES).toContain(tag.type);
        expect(tag.displayName).not.toBe('');
        expect(tag.base !== null || tag.version !== null).toBe(true);
      }),
    );
  });

  it('reads the same text the same way twice', () => {
    fc.assert(
      fc.property(tags, (text) => {
        expect(grammar.compare(grammar.read(text), grammar.read(text))).toBe(0);
        expect(grammar.read(text).displayName).toBe(grammar.read(text).displayName);
      }),
    );
  });

  it('orders listings totally, and any shuffle of one the same way', () => {
    fc.assert(
      fc.property(fc.uniqueArray(tags, { minLength: 3, maxLength: 12 }), fc.integer(), (texts, seed) => {
        const read = texts.map(grammar.read);
        for (const left of read) {
          for (const right of read) {
            expect(Math.sign(grammar.order(left, right)) + Math.sign(grammar.order(right, left))).toBe(0);
          }
        }
        const sorted = read.toSorted(grammar.order);
        const shuffled = read.toSorted(
          (left, right) => ((left.tag.length * 31 + seed) % 7) - ((right.tag.length * 31 + seed) % 7),
        );
        const again = shuffled.toSorted(grammar.order);
        expect(again.every((tag, index) => grammar.order(tag, sorted[index] ?? tag) === 0)).toBe(true);
      }),
    );
  });

  it('has ranks that never contradict the order of a type', () => {
    fc.assert(
      fc.property(tags, tags, (left, right) => {
        const [older, newer] = [grammar.read(left), grammar.read(right)];
        if (older.type === newer.type && grammar.compare(older, newer) < 0) {
          expect(grammar.rank(older)).toBeLessThanOrEqual(grammar.rank(newer));
          if (grammar.rank(older) === grammar.rank(newer)) {
            expect(grammar.tieRank(older)).toBeLessThanOrEqual(grammar.tieRank(newer));
          }
        }
      }),
    );
  });

  it('reads a name on the alias list as an alias only if it would be unknown', () => {
    expect(grammar.read('latest').type).toBe('alias');
    expect(grammar.read('recommended').type).toBe('alias');
    expect(grammar.read('other').type).toBe('unknown');
    expect(grammar.readAlias('some_name').displayName).toBe('Some Name');
  });
});

describe('grammars', () => {
  it.each(readVectors('tag_order.txt'))('%s orders %s', (name = '', list = '') => {
    if (!isGrammarName(name)) throw new Error(name);
    const grammar = grammarOf(name);
    const expected = list.split(' ');
    for (const shuffled of [expected.toReversed(), expected.toSorted()]) {
      expect(
        shuffled
          .map(grammar.read)
          .toSorted(grammar.order)
          .map(({ tag }) => tag),
      ).toEqual(expected);
    }
  });

  it('leave a version on the alias list what it is, and take no empty recommended name', () => {
    const rsp = createGrammar({ name: 'RSP', recommended: 'w_2024_46', aliases: [], architectures: [] });
    expect(rsp.read('w_2024_46').type).toBe('weekly');
    expect(rsp.readAlias('w_2024_46')).toMatchObject({ type: 'alias', displayName: 'W 2024 46' });
    const none = createGrammar({ name: 'Plain', recommended: '', aliases: ['a'], architectures: [] });
    expect([none.read(''), none.read('a'), none.read('b')].map(({ type }) => type)).toEqual([
      'unknown',
      'alias',
      'unknown',
    ]);
  });

  it('have names', () => {
    expect(['RSP', 'rsp', 'Plain', ''].map(isGrammarName)).toEqual([true, false, true, false]);
  });
});
