/** What is known of the whole stock - wants and coverage - kept current from the caches, and who must hear of changes. */

import type { PrepulledImage } from '../api/prepulled-image.ts';
import { Coverage } from '../domain/coverage.ts';
import type { RunSignals } from '../kube/controller.ts';
import type { Informer } from '../kube/informer.ts';
import type { Workload } from '../kube/lifecycle.ts';
import { parseKey } from '../kube/resource.ts';
import { isEqual } from '../kube/status-writer.ts';
import { Trigger } from '../kube/watch-source.ts';
import type { NodeObject } from './node.ts';
import { restoreCoverage } from './restore.ts';
import { Wants } from './wants.ts';

export interface StockCaches {
  readonly images: Informer<PrepulledImage>;
  readonly nodes: Informer<NodeObject>;
}

/** Runs with the controllers: before leading it only listens, so that a standby costs no work. */
export class Stock implements Workload {
  readonly name = 'stock';
  readonly coverage = new Coverage();
  readonly wants = new Wants();
  /** PrepulledImages whose figures may have changed. */
  readonly imageTrigger = new Trigger('coverage');
  /** Nodes that may have something to do. */
  readonly nodeTrigger = new Trigger('wants');
  readonly #caches: StockCaches;

  constructor(caches: StockCaches) {
    this.#caches = caches;
    caches.images.subscribe({
      onAdd: (image) => {
        this.wants.put(image);
      },
      onUpdate: (_old, image) => {
        this.wants.put(image);
      },
      onDelete: (image) => {
        this.wants.remove(image);
      },
    });
    caches.nodes.subscribe({
      onAdd: ({ facts }) => {
        this.coverage.observeNode(facts);
      },
      onUpdate: (_old, { facts }) => {
        this.coverage.observeNode(facts);
      },
      onDelete: ({ facts }) => {
        this.coverage.removeNode(facts.name);
      },
    });
  }

  /** Caches are synced and this replica leads: takes in what earlier leaders left, then passes changes on. */
  run({ stop }: RunSignals): Promise<void> {
    const { images, nodes } = this.#caches;
    restoreCoverage(this.coverage, images.lister.list(), nodes.lister.list());
    this.coverage.subscribe((_node, keys) => {
      for (const key of keys) this.#fireImages(this.wants.idsOf(key));
    });
    this.wants.subscribe((id) => {
      this.coverage.clearFailures(id);
      for (const { metadata } of nodes.lister.list()) this.nodeTrigger.fire({ name: metadata.name });
      this.#fireImages([id]);
    });
    nodes.subscribe({
      onUpdate: (old, node) => {
        if (!isSamePlace(old, node)) this.#fireAllImages();
      },
      onDelete: () => {
        this.#fireAllImages();
      },
      onAdd: () => {
        this.#fireAllImages();
      },
    });
    return new Promise((resolve) => {
      if (stop.aborted) resolve();
      else
        stop.addEventListener(
          'abort',
          () => {
            resolve();
          },
          { once: true },
        );
    });
  }

  #fireAllImages(): void {
    this.#fireImages(this.wants.list().map(({ id }) => id));
  }

  #fireImages(ids: Iterable<string>): void {
    for (const id of ids) this.imageTrigger.fire(parseKey(id));
  }
}

/** Whether the node is as eligible as before: everything but its images. */
function isSamePlace(old: NodeObject, node: NodeObject): boolean {
  return isEqual({ ...old.facts, images: [] }, { ...node.facts, images: [] });
}
