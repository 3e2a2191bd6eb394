/** The controllers, one function a kind: its reconciler with what it reads, and what wakes it. */

import type { PrepulledImage } from '../api/prepulled-image.ts';
import type { AccessReader } from '../controllers/access.ts';
import type { CatalogueStore } from '../controllers/docker-image-record/catalogue-store.ts';
import { IMAGES_BY_RECORD } from '../controllers/docker-image-record/references.ts';
import { imageSourceReconciler } from '../controllers/image-source/controller.ts';
import type { ScanMemory } from '../controllers/image-source/scan-memory.ts';
import { imageSourceType } from '../controllers/kinds.ts';
import type { PullPod } from '../controllers/node-stocker/pull-pod.ts';
import { prepulledImageReconciler } from '../controllers/prepulled-image/controller.ts';
import type { Stock } from '../controllers/stock.ts';
import type { KubeClient } from '../kube/client.ts';
import { Controller, type Reconciler } from '../kube/controller.ts';
import type { EventWriter } from '../kube/events.ts';
import type { Workload } from '../kube/lifecycle.ts';
import { controllerOf } from '../kube/owner-reference.ts';
import { formatKey, keyOf } from '../kube/resource.ts';
import { ignoreStatusChanges, type WatchSource, watchInformer } from '../kube/watch-source.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { Caches } from './caches.ts';
import { nodeStocking } from './node-stocking.ts';
import type { Process } from './process.ts';
import { recordKeeping } from './records.ts';

export interface ControllerParts {
  readonly process: Process;
  /** Fenced by the lease. */
  readonly client: KubeClient;
  readonly registry: RegistryClient;
  readonly access: AccessReader;
  readonly events: EventWriter;
  readonly caches: Caches;
  /** What the scans have found. */
  readonly memory: ScanMemory;
  readonly stock: Stock;
  readonly catalogue: CatalogueStore;
}

/** One line a controller, in the order in which data flows. */
export function createControllers(parts: ControllerParts): readonly Workload[] {
  return [imageSource(parts), prepulledImage(parts), nodeStocker(parts), ...recordKeeping(parts)];
}

function imageSource(parts: ControllerParts): Controller {
  const { client, registry, access, process, caches, memory } = parts;
  const { sources, images } = caches;
  const reconciler = imageSourceReconciler({
    client,
    source: sources,
    registry,
    access,
    memory,
    clock: process.clock,
    random: Math.random,
    images: images.lister,
  });
  return controller(parts, 'image-source', reconciler, [
    watchInformer(sources, { predicate: ignoreStatusChanges }),
    watchInformer(images, { map: ownersOf }),
  ]);
}

function prepulledImage(parts: ControllerParts): Controller {
  const { client, registry, access, process, caches, stock } = parts;
  const { images, records } = caches;
  const reconciler = prepulledImageReconciler({
    client,
    source: images,
    registry,
    access,
    clock: process.clock,
    circuits: stock.circuits,
    index: stock.index,
    refusal: (id) => stock.wants.refusal(id),
    records: records.lister,
  });
  return controller(parts, 'prepulled-image', reconciler, [
    watchInformer(images, { predicate: ignoreStatusChanges }),
    watchInformer(records, {
      predicate: ignoreStatusChanges,
      map: (record) => images.lister.byIndex(IMAGES_BY_RECORD, formatKey(record.metadata)).map(keyOf),
    }),
    stock.imageTrigger,
  ]);
}

function nodeStocker(parts: ControllerParts): Controller {
  const { nodes, pods } = parts.caches;
  return controller(parts, 'node-stocker', nodeStocking(parts), [
    watchInformer(nodes),
    watchInformer(pods, { map: nodeOf }),
    parts.stock.nodeTrigger,
  ]);
}

/** A controller that runs as the operator's options say. */
export function controller(
  { process, events }: ControllerParts,
  name: string,
  reconciler: Reconciler,
  watches: readonly WatchSource[],
): Controller {
  const { options, clock, log, metrics } = process;
  const { workers } = options;
  return new Controller({ name, reconciler, watches, events, workers, clock, log, metrics: metrics.runtime });
}

function ownersOf(
  image: PrepulledImage,
): readonly { readonly namespace?: string | undefined; readonly name: string }[] {
  const owner = controllerOf(image);
  return owner?.kind === imageSourceType.kind
    ? [{ namespace: image.metadata.namespace, name: owner.name }]
    : [];
}

function nodeOf({ spec }: PullPod): readonly { readonly name: string }[] {
  return spec.nodeName === undefined ? [] : [{ name: spec.nodeName }];
}
