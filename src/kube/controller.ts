/** A controller: sources of keys, a queue, workers, and one switch on how a reconcile ended. */

import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { ApiError, isConflict, WriteFencedError } from './api-error.ts';
import type { EventRecorder } from './events.ts';
import type { Logger } from './logger.ts';
import { noMetrics, type RuntimeMetrics } from './metrics.ts';
import { formatKey, type ObjectKey, parseKey } from './resource.ts';
import { type Result, TerminalError, TransientError, WaitingError } from './result.ts';
import type { WatchSource } from './watch-source.ts';
import { Workqueue, type WorkqueueOptions } from './workqueue.ts';

/** What a pass is given besides its key or object. */
export interface ReconcileContext {
  /** Carries controller, namespace, name and reconcileID. */
  readonly log: Logger;
  /** Wall-clock milliseconds at the start of the pass. */
  readonly now: number;
  /** Aborts when the pass must end at once: drain deadline over, or lease lost. */
  readonly signal: AbortSignal;
  readonly reconcileId: string;
  readonly events: EventRecorder;
}

/**
 * Level-based work on one key: reads what is, does what is missing. Never runs twice at once for a key, may run
 * any number of times. How it may end, and what follows, is said in `result.ts`.
 */
export interface Reconciler {
  reconcile(key: ObjectKey, context: ReconcileContext): Promise<Result>;
}

/** A controller is its name, its sources and its reconciler; the rest is given by the operator. */
export interface ControllerOptions {
  /** In logs and metrics: `image-source`. */
  readonly name: string;
  /** Keys worked on at the same time. */
  readonly workers: number;
  readonly watches: readonly WatchSource[];
  readonly reconciler: Reconciler;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly metrics?: RuntimeMetrics | undefined;
  readonly queue?: Pick<WorkqueueOptions, 'backoff' | 'retryRate'> | undefined;
}

/** When a controller stops: `stop` takes no more keys, `abort` also ends the passes that are running. */
export interface RunSignals {
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
}

type Outcome =
  | { readonly kind: 'success' }
  | { readonly kind: 'requeue_after' | 'waiting'; readonly afterMs: number }
  | { readonly kind: 'conflict' | 'error'; readonly error: unknown; readonly notBeforeMs: number }
  | { readonly kind: 'terminal'; readonly error: unknown };

/** Runs once. An exception of the reconciler is an outcome, never the end of a worker. */
export class Controller {
  readonly name: string;
  readonly queue: Workqueue;
  readonly #options: ControllerOptions;
  readonly #log: Logger;
  readonly #metrics: RuntimeMetrics;
  #active = 0;

  constructor(options: ControllerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#log = options.log.child({ controller: options.name });
    this.#metrics = options.metrics ?? noMetrics;
    this.queue = new Workqueue({
      name: options.name,
      clock: options.clock,
      metrics: this.#metrics,
      ...options.queue,
    });
  }

  /** Waits for all sources, then works until `stop`; resolves when the last pass has ended. */
  async run(signals: RunSignals): Promise<void> {
    if (isStopped(signals)) return;
    const { watches, workers } = this.#options;
    const leave = watches.map((watch) =>
      watch.start((key) => {
        this.queue.add(formatKey(key));
      }),
    );
    const close = (): void => {
      this.queue.close();
    };
    signals.stop.addEventListener('abort', close, { once: true });
    try {
      await Promise.all(watches.map((watch) => watch.whenSynced(signals.stop)));
      this.#log.info('starting workers', { workers });
      await Promise.all(Array.from({ length: workers }, () => this.#work(signals.abort)));
    } catch (error) {
      if (!isStopped(signals)) throw error;
    } finally {
      signals.stop.removeEventListener('abort', close);
      close();
      for (const each of leave) each();
    }
  }

  async #work(abort: AbortSignal): Promise<void> {
    for (;;) {
      const key = await this.queue.next();
      if (key === undefined) return;
      await this.#process(key, abort);
    }
  }

  async #process(key: string, abort: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const started = clock.monotonic();
    const objectKey = parseKey(key);
    const reconcileId = randomUUID();
    const log = this.#log.child({ ...objectKey, reconcileID: reconcileId });
    this.#count(1);
    const outcome = await this.#attempt(objectKey, {
      log,
      now: clock.now(),
      signal: abort,
      reconcileId,
      events: this.#options.events,
    });
    this.#count(-1);
    this.#metrics.reconciled(this.name, outcome.kind, (clock.monotonic() - started) / 1000);
    this.#settle(key, outcome, log);
    this.queue.done(key);
  }

  async #attempt(key: ObjectKey, context: ReconcileContext): Promise<Outcome> {
    try {
      const { requeueAfterMs = 0 } = await this.#options.reconciler.reconcile(key, context);
      return requeueAfterMs > 0 ? { kind: 'requeue_after', afterMs: requeueAfterMs } : { kind: 'success' };
    } catch (error) {
      return classify(error);
    }
  }

  /** The whole meaning of a reconcile's ending; see `result.ts`. */
  #settle(key: string, outcome: Outcome, log: Logger): void {
    switch (outcome.kind) {
      case 'success':
        this.queue.forget(key);
        break;
      case 'requeue_after':
      case 'waiting':
        this.queue.forget(key);
        this.queue.addAfter(key, outcome.afterMs);
        break;
      case 'conflict':
        log.debug('object changed meanwhile, trying again', { err: outcome.error });
        this.queue.addRateLimited(key, outcome.notBeforeMs);
        break;
      case 'error':
        log.error('reconcile failed', { err: outcome.error, failures: this.queue.failuresOf(key) + 1 });
        this.queue.addRateLimited(key, outcome.notBeforeMs);
        break;
      case 'terminal':
        log.error('reconcile cannot succeed', { err: outcome.error });
        this.queue.forget(key);
        break;
    }
  }

  #count(difference: number): void {
    this.#active += difference;
    this.#metrics.activeWorkers(this.name, this.#active, this.#options.workers);
  }
}

function isStopped({ stop }: RunSignals): boolean {
  return stop.aborted;
}

function classify(error: unknown): Outcome {
  if (error instanceof TerminalError) return { kind: 'terminal', error };
  if (error instanceof WaitingError) return { kind: 'waiting', afterMs: error.requeueAfterMs };
  const notBeforeMs = notBefore(error);
  if (isConflict(error) || error instanceof WriteFencedError) return { kind: 'conflict', error, notBeforeMs };
  return { kind: 'error', error, notBeforeMs };
}

function notBefore(error: unknown): number {
  if (error instanceof TransientError || error instanceof ApiError) return error.retryAfterMs ?? 0;
  return 0;
}
