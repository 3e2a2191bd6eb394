/** What is known of the whole stock - wants, coverage, circuits - kept current from the caches, and who must hear of changes. */

import type { PrepulledImage } from '../api/prepulled-image.ts';
import type { Clock } from '../clock.ts';
import { Circuits, imageCircuit } from '../domain/circuits.ts';
import { Coverage } from '../domain/coverage.ts';
import type { RunSignals } from '../kube/controller.ts';
import type { Informer } from '../kube/informer.ts';
import type { Workload } from '../kube/lifecycle.ts';
import { parseKey } from '../kube/resource.ts';
import { isEqual } from '../kube/status-writer.ts';
import { Trigger } from '../kube/watch-source.ts';
import type { NodeObject } from './node.ts';
import { restoreCoverage } from './restore.ts';
import { SettleTimer } from './settle-timer.ts';
import { Wants } from './wants.ts';

export interface StockOptions {
  readonly images: Informer<PrepulledImage>;
  readonly nodes: Informer<NodeObject>;
  readonly clock: Clock;
  readonly random: () => number;
  /** `nodeStatusMaxImages` of the kubelets. */
  readonly nodeStatusMaxImages: number;
}

/** Runs with the controllers: before leading it only listens, so that a standby costs no work. */
export class Stock implements Workload {
  readonly name = 'stock';
  readonly coverage: Coverage;
  readonly circuits: Circuits;
  readonly wants = new Wants();
  /** PrepulledImages whose figures may have changed. */
  readonly imageTrigger = new Trigger('coverage');
  /** Nodes that may have something to do. */
  readonly nodeTrigger = new Trigger('wants');
  readonly #options: StockOptions;
  readonly #settle: SettleTimer;

  constructor(options: StockOptions) {
    const { images, nodes, clock, random, nodeStatusMaxImages } = options;
    this.#options = options;
    this.coverage = new Coverage({ nodeStatusMaxImages });
    this.circuits = new Circuits(random);
    this.#settle = new SettleTimer(clock, {
      isPending: () => this.wants.pending > 0,
      onSettled: () => {
        this.#fireAllNodes();
      },
    });
    images.subscribe({
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
    nodes.subscribe({
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

  /** False for a moment after wants have changed: more of them usually follow. */
  isSettled(): boolean {
    return this.#settle.isSettled;
  }

  /** Caches are synced and this replica leads: takes in what earlier leaders left, then passes changes on. */
  run({ stop }: RunSignals): Promise<void> {
    const { images, nodes, clock, random } = this.#options;
    const moment = { now: clock.now(), random };
    restoreCoverage(this.coverage, images.lister.list(), nodes.lister.list(), moment);
    this.coverage.subscribe((_node, keys) => {
      for (const key of keys) this.#fireImages(this.wants.idsOf(key));
    });
    this.wants.subscribe((id) => {
      this.coverage.clearFailures(id);
      this.circuits.reset(imageCircuit(id));
      this.#settle.touch();
      this.#fireImages([id]);
    });
    const leave = nodes.subscribe(this.#whenPlacesChange());
    return new Promise((resolve) => {
      const end = (): void => {
        leave();
        this.#settle.cancel();
        resolve();
      };
      if (stop.aborted) end();
      else stop.addEventListener('abort', end, { once: true });
    });
  }

  #whenPlacesChange(): Parameters<Informer<NodeObject>['subscribe']>[0] {
    const fire = (): void => {
      this.#fireImages(this.wants.list().map(({ id }) => id));
    };
    return {
      onAdd: fire,
      onDelete: fire,
      onUpdate: (old, node) => {
        if (!isSamePlace(old, node)) fire();
      },
    };
  }

  #fireAllNodes(): void {
    for (const { metadata } of this.#options.nodes.lister.list())
      this.nodeTrigger.fire({ name: metadata.name });
  }

  #fireImages(ids: Iterable<string>): void {
    for (const id of ids) this.imageTrigger.fire(parseKey(id));
  }
}

/** Whether the node is as eligible as before: everything but its images. */
function isSamePlace(old: NodeObject, node: NodeObject): boolean {
  return isEqual({ ...old.facts, images: [] }, { ...node.facts, images: [] });
}
