/** A cache that keeps itself equal to the server and tells subscribers what changed. */

import type { Clock } from '../clock.ts';
import { Cache, type Change, type IndexFunction, type Lister } from './cache.ts';
import type { KubeClient } from './client.ts';
import { type Logger, silentLogger } from './logger.ts';
import { noMetrics, type RuntimeMetrics } from './metrics.ts';
import { Reflector } from './reflector.ts';
import type { KubeObject, ObjectMeta, RawObject, ResourceType } from './resource.ts';

/** Called in the order of the changes. An exception is logged and stays with the subscriber that threw it. */
export interface Subscriber<T> {
  onAdd?(object: T): void;
  onUpdate?(old: T, object: T): void;
  onDelete?(object: T): void;
}

/** What is cached, how much of it, and how it is found again. */
export interface InformerOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly type: ResourceType<T>;
  readonly clock: Clock;
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Keeps what is needed of each object, before it is stored; default: all but `managedFields`. Must keep metadata. */
  readonly project?: ((raw: RawObject) => T) | undefined;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>> | undefined;
  readonly log?: Logger | undefined;
  readonly metrics?: RuntimeMetrics | undefined;
  readonly random?: (() => number) | undefined;
}

/** A reflector and its cache. Runs once; readers use `lister`, followers `subscribe`. */
export class Informer<T extends KubeObject> {
  readonly type: ResourceType<T>;
  /** What the cache keeps of an object off the wire. */
  readonly project: (raw: RawObject) => T;
  readonly #cache: Cache<T>;
  readonly #reflector: Reflector<T>;
  readonly #log: Logger;
  readonly #metrics: RuntimeMetrics;
  readonly #subscribers = new Set<Subscriber<T>>();
  readonly #synced = Promise.withResolvers<undefined>();
  #hasSynced = false;
  #running: Promise<void> | undefined;

  constructor(options: InformerOptions<T>) {
    const { client, type, clock, namespace, labelSelector, fieldSelector } = options;
    this.type = type;
    this.project = options.project ?? (withoutManagedFields as unknown as (raw: RawObject) => T);
    this.#log = options.log ?? silentLogger;
    this.#metrics = options.metrics ?? noMetrics;
    this.#cache = new Cache(options.indexes ?? {});
    this.#reflector = new Reflector({
      client,
      type,
      clock,
      selection: { namespace, labelSelector, fieldSelector },
      project: this.project,
      sink: {
        beginReplace: () => this.#beginReplace(),
        upsert: (object) => {
          this.#publish(this.#cache.upsert(object));
        },
        delete: (object) => {
          this.#publish(this.#cache.delete(object));
        },
      },
      log: this.#log,
      metrics: this.#metrics,
      random: options.random ?? Math.random,
    });
  }

  get lister(): Lister<T> {
    return this.#cache;
  }

  /** True once the first list is in the cache and has been published. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Monotonic milliseconds of the last sign of life of the server. */
  get lastContact(): number {
    return this.#reflector.lastContact;
  }

  /** Resolves when `hasSynced`, rejects with the signal's reason. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => {
      aborted.reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#synced.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Starts once and runs until the signal aborts; the promise resolves when the last connection is let go. */
  run(signal: AbortSignal): Promise<void> {
    this.#running ??= this.#reflector.run(signal);
    return this.#running;
  }

  /** Whoever subscribes late is first told of everything that is there. Returns the way out. */
  subscribe(subscriber: Subscriber<T>): () => void {
    for (const object of this.#cache.list()) this.#notify(subscriber, { kind: 'add', object });
    this.#subscribers.add(subscriber);
    return () => {
      this.#subscribers.delete(subscriber);
    };
  }

  /** Each part is published as it comes; synced is only the whole. */
  #beginReplace(): { add(objects: readonly T[]): void; finish(): void } {
    const replacement = this.#cache.beginReplace();
    return {
      add: (objects) => {
        this.#publish(replacement.add(objects));
      },
      finish: () => {
        this.#publish(replacement.finish());
        this.#hasSynced = true;
        this.#synced.resolve(undefined);
      },
    };
  }

  #publish(changes: readonly Change<T>[]): void {
    for (const change of changes) {
      for (const subscriber of this.#subscribers) this.#notify(subscriber, change);
    }
  }

  #notify(subscriber: Subscriber<T>, change: Change<T>): void {
    try {
      switch (change.kind) {
        case 'add':
          subscriber.onAdd?.(change.object);
          break;
        case 'update':
          subscriber.onUpdate?.(change.old, change.object);
          break;
        case 'delete':
          subscriber.onDelete?.(change.object);
          break;
      }
    } catch (error) {
      this.#metrics.handlerFailed(this.type.plural);
      this.#log.error('subscriber failed', { resource: this.type.plural, change: change.kind, err: error });
    }
  }
}

/** `managedFields` are the bulk of many objects, and of no use to readers. */
function withoutManagedFields(raw: RawObject): RawObject {
  const metadata: Record<string, unknown> = { ...raw.metadata };
  delete metadata['managedFields'];
  return { ...raw, metadata: metadata as unknown as ObjectMeta };
}
