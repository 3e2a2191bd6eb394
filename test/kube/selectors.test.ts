import { describe, expect, it } from 'vitest';
import {
  formatFieldSelector,
  formatLabelSelector,
  type LabelSelector,
  matchesLabels,
} from '../../src/kube/selectors.ts';

const cases: readonly [LabelSelector, Record<string, string> | undefined, boolean][] = [
  [{}, undefined, true],
  [{ matchLabels: { a: '1' } }, { a: '1', b: '2' }, true],
  [{ matchLabels: { a: '1' } }, { a: '2' }, false],
  [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['1', '2'] }] }, { a: '2' }, true],
  [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['1'] }] }, {}, false],
  [{ matchExpressions: [{ key: 'a', operator: 'In' }] }, { a: '1' }, false],
  [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] }, {}, true],
  [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] }, { a: '1' }, false],
  [{ matchExpressions: [{ key: 'a', operator: 'NotIn' }] }, { a: '1' }, true],
  [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, { a: '' }, true],
  [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, { a: '' }, false],
  [{ matchLabels: { a: '1' }, matchExpressions: [{ key: 'b', operator: 'Exists' }] }, { a: '1' }, false],
];

describe('label selectors', () => {
  it.each(cases)('%j on %j: %s', (selector, labels, expected) => {
    expect(matchesLabels(selector, labels)).toBe(expected);
  });

  it('are written as the API reads them', () => {
    const selector: LabelSelector = {
      matchLabels: { app: 'larder' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['a', 'b'] },
        { key: 'zone', operator: 'NotIn', values: ['c'] },
        { key: 'x', operator: 'Exists' },
        { key: 'y', operator: 'DoesNotExist' },
        { key: 'z', operator: 'In' },
        { key: 'w', operator: 'NotIn' },
      ],
    };
    expect(formatLabelSelector(selector)).toBe(
      'app=larder,tier in (a,b),zone notin (c),x,!y,z in (),w notin ()',
    );
    expect(formatLabelSelector({})).toBe('');
  });
});

describe('field selectors', () => {
  it('escape what has a meaning', () => {
    expect(formatFieldSelector({ 'spec.nodeName': 'n1', 'metadata.name': 'a,b=c\\' })).toBe(
      String.raw`spec.nodeName=n1,metadata.name=a\,b\=c\\`,
    );
  });
});
