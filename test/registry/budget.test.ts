import { describe, expect, it } from 'vitest';
import { Budget, BudgetPausedError, BudgetPool, budgetFor, type Permit } from '../../src/registry/budget.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

const SIGNAL = new AbortController().signal;

function open(settings: { concurrency?: number; perSecond?: number; burst?: number } = {}) {
  const clock = new FakeClock();
  return { clock, budget: new Budget(clock, { concurrency: 2, perSecond: 1000, burst: 1000, ...settings }) };
}

describe('Budget', () => {
  it('lets only so many in at once, first come first served', async () => {
    const { budget } = open({ concurrency: 1 });
    const order: string[] = [];
    const first = await budget.acquire(0, SIGNAL);
    const enter = async (name: string): Promise<void> => {
      const permit = await budget.acquire(0, SIGNAL);
      order.push(name);
      permit.release();
    };
    const both = Promise.all([enter('a'), enter('b')]);
    await settle();
    expect(order).toEqual([]);
    first.release();
    first.release();
    await both;
    expect(order).toEqual(['a', 'b']);
    expect(budget.idle).toBe(true);
  });

  it('keeps to the rate after the burst', async () => {
    const { clock, budget } = open({ concurrency: 100, perSecond: 10, burst: 3 });
    let entered = 0;
    for (let index = 0; index < 10; index++) {
      void budget.acquire(0, SIGNAL).then((permit) => {
        entered++;
        permit.release();
      });
    }
    await settle();
    expect(entered).toBe(3);
    await clock.advance(300);
    expect(entered).toBe(6);
    await clock.advance(1000);
    expect(entered).toBe(10);
  });

  it('waits out a short pause and refuses a long one at once', async () => {
    const { clock, budget } = open();
    budget.pause(3000);
    budget.pause(1000);
    let permit: Permit | undefined;
    void budget.acquire(5000, SIGNAL).then((granted) => (permit = granted));
    await clock.advance(2999);
    expect(permit).toBeUndefined();
    await clock.advance(1);
    expect(permit).toBeDefined();
    budget.pause(60_000);
    await expect(budget.acquire(5000, SIGNAL)).rejects.toThrow(BudgetPausedError);
    permit?.release();
    expect(budget.pauseMs).toBe(60_000);
  });

  it('gives up its place when aborted, in the queue and while waiting for the rate', async () => {
    const { budget } = open({ concurrency: 1, burst: 1, perSecond: 1 });
    const first = await budget.acquire(0, SIGNAL);
    const queued = new AbortController();
    const inQueue = budget.acquire(0, queued.signal);
    queued.abort(new Error('enough'));
    await expect(inQueue).rejects.toThrow('enough');
    first.release();
    const slow = new AbortController();
    const waiting = budget.acquire(0, slow.signal);
    await settle();
    slow.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(budget.idle).toBe(true);
    await expect(budget.acquire(0, slow.signal)).rejects.toThrow('enough');
  });
});

describe('BudgetPool', () => {
  it('gives one budget a host and identity, and forgets those at rest', async () => {
    const clock = new FakeClock();
    const pool = new BudgetPool(() => new Budget(clock, { concurrency: 1, perSecond: 1, burst: 1 }), 2);
    const busy = pool.get('r.io', 'busy');
    await busy.acquire(0, SIGNAL);
    const idle = pool.get('r.io', 'idle');
    expect(pool.get('r.io', 'idle')).toBe(idle);
    pool.get('other.io', 'busy');
    expect(pool.get('r.io', 'busy')).toBe(busy);
    expect(pool.get('r.io', 'idle')).not.toBe(idle);
  });
});

describe('budgetFor', () => {
  it('is smaller for Docker Hub', () => {
    const usual = budgetFor('registry.example.org').perSecond;
    expect(budgetFor('registry-1.docker.io').perSecond).toBeLessThan(usual);
    expect(budgetFor('docker.io.example.org').perSecond).toBe(usual);
  });
});
