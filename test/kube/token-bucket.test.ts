import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../src/kube/token-bucket.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('TokenBucket', () => {
  it('gives back the token of a caller that gave up', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(clock, { qps: 1, burst: 1 });
    await bucket.acquire();
    const stop = new AbortController();
    const waiting = bucket.acquire(stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(bucket.reserve()).toBe(1_000);
  });

  it('never waits if both figures are infinite', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(clock, { qps: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY });
    expect([bucket.reserve(), bucket.reserve()]).toEqual([0, 0]);
    await clock.advance(1_000);
    expect([bucket.reserve(), bucket.tryTake()]).toEqual([0, true]);
  });

  it('does not save up beyond its burst', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(clock, { qps: 10, burst: 2 });
    await clock.advance(60_000);
    expect([bucket.tryTake(), bucket.tryTake(), bucket.tryTake()]).toEqual([true, true, false]);
  });
});
