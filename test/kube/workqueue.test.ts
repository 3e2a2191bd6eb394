import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noMetrics } from '../../src/kube/metrics.ts';
import { Workqueue, type WorkqueueOptions } from '../../src/kube/workqueue.ts';
import { FakeClock } from '../support/fake-clock.ts';

function build(options: Partial<WorkqueueOptions> = {}): { queue: Workqueue; clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, queue: new Workqueue({ name: 'q', clock, ...options }) };
}

describe('Workqueue', () => {
  it('hands out keys in order of arrival, each once', async () => {
    const { queue } = build();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect(queue.depth).toBe(3);
    expect([await queue.next(), await queue.next(), await queue.next()]).toEqual(['a', 'b', 'c']);
    expect([queue.depth, queue.active]).toEqual([0, 3]);
  });

  it('keeps a key that is being worked on until it is done', async () => {
    const { queue } = build();
    queue.add('a');
    await queue.next();
    queue.add('a');
    queue.add('a');
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(queue.depth).toBe(1);
    expect(await queue.next()).toBe('a');
    queue.done('a');
    expect(queue.depth).toBe(0);
  });

  it('wakes waiting workers in order', async () => {
    const { queue } = build();
    const first = queue.next();
    const second = queue.next();
    queue.add('a');
    queue.add('b');
    expect([await first, await second]).toEqual(['a', 'b']);
  });

  it('delays; of several delays the earliest counts', async () => {
    const { queue, clock } = build();
    queue.addAfter('a', 5_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 3_000);
    await clock.advance(999);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('drops a delay that an event overtakes', async () => {
    const { queue, clock } = build();
    queue.addAfter('a', 5_000);
    queue.add('a');
    await queue.next();
    queue.done('a');
    await clock.advance(10_000);
    expect(queue.depth).toBe(0);
  });

  it('adds at once what is not delayed', () => {
    const { queue } = build();
    queue.addAfter('a', 0);
    queue.addAfter('b', -1);
    expect(queue.depth).toBe(2);
  });

  it('waits out delays longer than one timer can hold', async () => {
    const { queue, clock } = build();
    const cut = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      schedule: (delayMs: number, callback: () => void) => clock.schedule(Math.min(delayMs, 1_000), callback),
    };
    const short = new Workqueue({ name: 'q', clock: cut });
    short.addAfter('a', 2_500);
    await clock.advance(2_400);
    expect(short.depth).toBe(0);
    await clock.advance(100);
    expect(short.depth).toBe(1);
    queue.close();
  });

  it('backs off per key, exponentially, until forgotten', async () => {
    const { queue, clock } = build();
    async function delayOf(): Promise<number> {
      queue.addRateLimited('a');
      const before = clock.monotonic();
      await clock.advanceUntil(() => queue.depth === 1, { stepMs: 1 });
      await queue.next();
      queue.done('a');
      return clock.monotonic() - before;
    }
    expect([await delayOf(), await delayOf(), await delayOf(), await delayOf()]).toEqual([5, 10, 20, 40]);
    queue.forget('a');
    expect(queue.failuresOf('a')).toBe(0);
    expect(await delayOf()).toBe(5);
  });

  it('never waits longer than the limit', async () => {
    const { queue, clock } = build({ backoff: { baseMs: 5, maxMs: 1_000 } });
    for (let failure = 0; failure < 60; failure += 1) {
      queue.addRateLimited('a');
      await clock.advance(1_000);
      expect(await queue.next()).toBe('a');
      queue.done('a');
    }
  });

  it('holds all failing keys together to one pace', async () => {
    const { queue, clock } = build({ retryRate: { qps: 10, burst: 5 } });
    for (let index = 0; index < 25; index += 1) queue.addRateLimited(`k${index}`);
    await clock.advance(10);
    expect(queue.depth).toBe(5);
    await clock.advance(1_000);
    expect(queue.depth).toBe(15);
    await clock.advance(1_000);
    expect(queue.depth).toBe(25);
  });

  it('waits as long as the other side asked', async () => {
    const { queue, clock } = build();
    queue.addRateLimited('a', 7_000);
    await clock.advance(6_999);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  it('closes: drops what waits, lets go of workers, and is drained when the last is done', async () => {
    const { queue, clock } = build();
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 1_000);
    await queue.next();
    queue.add('a');
    queue.close();
    let isDrained = false;
    const drained = queue.drained().then(() => {
      isDrained = true;
    });
    expect(await queue.next()).toBeUndefined();
    expect(isDrained).toBe(false);
    queue.done('a');
    await drained;
    for (const add of [
      () => {
        queue.add('x');
      },
      () => {
        queue.addAfter('x', 1);
      },
      () => {
        queue.addRateLimited('x');
      },
    ])
      add();
    expect([queue.depth, clock.pendingTimers]).toEqual([0, 0]);
    await queue.drained();
  });

  it('releases waiting workers when closed', async () => {
    const { queue } = build();
    const waiting = queue.next();
    queue.close();
    expect(await waiting).toBeUndefined();
  });

  it('ignores done for a key it did not hand out', () => {
    const { queue } = build();
    queue.done('a');
    expect(queue.active).toBe(0);
  });

  it('says how long the slowest worker has been at it', async () => {
    const { queue, clock } = build();
    expect(queue.longestRunningMs).toBe(0);
    queue.add('a');
    await queue.next();
    await clock.advance(1_500);
    expect(queue.longestRunningMs).toBe(1_500);
  });

  it('reports what happens', async () => {
    const calls: string[] = [];
    const { queue, clock } = build({
      metrics: {
        ...noMetrics,
        queueAdded: (_name, depth) => calls.push(`added ${depth}`),
        queueStarted: (_name, depth, waited) => calls.push(`started ${depth} ${waited}`),
        queueFinished: (_name, worked) => calls.push(`finished ${worked}`),
        queueRetried: () => calls.push('retried'),
      },
    });
    queue.add('a');
    await clock.advance(500);
    await queue.next();
    await clock.advance(250);
    queue.done('a');
    queue.addRateLimited('a');
    expect(calls).toEqual(['added 1', 'started 0 0.5', 'finished 0.25', 'retried']);
  });
});

type Command = { readonly kind: string; readonly key: string; readonly delayMs: number };

const command: fc.Arbitrary<Command> = fc.record({
  kind: fc.constantFrom('add', 'addAfter', 'fail', 'forget', 'advance', 'finish'),
  key: fc.constantFrom('a', 'b', 'c'),
  delayMs: fc.integer({ min: 0, max: 3_000 }),
});

describe('any sequence of adds, delays, failures and work', () => {
  it('never runs a key twice at once and never loses one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { maxLength: 60, size: 'max' }),
        fc.integer({ min: 1, max: 3 }),
        async (commands, workers) => {
          const { queue, clock } = build({ backoff: { baseMs: 5, maxMs: 500 } });
          const running = new Map<string, (value: undefined) => void>();
          const owed = new Set<string>();
          async function work(): Promise<void> {
            for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
              expect(running.has(key)).toBe(false);
              owed.delete(key);
              const finished = Promise.withResolvers<undefined>();
              running.set(key, finished.resolve);
              await finished.promise;
              running.delete(key);
              queue.done(key);
            }
          }
          const pool = Array.from({ length: workers }, work);
          const acts: Record<string, (step: Command) => unknown> = {
            add: ({ key }) => {
              owed.add(key);
              queue.add(key);
            },
            addAfter: ({ key, delayMs }) => {
              owed.add(key);
              queue.addAfter(key, delayMs);
            },
            fail: ({ key }) => {
              owed.add(key);
              queue.addRateLimited(key);
            },
            forget: ({ key }) => {
              queue.forget(key);
            },
            advance: ({ delayMs }) => clock.advance(delayMs),
            finish: ({ key }) => running.get(key)?.(undefined),
          };
          for (const step of commands) {
            await acts[step.kind]?.(step);
            await clock.advance(0);
          }
          // Let everything that is owed run.
          for (let round = 0; round < 20; round += 1) {
            for (const finish of running.values()) finish(undefined);
            await clock.advance(1_000);
          }
          expect([...owed]).toEqual([]);
          expect([queue.depth, queue.active, clock.pendingTimers]).toEqual([0, 0, 0]);
          queue.close();
          await Promise.all(pool);
        },
      ),
      { numRuns: 100 },
    );
  });
});
