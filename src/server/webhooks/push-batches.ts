/** Gathers pushed tags per source, so that a storm of events costs few writes. */

import type { Clock, Timer } from '../../clock.ts';
import { MAX_PUSHED_TAGS, type PushedTag } from '../../domain/pushed-tags.ts';
import { formatKey, type ObjectKey } from '../../kube/resource.ts';

/** Tags that were pushed to one source since the last write. */
export interface PushBatch {
  readonly source: ObjectKey;
  /** Each tag once, with what was said of it last; one more than MAX_PUSHED_TAGS if there were more. */
  readonly pushed: readonly PushedTag[];
}

export interface PushBatchesOptions {
  readonly clock: Clock;
  /** Makes a batch known to the leader. A rejection is the writer's to tell; the tags are not kept. */
  readonly write: (batch: PushBatch) => Promise<void>;
}

/** A push of one image under several tags comes as several events at once. */
const GATHER_MS = 100;
/** Between two writes for one source. */
const PACE_MS = 1_000;

interface Pending {
  readonly source: ObjectKey;
  readonly pushed: Map<string, PushedTag>;
}

/** One for the process; whoever ends it flushes. */
export class PushBatches {
  readonly #options: PushBatchesOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #timers = new Map<string, Timer>();
  /** Sources with a write under way or just done: what comes meanwhile waits. */
  readonly #resting = new Map<string, Promise<void>>();

  constructor(options: PushBatchesOptions) {
    this.#options = options;
  }

  /** Never throws and never waits. */
  add(source: ObjectKey, pushed: readonly PushedTag[]): void {
    const key = formatKey(source);
    const pending = this.#pending.get(key) ?? { source, pushed: new Map<string, PushedTag>() };
    this.#pending.set(key, pending);
    for (const push of pushed) {
      // One more than can be told is enough to know that a whole scan is needed.
      if (pending.pushed.has(push.tag) || pending.pushed.size <= MAX_PUSHED_TAGS)
        pending.pushed.set(push.tag, push);
    }
    if (!this.#timers.has(key) && !this.#resting.has(key)) this.#schedule(key, GATHER_MS);
  }

  /** Writes what is pending and resolves when it is written. */
  async flush(): Promise<void> {
    await Promise.all(this.#resting.values());
    await Promise.all([...this.#pending.keys()].map((key) => this.#write(key)));
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #schedule(key: string, delayMs: number): void {
    this.#timers.get(key)?.cancel();
    const timer = this.#options.clock.schedule(delayMs, () => {
      this.#timers.delete(key);
      void this.#write(key);
    });
    this.#timers.set(key, timer);
  }

  async #write(key: string): Promise<void> {
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    this.#pending.delete(key);
    const { source, pushed } = pending;
    const writing = this.#options.write({ source, pushed: [...pushed.values()] }).catch(() => undefined);
    this.#resting.set(key, writing);
    await writing;
    this.#resting.delete(key);
    // Also if nothing has come yet: the next event waits out the pace.
    this.#schedule(key, PACE_MS);
  }
}
