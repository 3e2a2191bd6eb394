import { describe, expect, it } from 'vitest';
import { rateLimit, retryAfterMs } from '../../src/registry/rate-limit.ts';

const NOW = Date.UTC(2026, 10, 21, 12, 0, 0);

describe('retryAfterMs', () => {
  it.each([
    ['3', 3000],
    [' 3 ', 3000],
    ['0', 0],
    ['1.5', 1500],
    ['Sat, 21 Nov 2026 12:00:30 GMT', 30_000],
    ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['999999999', 86_400_000],
    ['-5', undefined],
    ['soon', undefined],
    ['', undefined],
  ])('reads %j as %j ms', (text, expected) => {
    expect(retryAfterMs(new Map([['retry-after', text]]), NOW)).toBe(expected);
  });

  it('is undefined without the header', () => {
    expect(retryAfterMs(new Map(), NOW)).toBeUndefined();
  });
});

describe('rateLimit', () => {
  it("reads Docker Hub's headers", () => {
    const headers = new Map([
      ['ratelimit-limit', '100;w=21600'],
      ['ratelimit-remaining', '76;w=21600'],
    ]);
    expect(rateLimit(headers, NOW)).toEqual({ limit: 100, remaining: 76, resetMs: undefined });
  });

  it('reads a reset in seconds and one since the epoch', () => {
    const remaining = ['x-ratelimit-remaining', '0'] as const;
    expect(rateLimit(new Map([remaining, ['x-ratelimit-reset', '60']]), NOW)?.resetMs).toBe(60_000);
    expect(
      rateLimit(new Map([remaining, ['x-ratelimit-reset', String(NOW / 1000 + 60)]]), NOW)?.resetMs,
    ).toBe(60_000);
  });

  it('is undefined without a number', () => {
    expect(rateLimit(new Map(), NOW)).toBeUndefined();
    expect(rateLimit(new Map([['ratelimit-remaining', 'many']]), NOW)).toBeUndefined();
  });
});
