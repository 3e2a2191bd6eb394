/** Time as a port: everything that waits or asks for the time is handed a Clock, so that tests can step it. */

/** A pending callback. */
export interface Timer {
  /** Drops the callback if it has not run yet; harmless afterwards. */
  cancel(): void;
}

/** Time as everything else sees it; tests step their own. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch; may jump in both directions. */
  now(): number;
  /** Milliseconds since an arbitrary origin; never goes back. Expiries and elapsed times use this one. */
  monotonic(): number;
  /** Runs `callback` once, no sooner than `delayMs` from now. */
  schedule(delayMs: number, callback: () => void): Timer;
}

/** Longest delay one Node timer can hold (2^31 - 1 ms, almost 25 days); longer ones fire too early. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The real time. Timers do not keep the process alive: what must be finished is awaited by its owner. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
    timer.unref();
    return {
      cancel: () => {
        clearTimeout(timer);
      },
    };
  },
};

/** Keeps the process alive until cancelled, whatever it waits for: the timers of `systemClock` do not. */
export function stayAlive(): Timer {
  const timer = setInterval(() => undefined, MAX_TIMER_MS);
  return {
    cancel: () => {
      clearInterval(timer);
    },
  };
}

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const timer = clock.schedule(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    function onAbort(): void {
      timer.cancel();
      reject(signal?.reason as Error);
    }
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
