/** A clock that stands still until a test steps it. */

import type { Clock, Timer } from '../../src/clock.ts';

interface Pending {
  readonly dueAt: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Rounds of the event loop after which promise chains without I/O have certainly come to rest. */
const SETTLE_ROUNDS = 5;

export class FakeClock implements Clock {
  #now: number;
  #monotonic = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  /** Starts at 2026-01-01T00:00:00Z unless told otherwise. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    this.#order += 1;
    const pending = { dueAt: this.#monotonic + Math.max(0, delayMs), order: this.#order, callback };
    this.#pending.add(pending);
    return {
      cancel: () => {
        this.#pending.delete(pending);
      },
    };
  }

  /** Timers that have neither run nor been cancelled: a leak check at the end of a test. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Milliseconds until the next timer is due; undefined if there is none. */
  get nextTimerMs(): number | undefined {
    const next = this.#next();
    return next === undefined ? undefined : next.dueAt - this.#monotonic;
  }

  /** Moves the wall clock alone, as NTP or an administrator would. */
  jump(deltaMs: number): void {
    this.#now += deltaMs;
  }

  /**
   * Moves time forward; timers run in order of their due time, each at its time, and promises settle in between.
   * Settling covers promise chains and local I/O that is already there; use `advanceUntil` to wait for more.
   */
  async advance(deltaMs: number): Promise<void> {
    const target = this.#monotonic + deltaMs;
    await settle();
    for (let next = this.#next(); next !== undefined && next.dueAt <= target; next = this.#next()) {
      this.#moveTo(next.dueAt);
      this.#pending.delete(next);
      next.callback();
      await settle();
    }
    this.#moveTo(target);
    await settle();
  }

  /**
   * Steps time by `stepMs` until the condition holds, letting real I/O happen in between.
   * @throws Error after `limitMs` of this clock.
   */
  async advanceUntil(
    condition: () => boolean | Promise<boolean>,
    { stepMs = 100, limitMs = 3_600_000 }: { readonly stepMs?: number; readonly limitMs?: number } = {},
  ): Promise<void> {
    const deadline = this.#monotonic + limitMs;
    while (!(await condition())) {
      if (this.#monotonic >= deadline)
        throw new Error(`condition not met within ${limitMs} ms of the fake clock`);
      await realPause();
      await this.advance(stepMs);
    }
  }

  #next(): Pending | undefined {
    let next: Pending | undefined;
    for (const pending of this.#pending) {
      if (next === undefined || isBefore(pending, next)) next = pending;
    }
    return next;
  }

  #moveTo(monotonic: number): void {
    this.#now += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}

function isBefore(left: Pending, right: Pending): boolean {
  return left.dueAt === right.dueAt ? left.order < right.order : left.dueAt < right.dueAt;
}

/** Lets everything run that needs no time. */
export async function settle(): Promise<void> {
  for (let round = 0; round < SETTLE_ROUNDS; round += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** A moment of real time for sockets on loopback. */
function realPause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 2);
  });
}

/**
 * Waits in real time, without moving any clock, until the condition holds.
 * @throws Error after `limitMs`.
 */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  limitMs = 5_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`condition not met within ${limitMs} ms`);
    await realPause();
  }
}
