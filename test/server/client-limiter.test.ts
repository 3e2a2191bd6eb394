import { describe, expect, it } from 'vitest';
import { ClientLimiter, clientOf } from '../../src/server/client-limiter.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('ClientLimiter', () => {
  it('gives each client a burst, then the rate', async () => {
    const clock = new FakeClock();
    const limiter = new ClientLimiter(clock, { rate: 2, burst: 3 });
    expect([1, 2, 3, 4].map(() => limiter.take('a'))).toEqual([0, 0, 0, 500]);
    expect(limiter.take('b')).toBe(0);
    await clock.advance(500);
    expect([limiter.take('a'), limiter.take('a')]).toEqual([0, 500]);
  });

  it('lets costs go into debt', async () => {
    const clock = new FakeClock();
    const limiter = new ClientLimiter(clock, { rate: 1, burst: 2 });
    expect(limiter.take('a', 10)).toBe(0);
    expect(limiter.take('a')).toBe(9_000);
    await clock.advance(9_000);
    expect(limiter.take('a')).toBe(0);
  });

  it('knows no limit at rate 0', () => {
    const limiter = new ClientLimiter(new FakeClock(), { rate: 0, burst: 0 });
    expect(Array.from({ length: 100 }, () => limiter.take('a')).every((waitMs) => waitMs === 0)).toBe(true);
  });

  it('forgets the client unheard of for longest rather than growing', () => {
    const limiter = new ClientLimiter(new FakeClock(), { rate: 1, burst: 1 });
    limiter.take('first');
    for (let index = 0; index < 10_000; index += 1) limiter.take(`client-${index}`);
    expect(limiter.take('client-9999')).toBeGreaterThan(0);
    expect(limiter.take('first')).toBe(0);
  });
});

describe('clientOf', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ])('%s is %s', (address, client) => {
    expect(clientOf(address)).toBe(client);
  });
});
