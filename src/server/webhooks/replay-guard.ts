/**
 * Keeps what was sent before, or long ago, from counting again. Each replica has its own memory: a second look at a
 * tag is harmless.
 */

import type { Clock } from '../../clock.ts';
import type { Push } from './push.ts';

/** Of an event: acted upon only if Fresh. */
export type Freshness = 'Fresh' | 'Replayed' | 'Stale';

/** Registries that could not reach us try again for a while; later the regular scan has seen the tag. */
const MAX_AGE_MS = 3_600_000;
/** Clocks of registries may run ahead. */
const MAX_AHEAD_MS = 300_000;
/** Ids remembered, over all sources. */
const MEMORY_LIMIT = 10_000;

/** One for the process. */
export class ReplayGuard {
  readonly #clock: Clock;
  /** Event by source to the monotonic milliseconds it was seen at, oldest first. */
  readonly #seen = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ids remembered now. */
  get size(): number {
    return this.#seen.size;
  }

  /** Judges the push, and remembers its id if it is fresh. `scope`: the source; ids are unique per registry. */
  admit(scope: string, { eventId, occurredAt }: Push): Freshness {
    const age = occurredAt === undefined ? 0 : this.#clock.now() - occurredAt;
    if (age > MAX_AGE_MS || age < -MAX_AHEAD_MS) return 'Stale';
    if (eventId === undefined) return 'Fresh';
    this.#forget();
    const key = `${scope} ${eventId}`;
    if (this.#seen.has(key)) return 'Replayed';
    this.#seen.set(key, this.#clock.monotonic());
    return 'Fresh';
  }

  #forget(): void {
    const before = this.#clock.monotonic() - MAX_AGE_MS - MAX_AHEAD_MS;
    for (const [key, at] of this.#seen) {
      if (at >= before && this.#seen.size < MEMORY_LIMIT) return;
      this.#seen.delete(key);
    }
  }
}
