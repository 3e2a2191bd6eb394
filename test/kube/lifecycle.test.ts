import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/clock.ts';
import type { RunSignals } from '../../src/kube/controller.ts';
import { LeaderElector } from '../../src/kube/leader-election.ts';
import type { Lease, LeaseStore } from '../../src/kube/lease.ts';
import {
  LeaseLostError,
  Lifecycle,
  type LifecycleOptions,
  type RunningCache,
} from '../../src/kube/lifecycle.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { memoryLog } from './fixtures.ts';

function leaseStore(state: { fails?: boolean; lease?: Lease }): LeaseStore {
  let version = 0;
  function put(spec: Lease['spec']): Promise<Lease> {
    if (state.fails === true) return Promise.reject(new Error('down'));
    version += 1;
    state.lease = { metadata: { name: 'l', resourceVersion: String(version) }, spec };
    return Promise.resolve(state.lease);
  }
  return {
    read: () => (state.fails === true ? Promise.reject(new Error('down')) : Promise.resolve(state.lease)),
    create: (spec) => put(spec),
    update: (_lease, spec) => put(spec),
  };
}

function setting(options: Partial<LifecycleOptions> = {}) {
  const clock = new FakeClock();
  const steps: string[] = [];
  const synced = Promise.withResolvers<undefined>();
  const stop = new AbortController();
  const lease: { fails?: boolean; lease?: Lease } = {};
  const elector = new LeaderElector({
    store: leaseStore(lease),
    identity: 'me',
    clock,
    name: 'l',
    random: () => 0,
  });
  let lastContact = 0;
  const cache: RunningCache = {
    hasSynced: false,
    get lastContact() {
      return lastContact;
    },
    async run(signal) {
      steps.push('cache starts');
      await untilAborted(signal);
      steps.push('cache stops');
    },
    async whenSynced(signal) {
      await Promise.race([
        synced.promise,
        untilAborted(signal).then(() => Promise.reject(signal.reason as Error)),
      ]);
    },
  };
  const controller = {
    name: 'c',
    async run({ stop: stopWork, abort }: RunSignals) {
      steps.push(`controller starts, ${elector.holdsLease() ? 'leading' : 'not leading'}`);
      await untilAborted(stopWork);
      await sleep(clock, 3_000, abort).catch(() => steps.push('pass aborted'));
      steps.push(`controller stops, ${elector.holdsLease() ? 'leading' : 'not leading'}`);
    },
  };
  const lifecycle = new Lifecycle({
    caches: [cache],
    controllers: [controller],
    elector,
    clock,
    log: memoryLog().log,
    flush: () => {
      steps.push(`flush, lease ${lease.lease?.spec?.holderIdentity === 'me' ? 'held' : 'not held'}`);
      return Promise.resolve();
    },
    closers: [
      () => {
        steps.push('closing');
        return Promise.reject(new Error('already closed'));
      },
      () => {
        steps.push('closed');
        return Promise.resolve();
      },
    ],
    ...options,
  });
  return { clock, steps, synced, stop, lease, elector, lifecycle, hear: (at: number) => (lastContact = at) };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}

