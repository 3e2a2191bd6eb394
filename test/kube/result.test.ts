import { describe, expect, it } from 'vitest';
import { done, minResult } from '../../src/kube/result.ts';

describe('minResult', () => {
  it('takes the soonest requeue', () => {
    expect(minResult(done, { requeueAfterMs: 5 }, { requeueAfterMs: 3 }, { requeueAfterMs: 0 })).toEqual({
      requeueAfterMs: 3,
    });
    expect(minResult(done, {}, { requeueAfterMs: -1 })).toEqual({});
  });
});
