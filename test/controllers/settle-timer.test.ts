import { beforeEach, describe, expect, it } from 'vitest';
import { SettleTimer } from '../../src/controllers/settle-timer.ts';
import { FakeClock } from '../support/fake-clock.ts';

let clock: FakeClock;
let isPending: boolean;
let settled: number[];
let timer: SettleTimer;

beforeEach(() => {
  clock = new FakeClock();
  isPending = false;
  settled = [];
  timer = new SettleTimer(clock, {
    isPending: () => isPending,
    onSettled: () => settled.push(clock.monotonic()),
  });
});

describe('a burst of changes', () => {
  it('is over half a second after the last of them', async () => {
    expect(timer.isSettled).toBe(true);
    timer.touch();
    await clock.advance(400);
    timer.touch();
    expect(timer.isSettled).toBe(false);
    await clock.advance(499);
    expect(settled).toEqual([]);
    await clock.advance(1);
    expect(settled).toEqual([900]);
    expect(timer.isSettled).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lasts while more is known to come', async () => {
    isPending = true;
    timer.touch();
    await clock.advance(3_100);
    isPending = false;
    await clock.advance(10_000);
    expect(settled).toEqual([3_500]);
  });

  it.each(['comes', 'never comes'])('ends after ten seconds even if more %s', async (what) => {
    isPending = true;
    timer.touch();
    for (let step = 0; step < 99; step += 1) {
      await clock.advance(100);
      if (what === 'comes') timer.touch();
    }
    expect(settled).toEqual([]);
    await clock.advance(100);
    expect(settled).toEqual([10_000]);
  });

  it('that never ends leaves as much time for work as it takes', async () => {
    let [working, waiting] = [0, 0];
    for (let step = 0; step < 1_000; step += 1) {
      timer.touch();
      await clock.advance(100);
      if (timer.isSettled) working += 1;
      else waiting += 1;
    }
    expect(working).toBeGreaterThanOrEqual(400);
    expect(waiting).toBeGreaterThanOrEqual(400);
    expect(settled.length).toBeGreaterThanOrEqual(5);
  });

  it('begins anew after it was over', async () => {
    timer.touch();
    await clock.advance(500);
    timer.touch();
    await clock.advance(500);
    expect(settled).toEqual([500, 1_000]);
  });

  it('ends silently when it is cancelled', async () => {
    timer.touch();
    timer.cancel();
    await clock.advance(20_000);
    expect(settled).toEqual([]);
    expect(timer.isSettled).toBe(true);
  });
});
