import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock, type Timer } from '../../src/clock.ts';
import { type ElectorOptions, LeaderElector } from '../../src/kube/leader-election.ts';
import { LEASES, type Lease, type LeaseSpec, type LeaseStore, leaseOnServer } from '../../src/kube/lease.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { memoryLog } from './fixtures.ts';

type Weather = 'fine' | 'fails' | 'loses-answer' | 'hangs';

/** The lease as etcd would keep it, with bad weather between us and it. */
class LeaseInMemory {
  lease: Lease | undefined;
  writes = 0;
  #version = 0;

  store(clock: Clock, weather: () => Weather, latencyMs: () => number = () => 0): LeaseStore {
    const act = async <T>(timeoutMs: number, perform: () => T): Promise<T> => {
      const kind = weather();
      await pause(clock, Math.min(latencyMs(), timeoutMs));
      if (kind === 'fails') throw new Error('connection refused');
      if (kind === 'hangs') {
        await pause(clock, timeoutMs);
        throw new Error('deadline exceeded');
      }
      const result = perform();
      if (kind === 'loses-answer') {
        await pause(clock, timeoutMs);
        throw new Error('connection lost');
      }
      return result;
    };
    return {
      read: (timeoutMs) => act(timeoutMs, () => this.lease),
      create: (spec, timeoutMs) =>
        act(timeoutMs, () => (this.lease === undefined ? this.#put(spec) : undefined)),
      update: (lease, spec, timeoutMs) =>
        act(timeoutMs, () => {
          const isCurrent = this.lease?.metadata.resourceVersion === lease.metadata.resourceVersion;
          return isCurrent ? this.#put(spec) : undefined;
        }),
    };
  }

  #put(spec: LeaseSpec): Lease {
    this.#version += 1;
    this.writes += 1;
    this.lease = { metadata: { name: 'l', resourceVersion: String(this.#version) }, spec };
    return this.lease;
  }
}

async function pause(clock: Clock, delayMs: number): Promise<void> {
  if (delayMs <= 0) return;
  await new Promise<void>((resolve) => {
    clock.schedule(delayMs, resolve);
  });
}

function candidate(
  clock: Clock,
  memory: LeaseInMemory,
  identity: string,
  options: Partial<ElectorOptions> = {},
) {
  const stop = new AbortController();
  const elector = new LeaderElector({
    store: memory.store(clock, () => 'fine'),
    identity,
    clock,
    name: 'l',
    random: () => 0.5,
    ...options,
  });
  return { elector, stop, run: elector.run(stop.signal) };
}

describe('LeaderElector', () => {
  it('takes a lease that nobody holds, and renews it every two seconds', async () => {
    const clock = new FakeClock();
    const memory = new LeaseInMemory();
    const { elector, stop, run } = candidate(clock, memory, 'a');
    await elector.whenLeading();
    expect(elector.holdsLease()).toBe(true);
    await clock.advance(20_000);
    expect(memory.writes).toBe(11);
    expect(memory.lease?.spec).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:20.000000Z',
      leaseTransitions: 0,
    });
    stop.abort();
    await run;
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits while another renews, and takes over when that one falls silent', async () => {
    const clock = new FakeClock();
    const memory = new LeaseInMemory();
    const first = candidate(clock, memory, 'a');
    await clock.advance(1);
    const second = candidate(clock, memory, 'b');
    await clock.advance(60_000);
    expect([first.elector.holdsLease(), second.elector.holdsLease()]).toEqual([true, false]);
    first.stop.abort();
    await first.run;
    await clock.advance(14_000);
    expect(second.elector.holdsLease()).toBe(false);
    await clock.advance(5_000);
    expect(second.elector.holdsLease()).toBe(true);
    expect(memory.lease?.spec?.leaseTransitions).toBe(1);
  });

  it('takes over at the next look after a release', async () => {
    const clock = new FakeClock();
    const memory = new LeaseInMemory();
    const first = candidate(clock, memory, 'a');
    await clock.advance(1);
    const second = candidate(clock, memory, 'b');
    await clock.advance(5_000);
    first.stop.abort();
    await first.run;
    await first.elector.release();
    expect(first.elector.holdsLease()).toBe(false);
    expect(first.elector.lost.aborted).toBe(false);
    await clock.advance(2_500);
    expect(second.elector.holdsLease()).toBe(true);
    await first.elector.release();
    expect(memory.lease?.spec?.holderIdentity).toBe('b');
  });

  it('leads no longer than ten seconds after the last renewal it sent', async () => {
    const clock = new FakeClock();
    const memory = new LeaseInMemory();
    let weather: Weather = 'fine';
    const { elector, run } = candidate(clock, memory, 'a', { store: memory.store(clock, () => weather) });
    await clock.advance(1);
    weather = 'hangs';
    await clock.advance(9_998);
    expect(elector.holdsLease()).toBe(true);
    await clock.advance(2);
    expect(elector.holdsLease()).toBe(false);
    expect(elector.lost.aborted).toBe(true);
    await clock.advance(20_000);
    await run;
    expect(memory.lease?.spec?.holderIdentity).toBe('a');
  });

  it('knows after a pause, before any timer has run, that its time is over', async () => {
    const clock = new FakeClock();
    const memory = new LeaseInMemory();
    const paused = pausable(clock);
    const { elector } = candidate(paused, memory, 'a', { store: memory.store(paused, () => 'fine') });
    await clock.advance(1);
    paused.pause();
    await clock.advance(11_000);
    expect(elector.lost.aborted).toBe(false);
    expect(elector.holdsLease()).toBe(false);
    paused.resume();
    await settle();
    expect(elector.lost.aborted).toBe(true);
  });

  it('does not care about jumps of the wall clock', async () => {
    const clock = new FakeClock();
    const memory = new LeaseInMemory();
    const first = candidate(clock, memory, 'a');
    await clock.advance(1);
    const second = candidate(clock, memory, 'b');
    await clock.advance(3_000);
    clock.jump(3_600_000);
    await clock.advance(5_000);
    clock.jump(-7_200_000);
    await clock.advance(5_000);
    expect([first.elector.holdsLease(), second.elector.holdsLease()]).toEqual([true, false]);
  });

  it('gives up at once when it reads that another has taken the lease', async () => {
    const clock = new FakeClock();
    const memory = new LeaseInMemory();
    const { elector, run } = candidate(clock, memory, 'a');
    await clock.advance(1);
    memory.lease = { metadata: { name: 'l', resourceVersion: '999' }, spec: { holderIdentity: 'b' } };
    await clock.advance(2_000);
    await run;
    expect(elector.lost.aborted).toBe(true);
  });

  it('keeps the lease when only the answer to a renewal was lost', async () => {
    const clock = new FakeClock();
    const memory = new LeaseInMemory();
    const weather: Weather[] = [];
    const store = memory.store(clock, () => weather.shift() ?? 'fine');
    const { elector } = candidate(clock, memory, 'a', { store });
    await clock.advance(1);
    weather.push('loses-answer');
    await clock.advance(30_000);
    expect(elector.holdsLease()).toBe(true);
    expect(memory.lease?.spec?.leaseTransitions).toBe(0);
  });

  it("honours another's longer lease", async () => {
    const clock = new FakeClock();
    const memory = new LeaseInMemory();
    memory.lease = {
      metadata: { name: 'l', resourceVersion: '1' },
      spec: { holderIdentity: 'old', leaseDurationSeconds: 60 },
    };
    const { elector } = candidate(clock, memory, 'a');
    await clock.advance(58_000);
    expect(elector.holdsLease()).toBe(false);
    await clock.advance(5_000);
    expect(elector.holdsLease()).toBe(true);
  });

  it('does not count a claim whose answer came after its time', async () => {
    const clock = new FakeClock();
    const memory = new LeaseInMemory();
    let latencyMs = 11_000;
    const patient: LeaseStore = memory.store(
      clock,
      () => 'fine',
      () => latencyMs,
    );
    const store: LeaseStore = {
      read: () => patient.read(60_000),
      create: (spec) => patient.create(spec, 60_000),
      update: (lease, spec) => patient.update(lease, spec, 60_000),
    };
    const { elector } = candidate(clock, memory, 'a', { store });
    await clock.advance(23_000);
    expect(memory.lease?.spec?.holderIdentity).toBe('a');
    expect(elector.holdsLease()).toBe(false);
    latencyMs = 0;
    await clock.advance(15_000);
    expect(elector.holdsLease()).toBe(true);
  });

  it('says so when a release fails, and refuses times that are not safe', async () => {
    const clock = new FakeClock();
    const memory = new LeaseInMemory();
    let weather: Weather = 'fine';
    const { log, lines } = memoryLog();
    const store = memory.store(clock, () => weather);
    const { elector, stop, run } = candidate(clock, memory, 'a', { store, log });
    await clock.advance(1);
    stop.abort();
    await run;
    weather = 'fails';
    await elector.release();
    expect(lines.at(-1)?.message).toContain('not released');
    expect(() => candidate(clock, memory, 'x', { renewDeadlineMs: 15_000 })).toThrow('leader election needs');
  });

  it('works on a server', async () => {
    const server = await FakeApiServer.start();
    const { transport, client } = server.connect(systemClock);
    const store = leaseOnServer(client, { namespace: 'default', name: 'l' });
    const { elector, stop, run } = candidate(systemClock, new LeaseInMemory(), 'a', { store });
    await elector.whenLeading();
    expect(await store.create({}, 1_000)).toBeUndefined();
    const current = await store.read(1_000);
    if (current === undefined) throw new Error('no lease');
    expect(
      await store.update({ ...current, metadata: { ...current.metadata, resourceVersion: '1' } }, {}, 1_000),
    ).toBe(undefined);
    stop.abort();
    await run;
    await elector.release();
    expect((await client.get(LEASES, { namespace: 'default', name: 'l' }))?.spec?.holderIdentity).toBe('');
    await server.down();
    await expect(store.create({}, 100)).rejects.toThrow(/Connection(Failed|Lost)/);
    await transport.close();
    await server.up();
    await server.close();
  });
});

interface PausableClock extends Clock {
  pause(): void;
  resume(): void;
}

/** The clock of a process that can be stopped (SIGSTOP): time goes on, its timers wait. */
function pausable(clock: Clock): PausableClock {
  let isPaused = false;
  const held: (() => void)[] = [];
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    schedule(delayMs, callback): Timer {
      let isCancelled = false;
      const run = (): void => {
        if (!isCancelled) callback();
      };
      const timer = clock.schedule(delayMs, () => {
        if (isPaused) held.push(run);
        else run();
      });
      return {
        cancel: () => {
          isCancelled = true;
          timer.cancel();
        },
      };
    },
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
      for (const run of held.splice(0)) run();
    },
  };
}

