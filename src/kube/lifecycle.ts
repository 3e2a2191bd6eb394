/** Order of life: caches, then election, then controllers; the reverse on the way out. */

import { type Clock, sleep } from '../clock.ts';
import { aborted } from './aborted.ts';
import type { RunSignals } from './controller.ts';
import type { LeaderElector } from './leader-election.ts';
import type { Logger } from './logger.ts';

/** An informer, as far as the lifecycle cares. */
export interface RunningCache {
  run(signal: AbortSignal): Promise<void>;
  whenSynced(signal: AbortSignal): Promise<void>;
  readonly hasSynced: boolean;
  /** Monotonic milliseconds of the last sign of life of the server. */
  readonly lastContact: number;
}

/** A controller, as far as the lifecycle cares. */
export interface Workload {
  readonly name: string;
  run(signals: RunSignals): Promise<void>;
}

/** What lives, and for how long it may take to end. */
export interface LifecycleOptions {
  readonly caches: readonly RunningCache[];
  readonly controllers: readonly Workload[];
  /** Absent: this process works without being elected. */
  readonly elector?: LeaderElector | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long running passes may take to end after a stop; default 20 s. Must fit the pod's grace period. */
  readonly drainMs?: number | undefined;
  /** Runs between the last pass and the release of the lease, while writes are still allowed. */
  readonly flush?: (() => Promise<void>) | undefined;
  /** Run last, in order, whatever happened before: close servers and connections. */
  readonly closers?: readonly (() => Promise<void>)[] | undefined;
}

/** In order; a phase is never returned to. */
export const LIFECYCLE_PHASES = ['new', 'syncing', 'standby', 'leading', 'stopping', 'stopped'] as const;
/** One of `LIFECYCLE_PHASES`. */
export type LifecyclePhase = (typeof LIFECYCLE_PHASES)[number];

/** Thrown by `Lifecycle.run`: this process must end, another one leads. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

const DRAIN_MS = 20_000;

/** For passes that were aborted and are on their way out. */
const ABORT_MS = 2_000;

/** Three silences that a watchdog would have cut: whatever is wrong, it does not heal itself. */
const DEAF_MS = 300_000;

/** Runs once. */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #stopWork = new AbortController();
  readonly #abortWork = new AbortController();
  readonly #stopCaches = new AbortController();
  #phase: LifecyclePhase = 'new';

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  get phase(): LifecyclePhase {
    return this.#phase;
  }

  /** True once all caches are synced and until the stop begins; does not ask who leads. */
  get isReady(): boolean {
    return this.#phase === 'standby' || this.#phase === 'leading';
  }

  /** False if a cache has heard nothing from the server for far longer than its watchdog allows. */
  get isHealthy(): boolean {
    const now = this.#options.clock.monotonic();
    return this.#phase === 'new' || this.#options.caches.every((cache) => now - cache.lastContact < DEAF_MS);
  }

  /**
   * Runs until the signal aborts; resolves when everything has stopped in order.
   * @throws LeaseLostError if leadership was lost; whatever made a controller fail to run.
   */
  async run(stop: AbortSignal): Promise<void> {
    const { caches, elector, log } = this.#options;
    this.#phase = 'syncing';
    const cachesDone = Promise.all(caches.map((cache) => cache.run(this.#stopCaches.signal)));
    const stopElection = new AbortController();
    let electionDone: Promise<void> | undefined;
    try {
      if (!(await this.#synced(stop))) return;
      log.info('caches are synced', { caches: caches.length });
      this.#phase = 'standby';
      electionDone = elector?.run(stopElection.signal);
      await Promise.race([aborted(stop), elector?.whenLeading() ?? Promise.resolve()]);
      if (stop.aborted) return;
      this.#phase = 'leading';
      await this.#work(stop);
    } finally {
      this.#phase = 'stopping';
      stopElection.abort();
      await electionDone;
      await this.#flush();
      await elector?.release();
      this.#stopCaches.abort();
      await cachesDone;
      await this.#close();
      this.#phase = 'stopped';
    }
  }

  async #synced(stop: AbortSignal): Promise<boolean> {
    try {
      await Promise.all(this.#options.caches.map((cache) => cache.whenSynced(stop)));
      return true;
    } catch (error) {
      if (stop.aborted) return false;
      throw error;
    }
  }

  /** Runs the controllers until the stop, the loss of the lease, or the failure of one of them. */
  async #work(stop: AbortSignal): Promise<void> {
    const { controllers, elector } = this.#options;
    const signals: RunSignals = { stop: this.#stopWork.signal, abort: this.#abortWork.signal };
    const runs = controllers.map((controller) => controller.run(signals));
    const failure = Promise.withResolvers<never>();
    for (const run of runs) run.catch(failure.reject);
    const lost = elector?.lost;
    try {
      await Promise.race([aborted(stop), failure.promise, ...(lost === undefined ? [] : [aborted(lost)])]);
    } finally {
      this.#phase = 'stopping';
      if (lost?.aborted === true) this.#abortWork.abort(lost.reason);
      await this.#drain(Promise.allSettled(runs));
    }
    if (lost?.aborted === true && !stop.aborted) throw new LeaseLostError('lost the lease');
  }

  /** Lets running passes end by themselves, then aborts them, then stops waiting for those that do not listen. */
  async #drain(work: Promise<unknown>): Promise<void> {
    const { clock, log, drainMs = DRAIN_MS } = this.#options;
    this.#stopWork.abort();
    if (await endsWithin(clock, work, drainMs)) return;
    log.warn('drain deadline over, aborting what still runs', { drainMs });
    this.#abortWork.abort(new Error('drain deadline over'));
    if (!(await endsWithin(clock, work, ABORT_MS))) log.error('a pass ignores its signal, leaving it behind');
  }

  async #flush(): Promise<void> {
    const { flush } = this.#options;
    if (flush !== undefined) await this.#try(flush);
  }

  async #close(): Promise<void> {
    for (const close of this.#options.closers ?? []) await this.#try(close);
  }

  async #try(close: () => Promise<void>): Promise<void> {
    try {
      await close();
    } catch (error) {
      this.#options.log.warn('closing failed', { err: error });
    }
  }
}

/** Whether the work settles within the time. */
async function endsWithin(clock: Clock, work: Promise<unknown>, limitMs: number): Promise<boolean> {
  const finished = new AbortController();
  const inTime = work.then(() => true);
  const late = sleep(clock, limitMs, finished.signal).then(
    () => false,
    () => true,
  );
  const result = await Promise.race([inTime, late]);
  finished.abort();
  return result;
}
