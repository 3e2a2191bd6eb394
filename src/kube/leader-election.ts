/**
 * Leader election on a Lease.
 *
 * Safety rests on elapsed time alone, never on anybody's wall clock: a holder counts `renewDeadlineMs` from *before
 * it sent* its last successful renewal; a candidate counts the longer `leaseDurationMs` from *after it read* the last
 * change of the record. Between the two ends nobody holds the lease. A holder that was paused finds its time over at
 * the first look at its clock, which `holdsLease` takes before every write.
 */

import { type Clock, sleep, type Timer } from '../clock.ts';
import type { Lease, LeaseSpec, LeaseStore } from './lease.ts';
import { type Logger, silentLogger } from './logger.ts';
import { noMetrics, type RuntimeMetrics } from './metrics.ts';

/** Times of the election; the defaults are client-go's. */
export interface ElectorOptions {
  readonly store: LeaseStore;
  /** Unique to this process, so that a restarted replica is another candidate. */
  readonly identity: string;
  readonly clock: Clock;
  /** For metrics and logs. */
  readonly name: string;
  /** How long a candidate leaves a silent holder in peace; default 15 s. */
  readonly leaseDurationMs?: number;
  /** How long a holder may act after its last renewal; default 10 s. Must be shorter. */
  readonly renewDeadlineMs?: number;
  /** Pause between two attempts; default 2 s. */
  readonly retryPeriodMs?: number;
  readonly log?: Logger | undefined;
  readonly metrics?: RuntimeMetrics | undefined;
  readonly random?: (() => number) | undefined;
}

/** Candidates must not knock in step. */
const CANDIDATE_JITTER = 0.2;

interface Observation {
  readonly lease: Lease;
  /** Monotonic time at which this version of the lease was first known here. */
  readonly since: number;
}

/** One candidate. It leads at most once: after a loss the process must end and come back as another. */
export class LeaderElector {
  readonly #options: ElectorOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #metrics: RuntimeMetrics;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #led = Promise.withResolvers<undefined>();
  readonly #lost = new AbortController();
  #observation: Observation | undefined;
  /** Monotonic time before which the lease is certainly ours; undefined while we do not lead. */
  #heldUntil: number | undefined;
  #expiry: Timer | undefined;

  constructor(options: ElectorOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log ?? silentLogger;
    this.#metrics = options.metrics ?? noMetrics;
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000;
    if (this.#renewDeadlineMs >= this.#leaseDurationMs || this.#retryPeriodMs >= this.#renewDeadlineMs) {
      throw new Error('leader election needs retryPeriodMs < renewDeadlineMs < leaseDurationMs');
    }
  }

  /** True while writes are safe. Reads the clock: ask immediately before acting. */
  holdsLease(): boolean {
    return this.#heldUntil !== undefined && this.#clock.monotonic() < this.#heldUntil;
  }

  /** Aborts when a lease that was held is lost; never on an orderly release. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Resolves when this process leads for the first time. */
  whenLeading(): Promise<undefined> {
    return this.#led.promise;
  }

  /** Campaigns and renews until the signal aborts or a held lease is lost. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([signal, this.#lost.signal]);
    while (!ended.aborted) {
      await this.#attempt();
      await sleep(this.#clock, this.#pauseMs(), ended).catch(() => undefined);
    }
    this.#expiry?.cancel();
  }

  /** Hands the lease over. Call after `run` has ended and the last write has been answered. */
  async release(): Promise<void> {
    const lease = this.#observation?.lease;
    if (!this.holdsLease() || lease === undefined) return;
    this.#heldUntil = undefined;
    this.#metrics.leading(this.#options.name, false);
    const spec: LeaseSpec = {
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: this.#wallTime(),
      leaseTransitions: lease.spec?.leaseTransitions ?? 0,
    };
    try {
      await this.#options.store.update(lease, spec, this.#retryPeriodMs);
      this.#log.info('released the lease', { lease: this.#options.name });
    } catch (error) {
      this.#log.warn('lease not released, it will expire', { lease: this.#options.name, err: error });
    }
  }

