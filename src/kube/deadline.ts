/** A deadline of the clock and a caller's signal, joined into one signal. */

import type { Clock, Timer } from '../clock.ts';

/** Aborts its signal at a monotonic time of the clock or with the caller's signal. `end` must be called. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timer: Timer;
  /** True if the deadline, not the caller, ended it. */
  expired = false;

  constructor(clock: Clock, deadline: number, caller: AbortSignal | undefined) {
    this.#caller = caller;
    this.#timer = clock.schedule(deadline - clock.monotonic(), () => {
      this.expired = true;
      this.#controller.abort();
    });
    if (caller?.aborted === true) this.#controller.abort();
    else caller?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stopTimer(): void {
    this.#timer.cancel();
  }

  end(): void {
    this.#timer.cancel();
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.#controller.abort();
  };
}
