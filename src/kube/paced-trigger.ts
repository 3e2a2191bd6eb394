/** A trigger that lets no key through more often than its pace: the first at once, all that follow as one at its end. */

import type { Clock } from '../clock.ts';
import { formatKey, type ObjectKey } from './resource.ts';
import { Trigger } from './watch-source.ts';

/** A trigger for things that change faster than anybody needs to look. */
export class PacedTrigger extends Trigger {
  readonly #clock: Clock;
  readonly #everyMs: number;
  /** Keys that were let through a moment ago, and whether they were fired again since. */
  readonly #resting = new Map<string, boolean>();

  constructor(name: string, clock: Clock, everyMs: number) {
    super(name);
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  override fire(key: ObjectKey): void {
    const id = formatKey(key);
    if (this.#resting.has(id)) {
      this.#resting.set(id, true);
      return;
    }
    this.#resting.set(id, false);
    this.#clock.schedule(this.#everyMs, () => {
      const isFiredAgain = this.#resting.get(id) === true;
      this.#resting.delete(id);
      if (isFiredAgain) this.fire(key);
    });
    super.fire(key);
  }
}
