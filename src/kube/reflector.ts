/** Keeps a sink equal to the server: lists, watches, and starts over after anything that can go wrong. */

import { type Clock, sleep, type Timer } from '../clock.ts';
import { ApiError, isGone } from './api-error.ts';
import { type BackoffOptions, backoffDelay } from './backoff.ts';
import type { ListOptions, ListResult } from './call-options.ts';
import type { KubeClient } from './client.ts';
import type { Logger } from './logger.ts';
import type { RuntimeMetrics, WatchEnd } from './metrics.ts';
import { visitPages } from './paged-list.ts';
import type { KubeObject, RawObject, ResourceType } from './resource.ts';
import { parseWatchEvent, splitLines, type WatchEvent } from './watch-stream.ts';

/** Where a reflector writes. Objects are projected already. */
export interface ReflectorSink<T> {
  /** A complete list follows in parts. */
  beginReplace(): { add(objects: readonly T[]): void; finish(): void };
  upsert(object: T): void;
  delete(object: T): void;
}

/** What is listed and watched, and where it goes. */
export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly type: ResourceType;
  readonly selection: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;
  readonly project: (raw: RawObject) => T;
  readonly sink: ReflectorSink<T>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: RuntimeMetrics;
  readonly random: () => number;
}

/** The server ends a watch after a random time in this range: thousands of clients must not return at once. */
const WATCH_SECONDS = { min: 300, max: 600 };

/** Bookmarks come about every 60 s, so a silence of this length means that nobody is there. */
const SILENCE_LIMIT_MS = 100_000;

/** A watch that lived this long, or delivered anything, was healthy. */
const HEALTHY_MS = 5_000;

/** Initial lists of large clusters are slow; each page has this long. */
const PAGE_TIMEOUT_MS = 60_000;
const OPEN_TIMEOUT_MS = 30_000;

const BACKOFF: BackoffOptions = { baseMs: 800, maxMs: 30_000, jitter: 0.5 };

