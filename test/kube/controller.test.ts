import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/clock.ts';
import { ApiError, WriteFencedError } from '../../src/kube/api-error.ts';
import { Controller, type ReconcileContext } from '../../src/kube/controller.ts';
import { silentEvents } from '../../src/kube/events.ts';
import { noMetrics } from '../../src/kube/metrics.ts';
import { formatKey, type ObjectKey } from '../../src/kube/resource.ts';
import { done, type Result, TerminalError, TransientError, WaitingError } from '../../src/kube/result.ts';
import { Trigger } from '../../src/kube/watch-source.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { memoryLog } from './fixtures.ts';

type Reconcile = (key: ObjectKey, context: ReconcileContext) => Promise<Result>;

function start(reconcile: Reconcile, workers = 1) {
  const clock = new FakeClock();
  const trigger = new Trigger('test');
  const stop = new AbortController();
  const abort = new AbortController();
  const results: string[] = [];
  const { log, lines } = memoryLog();
  const controller = new Controller({
    name: 'test',
    workers,
    watches: [trigger],
    reconciler: { reconcile },
    clock,
    log,
    events: silentEvents,
    metrics: {
      ...noMetrics,
      reconciled: (_controller, result) => {
        results.push(result);
      },
    },
  });
  const running = controller.run({ stop: stop.signal, abort: abort.signal });
  return { clock, trigger, stop, abort, controller, running, results, lines };
}

const key = { namespace: 'n', name: 'a' };

