import { describe, expect, it } from 'vitest';
import { ApiError, apiErrorFrom, isGone } from '../../src/kube/api-error.ts';

describe('apiErrorFrom', () => {
  it('takes what the server says about itself', () => {
    const body = {
      kind: 'Status',
      reason: 'Invalid',
      message: 'spec.size: must be positive',
      details: {
        causes: [{ reason: 'FieldValueInvalid', field: 'spec.size', message: 'must be positive' }, 'junk'],
      },
    };
    expect(apiErrorFrom('apply widgets a', { status: 422, retryAfter: undefined, body })).toMatchObject({
      status: 422,
      reason: 'Invalid',
      message: 'apply widgets a: spec.size: must be positive',
      causes: [{ reason: 'FieldValueInvalid', field: 'spec.size', message: 'must be positive' }],
      temporary: false,
    });
  });

  it('makes do with less', () => {
    const bare = apiErrorFrom('x', { status: 503, retryAfter: '7', body: '<html>' });
    expect(bare).toMatchObject({
      reason: 'ServiceUnavailable',
      message: 'x: HTTP 503',
      retryAfterMs: 7_000,
      temporary: true,
    });
    expect(apiErrorFrom('x', { status: 418, retryAfter: 'soon', body: [] })).toMatchObject({
      reason: 'Status418',
      retryAfterMs: undefined,
      temporary: false,
    });
    const seconds = apiErrorFrom('x', {
      status: 504,
      retryAfter: undefined,
      body: { details: { retryAfterSeconds: 2 } },
    });
    expect(seconds.retryAfterMs).toBe(2_000);
    const odd = { details: { causes: [{ field: 1 }] } };
    expect(apiErrorFrom('x', { status: 400, retryAfter: undefined, body: odd }).causes).toEqual([
      { reason: '', field: '', message: '' },
    ]);
  });

  it('calls a 500 with a reason or a Retry-After temporary, and one without final', () => {
    const answer = { status: 500, retryAfter: undefined, body: undefined };
    expect(apiErrorFrom('x', answer).temporary).toBe(false);
    expect(apiErrorFrom('x', { ...answer, retryAfter: '1' }).temporary).toBe(true);
    expect(apiErrorFrom('x', { ...answer, body: { reason: 'InternalError' } }).temporary).toBe(true);
  });

  it('bounds what it keeps', () => {
    const causes = Array.from({ length: 50 }, () => ({ message: 'x'.repeat(10_000) }));
    const error = apiErrorFrom('x', {
      status: 422,
      retryAfter: undefined,
      body: { message: 'y'.repeat(100_000), details: { causes } },
    });
    expect(error.message.length + JSON.stringify(error.causes).length).toBeLessThan(6_000);
  });

  it('knows the ways to be gone', () => {
    const details = { message: '', temporary: false };
    expect(isGone(new ApiError({ ...details, status: 410, reason: 'x' }))).toBe(true);
    expect(isGone(new ApiError({ ...details, status: 0, reason: 'Expired' }))).toBe(true);
    expect(isGone(new Error('410'))).toBe(false);
  });
});