/** Runs once, until its signal aborts; everything else is a reason to try again. */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  /** Undefined: list before watching. */
  #resourceVersion: string | undefined;
  #failures = 0;
  /** Monotonic time at which the watch of this pass was open; undefined before. */
  #openedAt: number | undefined;
  #lastContact: number;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#lastContact = options.clock.monotonic();
  }

  /** Monotonic time in milliseconds of the last byte or answer from the server. */
  get lastContact(): number {
    return this.#lastContact;
  }

  /** Runs until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const delayMs = await this.#pass(signal);
      if (delayMs > 0) await sleep(this.#options.clock, delayMs, signal).catch(() => undefined);
    }
  }

  /** One list if needed and one watch to its end; returns the pause before the next, in milliseconds. */
  async #pass(signal: AbortSignal): Promise<number> {
    this.#openedAt = undefined;
    try {
      this.#resourceVersion ??= await this.#list(signal);
      const events = await this.#watch(this.#resourceVersion, signal);
      this.#ended('closed');
      if (events === 0 && !this.#wasHealthy()) return this.#nextDelay();
      this.#failures = 0;
      return 0;
    } catch (error) {
      if (signal.aborted) return 0;
      return this.#recover(error);
    }
  }

  #wasHealthy(): boolean {
    return this.#openedAt !== undefined && this.#options.clock.monotonic() - this.#openedAt >= HEALTHY_MS;
  }

  #recover(error: unknown): number {
    const { log, type } = this.#options;
    if (this.#wasHealthy()) this.#failures = 0;
    if (isGone(error)) {
      this.#resourceVersion = undefined;
      this.#ended('expired');
      log.debug('watch expired, listing again', { resource: type.plural });
      return this.#nextDelay();
    }
    // A resourceVersion from the future (etcd restored from a backup) answers 504 for ever: only a list helps.
    if (error instanceof ApiError && error.status >= 400 && error.status !== 429)
      this.#resourceVersion = undefined;
    this.#ended(error instanceof StalledWatchError ? 'stalled' : 'failed');
    const delayMs = Math.max(this.#nextDelay(), error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0);
    log.warn('list-watch interrupted', { resource: type.plural, retryInMs: Math.round(delayMs), err: error });
    return delayMs;
  }

  #nextDelay(): number {
    const delayMs = backoffDelay(this.#failures, { ...BACKOFF, random: this.#options.random });
    this.#failures += 1;
    return delayMs;
  }

  #ended(end: WatchEnd): void {
    this.#options.metrics.watchEnded(this.#options.type.plural, end);
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { type, project, sink, metrics } = this.#options;
    let replacement = sink.beginReplace();
    let count = 0;
    const resourceVersion = await visitPages((continueToken) => this.#fetchPage(continueToken, signal), {
      begin: () => {
        replacement = sink.beginReplace();
        count = 0;
      },
      page: (items) => {
        replacement.add(items.map(project));
        count += items.length;
      },
    });
    replacement.finish();
    metrics.listed(type.plural, count);
    return resourceVersion;
  }

  async #fetchPage(continueToken: string | undefined, signal: AbortSignal): Promise<ListResult<RawObject>> {
    const { client, type, selection } = this.#options;
    const page = await client.listPage(type as ResourceType<RawObject>, {
      ...selection,
      continueToken,
      signal,
      timeoutMs: PAGE_TIMEOUT_MS,
    });
    this.#touch();
    return page;
  }

  /** Follows one watch; resolves with the number of events when the server ends it in order. */
  async #watch(resourceVersion: string, signal: AbortSignal): Promise<number> {
    const { client, type, selection, clock } = this.#options;
    const watchdog = new Watchdog(clock, signal);
    try {
      const body = await client.watch(type, {
        ...selection,
        resourceVersion,
        timeoutSeconds: this.#watchSeconds(),
        signal: watchdog.signal,
        timeoutMs: OPEN_TIMEOUT_MS,
        maxAttempts: 1,
      });
      this.#openedAt = clock.monotonic();
      this.#touch();
      let events = 0;
      for await (const line of splitLines(watchdog.observe(body))) {
        this.#touch();
        this.#take(parseWatchEvent(line, `watch ${type.plural}`));
        events += 1;
      }
      watchdog.throwIfStalled();
      return events;
    } catch (error) {
      watchdog.throwIfStalled();
      throw error;
    } finally {
      watchdog.stop();
    }
  }

  #take(event: WatchEvent): void {
    const { sink, project } = this.#options;
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        sink.upsert(project(event.object));
        break;
      case 'DELETED':
        sink.delete(project(event.object));
        break;
      case 'BOOKMARK':
        break;
    }
    this.#resourceVersion = event.object.metadata.resourceVersion ?? this.#resourceVersion;
  }

  #touch(): void {
    this.#lastContact = this.#options.clock.monotonic();
  }

  #watchSeconds(): number {
    const { min, max } = WATCH_SECONDS;
    return Math.floor(min + (max - min) * this.#options.random());
  }
}

/** The other side went silent without closing: a half-open connection or a frozen server. */
class StalledWatchError extends Error {
  override readonly name = 'StalledWatchError';
}

/** Cuts a watch whose connection has been silent for too long. */
class Watchdog {
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal;
  #timer: Timer | undefined;
  #stalled = false;

  constructor(clock: Clock, parent: AbortSignal) {
    this.#clock = clock;
    this.#parent = parent;
    if (parent.aborted) this.#controller.abort();
    else parent.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Passes the chunks on; each one, and the start, gives the other side another `SILENCE_LIMIT_MS`. */
  async *observe(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    this.#rearm();
    for await (const chunk of body) {
      this.#rearm();
      yield chunk;
    }
  }

  throwIfStalled(): void {
    if (this.#stalled) throw new StalledWatchError(`watch was silent for ${SILENCE_LIMIT_MS} ms`);
  }

  /** Ends the watch as well: a consumer that gave up must not leave the connection open. */
  stop(): void {
    this.#timer?.cancel();
    this.#parent.removeEventListener('abort', this.#onAbort);
    this.#controller.abort();
  }

  #rearm(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.schedule(SILENCE_LIMIT_MS, () => {
      this.#stalled = true;
      this.#controller.abort();
    });
  }

  readonly #onAbort = (): void => {
    this.#controller.abort();
  };
}
