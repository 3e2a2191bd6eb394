/** What is known of the whole stock - wants, coverage, circuits - kept current from the caches, and who must hear of changes. */

import type { PrepulledImage } from '../api/prepulled-image.ts';
import type { Clock } from '../clock.ts';
import { type CircuitKey, Circuits, hostCircuit, imageCircuit } from '../domain/circuits.ts';
import { Coverage } from '../domain/coverage.ts';
import type { NamespaceLimits } from '../domain/namespace-limits.ts';
import { PullBudget } from '../domain/pull-budget.ts';
import { claimLimit, NEW_FOR_MS, type PullLimits } from '../domain/pull-claim.ts';
import { QuotaLimits } from '../domain/quota-limits.ts';
import { StockIndex } from '../domain/stock-index.ts';
import { isEqual } from '../json.ts';
import { aborted } from '../kube/aborted.ts';
import type { RunSignals } from '../kube/controller.ts';
import type { Informer, Subscriber } from '../kube/informer.ts';
import type { Workload } from '../kube/lifecycle.ts';
import { PacedTrigger } from '../kube/paced-trigger.ts';
import { parseKey } from '../kube/resource.ts';
import { Trigger } from '../kube/watch-source.ts';
import type { NodeObject } from './node.ts';
import { restoreStock } from './restore.ts';
import { SettleTimer } from './settle-timer.ts';
import { Wants } from './wants.ts';

/** Between two looks at one image: every container of a rollout would ask for one. */
const LOOK_MS = 500;

export interface StockOptions {
  readonly images: Informer<PrepulledImage>;
  readonly nodes: Informer<NodeObject>;
  readonly clock: Clock;
  readonly random: () => number;
  /** `nodeStatusMaxImages` of the kubelets. */
  readonly nodeStatusMaxImages: number;
  readonly pullLimits: Pick<PullLimits, 'slots' | 'slotsPerHost' | 'slotsPerImage'>;
  readonly namespaceLimits: NamespaceLimits;
}

/** Runs with the controllers: before leading it only listens, so that a standby costs no work. */
export class Stock implements Workload {
  readonly name = 'stock';
  readonly coverage: Coverage;
  readonly circuits: Circuits;
  readonly wants: Wants;
  readonly budget: PullBudget;
  readonly quotas = new QuotaLimits();
  /** Where every image stands; filled while this replica leads. */
  readonly index: StockIndex;
  /** PrepulledImages whose figures may have changed. */
  readonly imageTrigger: PacedTrigger;
  /** Nodes that may have something to do. */
  readonly nodeTrigger = new Trigger('wants');
  readonly #options: StockOptions;
  readonly #settle: SettleTimer;
  #isLeading = false;
  /** When the oldest node was created, milliseconds since the epoch; Infinity without nodes. */
  #oldestNode = Infinity;

