import { describe, expect, it } from 'vitest';
import { formatFieldSelector, formatLabelSelector, type LabelSelector } from '../../src/kube/selectors.ts';

describe('label selectors', () => {
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