  #pauseMs(): number {
    if (this.holdsLease()) return this.#retryPeriodMs;
    return this.#retryPeriodMs * (1 + CANDIDATE_JITTER * (this.#options.random ?? Math.random)());
  }

  async #attempt(): Promise<void> {
    try {
      await this.#acquireOrRenew();
    } catch (error) {
      this.#log.warn('lease attempt failed', { lease: this.#options.name, err: error });
    }
  }

  async #acquireOrRenew(): Promise<void> {
    // While leading, the version we wrote is almost always the latest: one request instead of two.
    if (this.holdsLease() && this.#observation !== undefined && (await this.#write(this.#observation.lease)))
      return;
    const lease = await this.#options.store.read(this.#callTimeoutMs());
    if (lease === undefined) {
      await this.#write(undefined);
      return;
    }
    this.#observe(lease);
    if (this.#isHeldByOther(lease)) {
      if (this.#heldUntil !== undefined) this.#lose('another holder took the lease');
      return;
    }
    await this.#write(lease);
  }

  /** An attempt must end while there is time for another. */
  #callTimeoutMs(): number {
    return this.#renewDeadlineMs / 2;
  }

  #observe(lease: Lease): void {
    if (this.#observation?.lease.metadata.resourceVersion === lease.metadata.resourceVersion) return;
    this.#observation = { lease, since: this.#clock.monotonic() };
  }

  #isHeldByOther(lease: Lease): boolean {
    const { holderIdentity = '', leaseDurationSeconds = 0 } = lease.spec ?? {};
    if (holderIdentity === '') return false;
    if (holderIdentity === this.#options.identity) return false;
    if (this.#heldUntil !== undefined) return true;
    // A holder with a longer lease than ours believes in its own.
    const patienceMs = Math.max(this.#leaseDurationMs, leaseDurationSeconds * 1000);
    return this.#clock.monotonic() < (this.#observation?.since ?? 0) + patienceMs;
  }

  /** Writes us into the lease; false if somebody else was faster. */
  async #write(current: Lease | undefined): Promise<boolean> {
    const sentAt = this.#clock.monotonic();
    const spec = this.#claim(current);
    const timeoutMs = this.#callTimeoutMs();
    const { store } = this.#options;
    const written = await (current === undefined
      ? store.create(spec, timeoutMs)
      : store.update(current, spec, timeoutMs));
    if (written === undefined || this.#lost.signal.aborted) return false;
    this.#observe(written);
    this.#hold(sentAt);
    return true;
  }

  #claim(current: Lease | undefined): LeaseSpec {
    const now = this.#wallTime();
    const { holderIdentity, acquireTime, leaseTransitions = 0 } = current?.spec ?? {};
    const renews = holderIdentity === this.#options.identity;
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
      acquireTime: renews ? (acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: renews || current === undefined ? leaseTransitions : leaseTransitions + 1,
    };
  }

  #hold(sentAt: number): void {
    const heldUntil = sentAt + this.#renewDeadlineMs;
    const now = this.#clock.monotonic();
    // An answer that came too late: the lease may be ours by name, but its time is over already.
    if (now >= heldUntil) return;
    const isNew = this.#heldUntil === undefined;
    this.#heldUntil = heldUntil;
    this.#expiry?.cancel();
    this.#expiry = this.#clock.schedule(heldUntil - now, () => {
      this.#lose('the lease could not be renewed in time');
    });
    if (!isNew) return;
    this.#log.info('leading', { lease: this.#options.name, identity: this.#options.identity });
    this.#metrics.leading(this.#options.name, true);
    this.#led.resolve(undefined);
  }

  #lose(why: string): void {
    this.#heldUntil = undefined;
    this.#expiry?.cancel();
    this.#log.error('lost the lease', { lease: this.#options.name, why });
    this.#metrics.leading(this.#options.name, false);
    this.#lost.abort(new Error(`lost the lease: ${why}`));
  }

  /** `metav1.MicroTime`. */
  #wallTime(): string {
    return new Date(this.#clock.now()).toISOString().replace('Z', '000Z');
  }
}
