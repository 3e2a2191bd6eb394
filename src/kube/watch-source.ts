/** Where a controller's keys come from: informers mapped to keys, and triggers fired by code. */

import type { Informer } from './informer.ts';
import { type KubeObject, keyOf, type ObjectKey } from './resource.ts';

/** Puts a key into the queue of the controller. */
export type Enqueue = (key: ObjectKey) => void;

/** Anything that knows keys worth looking at. */
export interface WatchSource {
  readonly name: string;
  /** Resolves when every key known at the start has been enqueued. */
  whenSynced(signal: AbortSignal): Promise<void>;
  /** Begins to enqueue; returns the way out. */
  start(enqueue: Enqueue): () => void;
}

/** A change before it is mapped: `old` is absent when added, `object` when deleted. */
export interface ObjectChange<T> {
  readonly old?: T;
  readonly object?: T;
}

/** From changes of one kind to keys of another. */
export interface WatchMapping<T> {
  /** Keys to reconcile because of this object; default: its own. Asked for the old and the new object of an update. */
  readonly map?: (object: T) => Iterable<ObjectKey>;
  /** False drops the change; default: every change counts. */
  readonly predicate?: (change: ObjectChange<T>) => boolean;
}

/** Changes in a cache as a source of keys. */
export function watchInformer<T extends KubeObject>(
  informer: Informer<T>,
  mapping: WatchMapping<T> = {},
): WatchSource {
  const { map = (object: T) => [keyOf(object)], predicate = () => true } = mapping;
  return {
    name: informer.type.plural,
    whenSynced: (signal) => informer.whenSynced(signal),
    start(enqueue) {
      function take(change: ObjectChange<T>): void {
        if (!predicate(change)) return;
        for (const object of [change.old, change.object]) {
          if (object !== undefined) for (const key of map(object)) enqueue(key);
        }
      }
      return informer.subscribe({
        onAdd: (object) => {
          take({ object });
        },
        onUpdate: (old, object) => {
          take({ old, object });
        },
        onDelete: (old) => {
          take({ old });
        },
      });
    },
  };
}

/**
 * Predicate for a kind's own objects: passes adds, deletes, and updates of anything but the status, so that a
 * controller does not answer its own status writes.
 */
export function ignoreStatusChanges<T extends KubeObject>({ old, object }: ObjectChange<T>): boolean {
  if (old === undefined || object === undefined) return true;
  const before = old.metadata;
  const after = object.metadata;
  return (
    before.generation !== after.generation ||
    before.deletionTimestamp !== after.deletionTimestamp ||
    JSON.stringify([before.labels, before.annotations, before.finalizers, before.ownerReferences]) !==
      JSON.stringify([after.labels, after.annotations, after.finalizers, after.ownerReferences])
  );
}

/** A source fired by code: an index that changed, a web hook that came in. Fires before the start are kept. */
export class Trigger implements WatchSource {
  readonly name: string;
  readonly #enqueues = new Set<Enqueue>();
  readonly #early: ObjectKey[] = [];

  constructor(name: string) {
    this.name = name;
  }

  fire(key: ObjectKey): void {
    if (this.#enqueues.size === 0) this.#early.push(key);
    for (const enqueue of this.#enqueues) enqueue(key);
  }

  whenSynced(): Promise<void> {
    return Promise.resolve();
  }

  start(enqueue: Enqueue): () => void {
    this.#enqueues.add(enqueue);
    for (const key of this.#early.splice(0)) enqueue(key);
    return () => {
      this.#enqueues.delete(enqueue);
    };
  }
}
