/** The controllers, one function a kind: its reconciler with what it reads, and what wakes it. */

import type { PrepulledImage } from '../api/prepulled-image.ts';
import { IMAGES_BY_RECORD } from '../controllers/docker-image-record/references.ts';
import { imageSourceReconciler } from '../controllers/image-source/controller.ts';
import { imageSourceType } from '../controllers/kinds.ts';
import type { PullPod } from '../controllers/node-stocker/pull-pod.ts';
import { prepulledImageReconciler } from '../controllers/prepulled-image/controller.ts';
import type { Controller } from '../kube/controller.ts';
import type { Workload } from '../kube/lifecycle.ts';
import { controllerOf } from '../kube/owner-reference.ts';
import { formatKey, keyOf } from '../kube/resource.ts';
import { ignoreStatusChanges, watchInformer } from '../kube/watch-source.ts';
import { type ControllerParts, createController } from './controller-parts.ts';
import { nodeStocking } from './node-stocking.ts';
import { recordKeeping } from './records.ts';

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
  return createController(parts, 'image-source', reconciler, [
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
  return createController(parts, 'prepulled-image', reconciler, [
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
  return createController(parts, 'node-stocker', nodeStocking(parts), [
    watchInformer(nodes),
    watchInformer(pods, { map: nodeOf }),
    parts.stock.nodeTrigger,
  ]);
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
