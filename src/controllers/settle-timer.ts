/** Waits until a burst of changes is over, so that one pull pod serves them all. */

import type { Clock, Timer } from '../clock.ts';

/** Without a change for this long, the burst is over. */
const QUIET_MS = 500;
/**
 * Images that are about to be resolved are waited for, but no longer than this after the first change; then nobody
 * waits for as long, or somebody who changes an image again and again would keep all nodes from pulling.
 */
const LIMIT_MS = 10_000;

export interface SettleOptions {
  /** Whether more is known to be coming. */
  readonly isPending: () => boolean;
  readonly onSettled: () => void;
}

export class SettleTimer {
  readonly #clock: Clock;
  readonly #options: SettleOptions;
  #timer: Timer | undefined;
  /** Monotonic milliseconds of the first change of the burst. */
  #since = 0;
  /** Monotonic milliseconds until when changes keep nobody waiting. */
  #openUntil = 0;

  constructor(clock: Clock, options: SettleOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  get isSettled(): boolean {
    return this.#timer === undefined || this.#clock.monotonic() < this.#openUntil;
  }

  /** Something has changed. */
  touch(): void {
    if (this.#timer === undefined) this.#since = Math.max(this.#clock.monotonic(), this.#openUntil);
    this.#schedule();
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer?.cancel();
    const left = this.#since + LIMIT_MS - this.#clock.monotonic();
    this.#timer = this.#clock.schedule(Math.max(0, Math.min(QUIET_MS, left)), () => {
      const isLate = this.#clock.monotonic() - this.#since >= LIMIT_MS;
      if (this.#options.isPending() && !isLate) {
        this.#schedule();
        return;
      }
      this.#timer = undefined;
      if (isLate) this.#openUntil = this.#clock.monotonic() + LIMIT_MS;
      this.#options.onSettled();
    });
  }
}
