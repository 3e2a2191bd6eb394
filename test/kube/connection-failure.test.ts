import { describe, expect, it } from 'vitest';
import { classifyFailure, connectionError } from '../../src/kube/connection-failure.ts';

describe('classifyFailure', () => {
  const withCode = (code: string): Error => Object.assign(new Error('x'), { code });

  it.each([
    [withCode('ECONNREFUSED'), 'refused', 'ECONNREFUSED'],
    [new TypeError('fetch failed', { cause: withCode('ENOTFOUND') }), 'refused', 'ENOTFOUND'],
    [new AggregateError([withCode('EHOSTUNREACH')]), 'refused', 'EHOSTUNREACH'],
    [withCode('CERT_HAS_EXPIRED'), 'certificate', 'CERT_HAS_EXPIRED'],
    [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'certificate', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [withCode('UND_ERR_SOCKET'), 'lost', 'UND_ERR_SOCKET'],
    [new SyntaxError('x'), 'malformed', 'BAD_JSON'],
    [new RangeError('x'), 'oversized', 'TOO_LARGE'],
    [new Error('plain'), 'lost', 'Error'],
    ['text', 'lost', 'UNKNOWN'],
  ])('%s is %s', (error, kind, code) => {
    expect(classifyFailure(error, false)).toEqual({ kind, code });
  });

  it('lets our own deadline win, and makes errors of them all', () => {
    const failure = classifyFailure(withCode('ECONNRESET'), true);
    expect(connectionError('get pods a', failure)).toMatchObject({
      message: 'get pods a: DeadlineExceeded (ETIMEDOUT)',
      temporary: true,
      sent: true,
    });
    expect(connectionError('x', { kind: 'oversized', code: 'TOO_LARGE' }).temporary).toBe(false);
  });
});
