/** One budget per registry host and credential: concurrency, rate and pauses, shared by every object and verb. */

import { type Clock, sleep } from '../clock.ts';
import { HUB_WEB_HOST } from './hub-hosts.ts';

/** What one registry host bears. */
export interface BudgetSettings {
  /** Requests in flight. */
  readonly concurrency: number;
  /** Requests per second in the long run. */
  readonly perSecond: number;
  /** Requests that may go out at once after a rest. */
  readonly burst: number;
}

const DEFAULT_BUDGET: BudgetSettings = { concurrency: 4, perSecond: 50, burst: 200 };
/** Docker Hub bans addresses for what others take. */
const HUB_BUDGET: BudgetSettings = { concurrency: 4, perSecond: 10, burst: 100 };

/** What a registry is asked at most, by the host of its API. */
export function budgetFor(host: string): BudgetSettings {
  return host.endsWith('.docker.io') || host === HUB_WEB_HOST ? HUB_BUDGET : DEFAULT_BUDGET;
}

/** The registry asked for a longer pause than the caller can wait. */
export class BudgetPausedError extends Error {
  override readonly name = 'BudgetPausedError';
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('the registry asked to be left alone');
    this.retryAfterMs = retryAfterMs;
  }
}

/** A place among the requests in flight; must be released exactly once. */
export interface Permit {
  release(): void;
}

/** Fair (first come, first served) and abortable. */
export class Budget {
  readonly #clock: Clock;
  readonly #settings: BudgetSettings;
  #tokens: number;
  #refilledAt: number;
  #inFlight = 0;
  #pausedUntil = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(clock: Clock, settings: BudgetSettings) {
    this.#clock = clock;
    this.#settings = settings;
    this.#tokens = settings.burst;
    this.#refilledAt = clock.monotonic();
  }

  /** Milliseconds until the pause ends; 0 if there is none. */
  get pauseMs(): number {
    return Math.max(0, this.#pausedUntil - this.#clock.monotonic());
  }

  get idle(): boolean {
    return this.#inFlight === 0 && this.#waiting.length === 0 && this.pauseMs === 0;
  }

  /** Keeps everybody away for `ms` from now; never shortens a pause. */
  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.monotonic() + ms);
  }

  /**
   * Waits for a place.
   * @throws BudgetPausedError if the pause lasts longer than `maxPauseMs`, at once and without a request
   */
  async acquire(maxPauseMs: number, signal: AbortSignal): Promise<Permit> {
    await this.#enter(signal);
    try {
      await this.#awaitTurn(maxPauseMs, signal);
    } catch (error) {
      this.#leave();
      throw error;
    }
    let released = false;
    return {
      release: () => {
        if (!released) this.#leave();
        released = true;
      },
    };
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#inFlight < this.#settings.concurrency) {
      this.#inFlight++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const grant = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        const index = this.#waiting.indexOf(grant);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(signal.reason as Error);
      };
      this.#waiting.push(grant);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Hands the place to the next in line, or gives it up. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#inFlight--;
    else next();
  }

  async #awaitTurn(maxPauseMs: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const pauseMs = this.pauseMs;
      if (pauseMs > maxPauseMs) throw new BudgetPausedError(pauseMs);
      const waitMs = Math.max(pauseMs, this.#msUntilToken());
      if (waitMs === 0) break;
      await sleep(this.#clock, waitMs, signal);
    }
    this.#tokens -= 1;
  }

  #msUntilToken(): number {
    const now = this.#clock.monotonic();
    const earned = ((now - this.#refilledAt) * this.#settings.perSecond) / 1000;
    this.#tokens = Math.min(this.#settings.burst, this.#tokens + earned);
    this.#refilledAt = now;
    if (this.#tokens >= 1) return 0;
    return Math.ceil(((1 - this.#tokens) * 1000) / this.#settings.perSecond);
  }
}

/** All budgets by key; those at rest are forgotten beyond `limit`. */
export class BudgetPool {
  readonly #budgets = new Map<string, Budget>();
  readonly #create: (host: string) => Budget;
  readonly #limit: number;

  constructor(create: (host: string) => Budget, limit = 1000) {
    this.#create = create;
    this.#limit = limit;
  }

  /** The budget for a host and whatever else tells callers apart. */
  get(host: string, identity: string): Budget {
    const key = `${host} ${identity}`;
    const known = this.#budgets.get(key);
    if (known !== undefined) return known;
    this.#forgetIdle();
    const budget = this.#create(host);
    this.#budgets.set(key, budget);
    return budget;
  }

  #forgetIdle(): void {
    if (this.#budgets.size < this.#limit) return;
    for (const [key, budget] of this.#budgets) if (budget.idle) this.#budgets.delete(key);
  }
}
