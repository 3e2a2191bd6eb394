/** Client-side rate limit: a bucket of tokens that refills at a steady pace; callers wait in order. */

import { type Clock, sleep } from '../clock.ts';

/** Both infinite: no limit. */
export interface RateLimit {
  /** Tokens per second. */
  readonly qps: number;
  readonly burst: number;
}

/** Not shared between processes: each replica has its own share of the server. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #limit: RateLimit;
  #tokens: number;
  #refilledAt: number;

  constructor(clock: Clock, limit: RateLimit) {
    this.#clock = clock;
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#refilledAt = clock.monotonic();
  }

  /** Takes a token if there is one. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /**
   * Takes a token and says how long its owner must wait before acting, in milliseconds.
   * Tokens may be taken on credit, so waiting callers keep their order.
   */
  reserve(): number {
    this.#refill();
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#limit.qps) * 1000;
  }

  /** Resolves when the caller may act; rejects with the signal's reason, and gives the token back, on abort. */
  async acquire(signal?: AbortSignal): Promise<void> {
    const delayMs = this.reserve();
    if (delayMs === 0) return;
    try {
      await sleep(this.#clock, delayMs, signal);
    } catch (error) {
      this.#tokens += 1;
      throw error;
    }
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    const elapsed = (now - this.#refilledAt) / 1000;
    // No limit is an infinite pace, and zero times infinity is not a number.
    if (elapsed > 0) this.#tokens = Math.min(this.#limit.burst, this.#tokens + elapsed * this.#limit.qps);
    this.#refilledAt = now;
  }
}