describe('Lifecycle', () => {
  it('starts caches, then election, then controllers, and stops in reverse', async () => {
    const { clock, steps, synced, stop, lease, lifecycle } = setting();
    expect([lifecycle.phase, lifecycle.isReady, lifecycle.isHealthy]).toEqual(['new', false, true]);
    const running = lifecycle.run(stop.signal);
    await clock.advance(5_000);
    expect([lifecycle.phase, lease.lease]).toEqual(['syncing', undefined]);
    synced.resolve(undefined);
    await clock.advance(1);
    expect([lifecycle.phase, lifecycle.isReady]).toEqual(['leading', true]);
    stop.abort();
    await clock.advance(0);
    expect([lifecycle.phase, lifecycle.isReady]).toEqual(['stopping', false]);
    await clock.advance(3_000);
    await running;
    expect(steps).toEqual([
      'cache starts',
      'controller starts, leading',
      'controller stops, leading',
      'flush, lease held',
      'cache stops',
      'closing',
      'closed',
    ]);
    expect(lease.lease?.spec?.holderIdentity).toBe('');
    expect([lifecycle.phase, clock.pendingTimers]).toEqual(['stopped', 0]);
  });

  it('is ready while it stands by', async () => {
    const { clock, synced, stop, lease, lifecycle, steps } = setting();
    lease.lease = { metadata: { name: 'l', resourceVersion: '0' }, spec: { holderIdentity: 'other' } };
    const running = lifecycle.run(stop.signal);
    synced.resolve(undefined);
    await clock.advance(5_000);
    expect([lifecycle.phase, lifecycle.isReady]).toEqual(['standby', true]);
    stop.abort();
    await clock.advance(0);
    await running;
    expect(steps).not.toContain('controller starts, leading');
    expect(lease.lease.spec?.holderIdentity).toBe('other');
  });

  it('stops while it is still syncing', async () => {
    const { clock, stop, lifecycle, steps } = setting();
    const running = lifecycle.run(stop.signal);
    await clock.advance(1);
    stop.abort(new Error('stop'));
    await clock.advance(0);
    await running;
    expect(steps).toEqual(['cache starts', 'flush, lease not held', 'cache stops', 'closing', 'closed']);
  });

  it('aborts at once and ends with an error when the lease is lost', async () => {
    const { clock, synced, stop, lease, lifecycle, steps } = setting();
    const running = lifecycle.run(stop.signal);
    const outcome = expect(running).rejects.toThrow(LeaseLostError);
    synced.resolve(undefined);
    await clock.advance(1);
    lease.fails = true;
    await clock.advance(10_000);
    await outcome;
    expect(steps.slice(1)).toEqual([
      'controller starts, leading',
      'pass aborted',
      'controller stops, not leading',
      'flush, lease held',
      'cache stops',
      'closing',
      'closed',
    ]);
  });

  it('aborts passes that outlast the drain', async () => {
    const { clock, synced, stop, lifecycle, steps } = setting({ drainMs: 1_000 });
    const running = lifecycle.run(stop.signal);
    synced.resolve(undefined);
    await clock.advance(1);
    stop.abort();
    await clock.advance(1_000);
    await running;
    expect(steps).toContain('pass aborted');
  });

  it('leaves behind a pass that listens to nothing', async () => {
    const deaf = { name: 'deaf', run: () => new Promise<void>(() => undefined) };
    const { clock, synced, stop, lifecycle } = setting({ controllers: [deaf] });
    const running = lifecycle.run(stop.signal);
    synced.resolve(undefined);
    await clock.advance(1);
    stop.abort();
    await clock.advance(22_001);
    await running;
    expect(lifecycle.phase).toBe('stopped');
  });

  it('ends when a controller cannot run', async () => {
    const broken = { name: 'broken', run: () => Promise.reject(new Error('no such index')) };
    const { clock, synced, stop, lifecycle, lease } = setting({ controllers: [broken] });
    const outcome = expect(lifecycle.run(stop.signal)).rejects.toThrow('no such index');
    synced.resolve(undefined);
    await clock.advance(1);
    await outcome;
    expect(lease.lease?.spec?.holderIdentity).toBe('');
  });

  it('works without an election', async () => {
    const { clock, synced, stop, lifecycle } = setting({ elector: undefined });
    const running = lifecycle.run(stop.signal);
    synced.resolve(undefined);
    await clock.advance(1);
    expect(lifecycle.phase).toBe('leading');
    stop.abort();
    await clock.advance(3_000);
    await running;
  });

  it('is unhealthy once a cache has been deaf for five minutes', async () => {
    const { clock, synced, stop, lifecycle, hear } = setting({ elector: undefined });
    const running = lifecycle.run(stop.signal);
    synced.resolve(undefined);
    await clock.advance(299_000);
    expect(lifecycle.isHealthy).toBe(true);
    await clock.advance(2_000);
    expect(lifecycle.isHealthy).toBe(false);
    hear(clock.monotonic());
    expect(lifecycle.isHealthy).toBe(true);
    stop.abort();
    await clock.advance(3_000);
    await running;
  });

  it('passes on that a cache cannot start', async () => {
    const cache: RunningCache = {
      hasSynced: false,
      lastContact: 0,
      run: () => Promise.resolve(),
      whenSynced: () => Promise.reject(new Error('cache bug')),
    };
    const { stop, lifecycle } = setting({ caches: [cache] });
    await expect(lifecycle.run(stop.signal)).rejects.toThrow('cache bug');
  });
});
