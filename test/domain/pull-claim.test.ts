import { describe, expect, it } from 'vitest';
import {
  CLUSTER_CLAIM,
  claimLimit,
  hostClaim,
  imageClaim,
  NEWCOMER_CLAIM,
  namespaceClaim,
} from '../../src/domain/pull-claim.ts';

describe('claimLimit', () => {
  const limits = {
    slots: 50,
    slotsPerHost: 7,
    slotsPerImage: 5,
    ofImage: (id: string) => (id === 'ns/a' ? 3 : undefined),
    ofNamespace: (namespace: string) => (namespace === 'tight' ? 2 : undefined),
    hasOldNodes: () => true,
  };

  it.each([
    [CLUSTER_CLAIM, 50],
    [NEWCOMER_CLAIM, 37],
    [hostClaim('x'), 7],
    [imageClaim('ns/a'), 3],
    [imageClaim('ns/b'), 5],
    [namespaceClaim('ns'), Infinity],
    [namespaceClaim('tight'), 2],
  ])('of %s is %d', (claim, limit) => {
    expect(claimLimit(claim, limits)).toBe(limit);
  });

  it('lets at least one new node pull, and takes the smaller limit of an image', () => {
    expect(claimLimit(NEWCOMER_CLAIM, { ...limits, slots: 1 })).toBe(1);
    expect(claimLimit(NEWCOMER_CLAIM, { ...limits, slots: Infinity })).toBe(Infinity);
    expect(claimLimit(NEWCOMER_CLAIM, { ...limits, hasOldNodes: () => false })).toBe(50);
    expect(claimLimit(imageClaim('a'), { ...limits, ofImage: () => 9 })).toBe(5);
  });
});