const step = fc.record({
  who: fc.integer({ min: 0, max: 2 }),
  act: fc.constantFrom('wait', 'wait', 'pause', 'resume', 'weather', 'stop-and-release', 'jump', 'start'),
  weather: fc.constantFrom<Weather>('fine', 'fine', 'fails', 'loses-answer', 'hangs'),
  ms: fc.integer({ min: 1, max: 12_000 }),
  latencyMs: fc.integer({ min: 0, max: 6_000 }),
});

interface Replica {
  readonly clock: PausableClock;
  readonly elector: LeaderElector;
  readonly stop: AbortController;
  readonly run: Promise<void>;
  weather: Weather;
  latencyMs: number;
}

describe('any schedule of pauses, failures, slow answers, clock jumps and restarts', () => {
  it('never has two holders, and finds one when the weather clears', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const time = new FakeClock();
        const memory = new LeaseInMemory();
        const everybody: Replica[] = [];
        let born = 0;
        function join(): Replica {
          born += 1;
          const clock = pausable(time);
          const stop = new AbortController();
          const state: { weather: Weather; latencyMs: number } = { weather: 'fine', latencyMs: 0 };
          const elector = new LeaderElector({
            store: memory.store(
              clock,
              () => state.weather,
              () => state.latencyMs,
            ),
            identity: `replica-${born}`,
            clock,
            name: 'l',
            random: () => 0.3,
          });
          const replica = Object.assign(state, { clock, elector, stop, run: elector.run(stop.signal) });
          everybody.push(replica);
          return replica;
        }
        const slots = [join(), join(), join()];
        function check(): void {
          const holders = everybody.filter((replica) => replica.elector.holdsLease());
          expect(holders.length).toBeLessThanOrEqual(1);
        }
        async function elapse(ms: number): Promise<void> {
          for (let left = ms; left > 0; left -= 500) {
            await time.advance(Math.min(left, 500));
            check();
          }
        }
        for (const { who, act, weather, ms, latencyMs } of steps) {
          const replica = slots[who];
          if (replica === undefined) continue;
          const acts: Record<string, () => void> = {
            pause: () => {
              replica.clock.pause();
            },
            resume: () => {
              replica.clock.resume();
            },
            weather: () => Object.assign(replica, { weather, latencyMs }),
            jump: () => {
              time.jump(ms * 1_000 - 6_000_000);
            },
            start: () => {
              if (replica.stop.signal.aborted) slots[who] = join();
            },
            'stop-and-release': () => {
              replica.stop.abort();
              void replica.run.then(() => replica.elector.release());
            },
          };
          acts[act]?.();
          check();
          await elapse(ms);
        }
        for (const replica of everybody) {
          Object.assign(replica, { weather: 'fine', latencyMs: 0 });
          replica.clock.resume();
        }
        slots.push(join());
        await elapse(60_000);
        expect(everybody.filter((replica) => replica.elector.holdsLease())).toHaveLength(1);
        for (const replica of everybody) replica.stop.abort();
        await elapse(30_000);
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