  constructor(options: StockOptions) {
    const { images, nodes, clock, random, nodeStatusMaxImages } = options;
    this.#options = options;
    this.imageTrigger = new PacedTrigger('coverage', clock, LOOK_MS);
    this.wants = new Wants(options.namespaceLimits);
    this.coverage = new Coverage({ nodeStatusMaxImages });
    this.circuits = new Circuits(random);
    const limits: PullLimits = {
      ...options.pullLimits,
      ofImage: (id) => this.wants.limitOf(id),
      ofNamespace: (namespace) => this.quotas.limit(namespace),
      hasOldNodes: () => clock.now() - this.#oldestNode >= NEW_FOR_MS,
    };
    this.budget = new PullBudget((claim) => claimLimit(claim, limits));
    this.index = new StockIndex(this, () => clock.monotonic());
    this.#settle = new SettleTimer(clock, {
      isPending: () => this.wants.pending > 0,
      onSettled: () => {
        this.#fireAllNodes();
      },
    });
    images.subscribe(this.#takeInImages());
    nodes.subscribe(this.#takeInNodes());
  }

  /** False for a moment after wants have changed: more of them usually follow. */
  isSettled(): boolean {
    return this.#settle.isSettled;
  }

  /** Pairs of image and node over all images, for metrics; undefined while another replica leads. */
  totals(): ReturnType<StockIndex['totals']> | undefined {
    return this.#isLeading ? this.index.totals() : undefined;
  }

  /** Caches are synced and this replica leads: takes in what earlier leaders left, then passes changes on. */
  async run({ stop }: RunSignals): Promise<void> {
    this.#restore();
    this.#isLeading = true;
    this.#fillIndex();
    const leave = this.#passChangesOn();
    await aborted(stop);
    leave();
    this.#isLeading = false;
    this.#settle.cancel();
  }

  #takeInImages(): Subscriber<PrepulledImage> {
    return {
      onAdd: (image) => {
        this.wants.put(image);
      },
      onUpdate: (_old, image) => {
        this.wants.put(image);
      },
      onDelete: (image) => {
        this.wants.remove(image);
      },
    };
  }

  #takeInNodes(): Subscriber<NodeObject> {
    return {
      onAdd: (node) => {
        this.#oldestNode = Math.min(this.#oldestNode, createdAt(node));
        this.coverage.observeNode(node.facts);
      },
      onUpdate: (_old, { facts }) => {
        this.coverage.observeNode(facts);
      },
      onDelete: (node) => {
        if (createdAt(node) <= this.#oldestNode)
          this.#oldestNode = Math.min(Infinity, ...this.#nodes().map(createdAt));
        this.coverage.removeNode(node.facts.name);
      },
    };
  }

  #nodes(): readonly NodeObject[] {
    return this.#options.nodes.lister.list();
  }

  #restore(): void {
    const { images, clock, random } = this.#options;
    const moment = { now: clock.now(), monotonic: clock.monotonic(), random };
    restoreStock(this, images.lister.list(), this.#nodes(), moment);
  }

  #fillIndex(): void {
    const { clock } = this.#options;
    for (const { facts } of this.#nodes()) this.index.putNode(facts);
    for (const want of this.wants.list()) this.index.putWant(want);
    for (const node of this.#nodes())
      this.index.noteAge(node.facts.name, Math.abs(clock.now() - createdAt(node)));
  }

  /** Returns the way out of what would bring more. */
  #passChangesOn(): () => void {
    this.coverage.subscribe((node, keys) => {
      for (const key of keys) this.#learn(node, this.wants.idsOf(key));
    });
    this.circuits.subscribe((key, isOpen) => {
      this.#fireImages(this.#heldBackBy(key));
      // Whoever it kept waiting may begin.
      if (!isOpen) this.#fireAllNodes();
    });
    this.wants.subscribe((id, want) => {
      this.coverage.clearFailures(id);
      this.circuits.reset(imageCircuit(id));
      if (want === undefined) this.#drop(id);
      else this.index.putWant(want);
      this.#settle.touch();
      this.#fireImages([id]);
    });
    // What nodes report has been taken into the coverage before this.
    return this.#options.nodes.subscribe({
      onAdd: ({ facts }) => {
        this.#fireImages(this.index.putNode(facts));
      },
      onDelete: ({ facts }) => {
        this.#fireImages(this.index.removeNode(facts.name));
      },
      onUpdate: (old, node) => {
        const changed = this.index.putNode(node.facts);
        // Somewhere else the same state may have another reason, such as a taint instead of a cordon.
        this.#fireImages(changed);
        if (!isSamePlace(old, node)) this.#fireImages(this.index.imagesOf(node.facts.name));
      },
    });
  }

  #learn(node: string, ids: Iterable<string>): void {
    for (const id of ids) this.index.touch(node, id);
    this.#fireImages(ids);
  }

  /** The last image of a namespace or a registry takes along what is kept of these: a cluster outlives many. */
  #drop(id: string): void {
    this.index.removeWant(id);
    const { namespace = '' } = parseKey(id);
    const left = this.wants.list();
    if (left.every((want) => want.namespace !== namespace)) {
      this.budget.forgetNamespace(namespace);
      this.quotas.forget(namespace);
    }
    this.circuits.keepHosts(new Set(left.map(({ host }) => host)));
  }

  #heldBackBy(key: CircuitKey): readonly string[] {
    const held = this.wants
      .list()
      .filter(({ id, host }) => imageCircuit(id) === key || hostCircuit(host) === key);
    return held.map(({ id }) => id);
  }

  #fireAllNodes(): void {
    for (const { metadata } of this.#nodes()) this.nodeTrigger.fire({ name: metadata.name });
  }

  #fireImages(ids: Iterable<string>): void {
    for (const id of ids) this.imageTrigger.fire(parseKey(id));
  }
}

/** Infinity if the node does not say. */
function createdAt({ metadata }: NodeObject): number {
  const time = Date.parse(metadata.creationTimestamp ?? '');
  return Number.isNaN(time) ? Infinity : time;
}

/** Whether the node is as eligible as before: everything but its images. */
function isSamePlace(old: NodeObject, node: NodeObject): boolean {
  return isEqual({ ...old.facts, images: [] }, { ...node.facts, images: [] });
}
