/** Watches in the style of `@dot-i/k8s-operator` (events with a type) over our informer and work queue. */

import type { Clock } from '../clock.ts';
import type { KubeClient } from './client.ts';
import { Controller, type Reconciler } from './controller.ts';
import { silentEvents } from './events.ts';
import { Informer } from './informer.ts';
import type { Logger } from './logger.ts';
import { type ResourceEvent, ResourceEventType, type ResourceMeta } from './operator-package.ts';
import {
  apiVersionOf,
  formatKey,
  type KubeObject,
  type ObjectKey,
  type RawObject,
  type ResourceType,
} from './resource.ts';
import { done } from './result.ts';
import { watchInformer } from './watch-source.ts';

/** One call of `watchResource`. */
export interface PackageWatchOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly type: ResourceType<RawObject>;
  readonly namespace: string | undefined;
  readonly onEvent: (event: ResourceEvent) => Promise<void>;
}

/** Both must be run by the lifecycle. */
export interface PackageWatch {
  readonly cache: Informer<RawObject>;
  readonly controller: Controller;
}

/** The id under which the package's `ResourceMeta` refers to a resource type. */
export function resourceId(type: ResourceType): string {
  return `${type.plural}.${apiVersionOf(type)}`;
}

/** An object's metadata in the package's shape. */
export function metaOf(type: ResourceType, object: KubeObject): ResourceMeta {
  const { name, namespace, resourceVersion = '' } = object.metadata;
  return {
    id: resourceId(type),
    name,
    ...(namespace === undefined ? {} : { namespace }),
    resourceVersion,
    apiVersion: object.apiVersion ?? apiVersionOf(type),
    kind: object.kind ?? type.kind,
  };
}

/**
 * Events of one object come in order and one at a time; a failing callback is called again with backoff; several
 * changes may arrive as one event.
 */
export function packageWatch(options: PackageWatchOptions): PackageWatch {
  const { client, clock, log, type, namespace } = options;
  const cache = new Informer<RawObject>({ client, type, clock, namespace, log });
  const controller = new Controller({
    name: `watch-${type.plural}`,
    workers: 1,
    watches: [watchInformer(cache)],
    reconciler: new EventDelivery(options, cache),
    clock,
    log,
    events: silentEvents,
  });
  return { cache, controller };
}

class EventDelivery implements Reconciler {
  readonly #options: PackageWatchOptions;
  readonly #cache: Informer<RawObject>;
  /** Last object delivered: tells ADDED from MODIFIED, and what DELETED was about. */
  readonly #delivered = new Map<string, RawObject>();

  constructor(options: PackageWatchOptions, cache: Informer<RawObject>) {
    this.#options = options;
    this.#cache = cache;
  }

  async reconcile(key: ObjectKey): Promise<typeof done> {
    const id = formatKey(key);
    const before = this.#delivered.get(id);
    const object = this.#cache.lister.get(key);
    if (object === undefined) {
      if (before !== undefined) await this.#deliver(ResourceEventType.Deleted, before);
      this.#delivered.delete(id);
    } else if (before !== object) {
      await this.#deliver(
        before === undefined ? ResourceEventType.Added : ResourceEventType.Modified,
        object,
      );
      this.#delivered.set(id, object);
    }
    return done;
  }

  #deliver(type: ResourceEvent['type'], object: RawObject): Promise<void> {
    return this.#options.onEvent({ meta: metaOf(this.#options.type, object), type, object: object as never });
  }
}