describe('how a reconcile may end', () => {
  it('done: nothing more until the next event', async () => {
    let calls = 0;
    const { clock, trigger, results } = start(() => {
      calls += 1;
      return Promise.resolve(done);
    });
    trigger.fire(key);
    await clock.advance(3_600_000);
    expect([calls, results]).toEqual([1, ['success']]);
  });

  it('requeueAfterMs: again after that time, with the backoff forgotten', async () => {
    const at: number[] = [];
    const { clock, trigger, results } = start(() => {
      at.push(clock.monotonic());
      return at.length === 1
        ? Promise.reject(new Error('once'))
        : Promise.resolve({ requeueAfterMs: 60_000 });
    });
    trigger.fire(key);
    await clock.advance(130_000);
    expect(at).toEqual([0, 5, 60_005, 120_005]);
    expect(results).toEqual(['error', 'requeue_after', 'requeue_after', 'requeue_after']);
  });

  it('WaitingError: again after its fixed time, never backing off, not an error in the log', async () => {
    const at: number[] = [];
    const { clock, trigger, results, lines } = start(() => {
      at.push(clock.monotonic());
      return Promise.reject(new WaitingError('DependencyNotReady', 'not yet', 30_000));
    });
    trigger.fire(key);
    await clock.advance(90_000);
    expect(at).toEqual([0, 30_000, 60_000, 90_000]);
    expect(new Set(results)).toEqual(new Set(['waiting']));
    expect(lines.filter((line) => line.level === 'error')).toEqual([]);
  });

  it('TerminalError: never again by itself, but on the next event', async () => {
    const { clock, trigger, results } = start(() => Promise.reject(new TerminalError('Bad', 'no')));
    trigger.fire(key);
    await clock.advance(3_600_000);
    expect(results).toEqual(['terminal']);
    trigger.fire(key);
    await clock.advance(0);
    expect(results).toEqual(['terminal', 'terminal']);
  });

  it('any other error: again with exponential backoff, logged with the reconcile id', async () => {
    const at: number[] = [];
    const { clock, trigger, lines } = start(() => {
      at.push(clock.monotonic());
      return Promise.reject(new Error('broken'));
    });
    trigger.fire(key);
    await clock.advance(100);
    expect(at).toEqual([0, 5, 15, 35, 75]);
    const failure = lines.find((line) => line.message === 'reconcile failed');
    expect(failure?.fields).toMatchObject({ controller: 'test', namespace: 'n', name: 'a', failures: 1 });
    expect(failure?.fields['reconcileID']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('an error that names a time: not before that', async () => {
    const at: number[] = [];
    const { clock, trigger } = start(() => {
      at.push(clock.monotonic());
      if (at.length > 2) return Promise.resolve(done);
      const apiError = {
        status: 429,
        reason: 'TooManyRequests',
        message: 'm',
        temporary: true,
        retryAfterMs: 9_000,
      };
      return Promise.reject(
        at.length === 1 ? new TransientError('Busy', 'm', { retryAfterMs: 4_000 }) : new ApiError(apiError),
      );
    });
    trigger.fire(key);
    await clock.advance(20_000);
    expect(at).toEqual([0, 4_000, 13_000]);
  });

  it('a lost lock or fence: again, quietly', async () => {
    const errors = [
      new ApiError({ status: 409, reason: 'Conflict', message: 'm', temporary: false }),
      new WriteFencedError('no longer the leader'),
    ];
    const { clock, trigger, results, lines } = start(() => {
      const error = errors.shift();
      return error === undefined ? Promise.resolve(done) : Promise.reject(error);
    });
    trigger.fire(key);
    await clock.advance(100);
    expect(results).toEqual(['conflict', 'conflict', 'success']);
    expect(lines.filter((line) => line.level === 'error')).toEqual([]);
  });

  it('something that is not even an error', async () => {
    const { clock, trigger, results } = start(
      () =>
        new Promise((_resolve, reject) => {
          (reject as (reason: unknown) => void)('text');
        }),
    );
    trigger.fire(key);
    await clock.advance(1);
    expect(results).toEqual(['error']);
  });
});

describe('workers', () => {
  it('never work on one key twice at once, and on different keys together', async () => {
    const active = new Map<string, number>();
    let most = 0;
    const { clock, trigger } = start(async (each) => {
      const id = formatKey(each);
      active.set(id, (active.get(id) ?? 0) + 1);
      expect(active.get(id)).toBe(1);
      most = Math.max(most, [...active.values()].filter((count) => count > 0).length);
      await sleep(clock, 100);
      active.set(id, 0);
      return done;
    }, 3);
    for (let round = 0; round < 5; round += 1) {
      for (const name of ['a', 'b', 'c', 'd']) trigger.fire({ name });
      await clock.advance(30);
    }
    await clock.advance(1_000);
    expect(most).toBe(3);
  });

  it('keep keys fired before the start', async () => {
    const seen: string[] = [];
    const trigger = new Trigger('early');
    trigger.fire({ name: 'a' });
    const clock = new FakeClock();
    const stop = new AbortController();
    const controller = new Controller({
      name: 'test',
      workers: 1,
      watches: [trigger],
      reconciler: {
        reconcile: (each) => {
          seen.push(each.name);
          return Promise.resolve(done);
        },
      },
      clock,
      log: memoryLog().log,
      events: silentEvents,
    });
    const running = controller.run({ stop: stop.signal, abort: stop.signal });
    await clock.advance(1);
    stop.abort();
    await running;
    expect(seen).toEqual(['a']);
  });
});

describe('stopping', () => {
  it('finishes what runs, starts nothing new, leaves no timer', async () => {
    const seen: string[] = [];
    const { clock, trigger, stop, running } = start(async (each) => {
      await sleep(clock, 1_000);
      seen.push(each.name);
      return { requeueAfterMs: 10 };
    });
    trigger.fire({ name: 'a' });
    trigger.fire({ name: 'b' });
    await clock.advance(500);
    stop.abort();
    let hasEnded = false;
    void running.then(() => {
      hasEnded = true;
    });
    await clock.advance(0);
    expect(hasEnded).toBe(false);
    await clock.advance(500);
    await running;
    expect(seen).toEqual(['a']);
    trigger.fire({ name: 'c' });
    await clock.advance(60_000);
    expect(seen).toEqual(['a']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('hands the abort signal to what runs', async () => {
    const { clock, trigger, stop, abort, running } = start(async (_key, context) => {
      await sleep(clock, 1_000_000, context.signal);
      return done;
    });
    trigger.fire(key);
    await clock.advance(1);
    stop.abort();
    abort.abort(new Error('now'));
    await running;
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not start if stopped before its sources are synced', async () => {
    const passes: string[] = [];
    const stop = new AbortController();
    const clock = new FakeClock();
    const controller = new Controller({
      name: 'test',
      workers: 1,
      watches: [
        {
          name: 'never',
          start: (enqueue) => {
            enqueue({ name: 'a' });
            return () => undefined;
          },
          whenSynced: (signal) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                reject(signal.reason as Error);
              });
            }),
        },
      ],
      reconciler: {
        reconcile: ({ name }) => {
          passes.push(name);
          return Promise.resolve(done);
        },
      },
      clock,
      log: memoryLog().log,
      events: silentEvents,
    });
    const running = controller.run({ stop: stop.signal, abort: stop.signal });
    stop.abort(new Error('stop'));
    await running;
    await controller.run({ stop: stop.signal, abort: stop.signal });
    expect(passes).toEqual([]);
  });

  it('says so when a source fails', async () => {
    const stop = new AbortController();
    const controller = new Controller({
      name: 'test',
      workers: 1,
      watches: [
        {
          name: 'bad',
          start: () => () => undefined,
          whenSynced: () => Promise.reject(new Error('bad source')),
        },
      ],
      reconciler: { reconcile: () => Promise.resolve(done) },
      clock: new FakeClock(),
      log: memoryLog().log,
      events: silentEvents,
    });
    await expect(controller.run({ stop: stop.signal, abort: stop.signal })).rejects.toThrow('bad source');
  });
});
