/** Keys waiting for a worker: each at most once, never handed out twice at a time, delayed after failures. */

import type { Clock, Timer } from '../clock.ts';
import { type BackoffOptions, backoffDelay } from './backoff.ts';
import { noMetrics, type RuntimeMetrics } from './metrics.ts';
import { type RateLimit, TokenBucket } from './token-bucket.ts';

/** Per-key delays after failures, as controller-runtime has them: 5 ms doubling to 1,000 s. */
const FAILURE_BACKOFF: BackoffOptions = { baseMs: 5, maxMs: 1_000_000 };

/** All failing keys together may come back at this pace. */
const RETRY_RATE: RateLimit = { qps: 10, burst: 100 };

/** `name` labels the metrics. */
export interface WorkqueueOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly metrics?: RuntimeMetrics | undefined;
  readonly backoff?: BackoffOptions | undefined;
  readonly retryRate?: RateLimit | undefined;
}

interface Delayed {
  readonly timer: Timer;
  readonly dueAt: number;
}

/** A queue for any number of workers in this process; nothing in it survives the process, nor has to. */
export class Workqueue {
  readonly name: string;
  readonly #clock: Clock;
  readonly #metrics: RuntimeMetrics;
  readonly #backoff: BackoffOptions;
  readonly #bucket: TokenBucket;
  /** Key to the time it was queued; a Map keeps the order of arrival. */
  readonly #queued = new Map<string, number>();
  readonly #processing = new Map<string, number>();
  /** Added while being processed: queued again when done. */
  readonly #dirty = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  readonly #waiting: ((key: string | undefined) => void)[] = [];
  readonly #idle: (() => void)[] = [];
  #closed = false;

  constructor(options: WorkqueueOptions) {
    this.name = options.name;
    this.#clock = options.clock;
    this.#metrics = options.metrics ?? noMetrics;
    this.#backoff = options.backoff ?? FAILURE_BACKOFF;
    this.#bucket = new TokenBucket(options.clock, options.retryRate ?? RETRY_RATE);
    this.#metrics.queueCreated(this.name, () => this.longestRunningMs / 1000);
  }

  /** Keys ready for a worker. */
  get depth(): number {
    return this.#queued.size;
  }

  /** Keys being worked on. */
  get active(): number {
    return this.#processing.size;
  }

  /** Milliseconds the longest running worker has been at its key; 0 if none is. */
  get longestRunningMs(): number {
    const [oldest] = this.#processing.values();
    return oldest === undefined ? 0 : this.#clock.monotonic() - oldest;
  }

  /** Queues the key now. A delay that is still running is overtaken and dropped. */
  add(key: string): void {
    if (this.#closed) return;
    this.#cancelDelay(key);
    if (this.#processing.has(key)) {
      this.#dirty.add(key);
      return;
    }
    if (this.#queued.has(key)) return;
    this.#queued.set(key, this.#clock.monotonic());
    this.#metrics.queueAdded(this.name, this.#queued.size);
    this.#dispatch();
  }

  /** Queues the key after `delayMs`. Of several delays the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const dueAt = this.#clock.monotonic() + delayMs;
    const pending = this.#delayed.get(key);
    if (pending !== undefined && pending.dueAt <= dueAt) return;
    pending?.timer.cancel();
    this.#delayed.set(key, {
      dueAt,
      timer: this.#clock.schedule(delayMs, () => {
        this.#due(key, dueAt);
      }),
    });
  }

  /**
   * Queues the key after a failure: exponential for this key, no faster than the pace for all, and no sooner than
   * `notBeforeMs` if the other side named a time.
   */
  addRateLimited(key: string, notBeforeMs = 0): void {
    if (this.#closed) return;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#metrics.queueRetried(this.name);
    this.addAfter(key, Math.max(backoffDelay(failures, this.#backoff), this.#bucket.reserve(), notBeforeMs));
  }

  /** The next failure of this key counts as its first. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, in order of arrival; undefined once the queue is closed and empty. Call `done` after work. */
  next(): Promise<string | undefined> {
    const key = this.#take();
    if (key !== undefined) return Promise.resolve(key);
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Ends the work on a key; if it was added meanwhile it is queued again. */
  done(key: string): void {
    const started = this.#processing.get(key);
    if (started === undefined) return;
    this.#processing.delete(key);
    this.#metrics.queueFinished(this.name, (this.#clock.monotonic() - started) / 1000);
    if (this.#dirty.delete(key)) this.add(key);
    this.#checkIdle();
  }

  /** Takes no more keys, drops those waiting, and lets workers finish what they hold. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#queued.clear();
    this.#dirty.clear();
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    this.#checkIdle();
  }

  /** Resolves when no key is being worked on and the queue is closed. */
  drained(): Promise<void> {
    if (this.#closed && this.#processing.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  #due(key: string, dueAt: number): void {
    const pending = this.#delayed.get(key);
    if (pending === undefined || pending.dueAt !== dueAt) return;
    const remainingMs = dueAt - this.#clock.monotonic();
    this.#delayed.delete(key);
    // One Node timer spans 25 days at most; a longer delay comes here early.
    if (remainingMs > 1) this.addAfter(key, remainingMs);
    else this.add(key);
  }

  #cancelDelay(key: string): void {
    this.#delayed.get(key)?.timer.cancel();
    this.#delayed.delete(key);
  }

  #dispatch(): void {
    while (this.#waiting.length > 0 && this.#queued.size > 0) this.#waiting.shift()?.(this.#take());
  }

  #take(): string | undefined {
    for (const [key, queuedAt] of this.#queued) {
      const now = this.#clock.monotonic();
      this.#queued.delete(key);
      this.#processing.set(key, now);
      this.#metrics.queueStarted(this.name, this.#queued.size, (now - queuedAt) / 1000);
      return key;
    }
    return undefined;
  }

  #checkIdle(): void {
    if (!this.#closed || this.#processing.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
