import { describe, expect, it } from 'vitest';
import { readToken } from '../../src/registry/token.ts';

function read(answer: unknown) {
  return readToken(Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)));
}

describe('readToken', () => {
  it.each([
    [{ token: 'a' }, 55_000],
    [{ access_token: 'a' }, 55_000],
    [{ token: 'a', access_token: 'b', expires_in: 300 }, 295_000],
    [{ token: '', access_token: 'a', expires_in: 1 }, 55_000],
    [{ token: 'a', expires_in: 1e9 }, (12 * 3600 - 5) * 1000],
  ])('%j', (answer, lifetimeMs) => {
    expect(read(answer)).toEqual({ value: 'a', lifetimeMs });
  });

  it.each([
    '',
    '[]',
    'null',
    {},
    { token: 7 },
    { token: 'a b' },
    { token: 'a\r\nb: c' },
    { token: 'ä' },
    { token: 'a', expires_in: 'x' },
  ])('refuses %j', (answer) => {
    expect(read(answer)).toBeUndefined();
  });
});
