/** The real time, faster: long timeouts against a real server in a short test. */

import { type Clock, systemClock } from '../../src/clock.ts';

export function fastClock(factor: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * factor,
    schedule: (delayMs, callback) => systemClock.schedule(delayMs / factor, callback),
  };
}
