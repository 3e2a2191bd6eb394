/** All wants of the cluster, kept current from the PrepulledImages; an index by pull key tells who is concerned. */

import type { PrepulledImage } from '../api/prepulled-image.ts';
import {
  type Claimant,
  type NamespaceLimits,
  NO_NAMESPACE_LIMITS,
  overLimit,
} from '../domain/namespace-limits.ts';
import type { Want } from '../domain/want.ts';
import { isPending, wantId, wantOf } from './want.ts';

/** Told when the wants of one image have changed in a way that nodes must hear of. */
export type WantListener = (id: string, want: Want | undefined) => void;

interface Entry {
  readonly image: PrepulledImage;
  readonly want: Want;
  readonly text: string;
}

export class Wants {
  readonly #entries = new Map<string, Entry>();
  readonly #idsByKey = new Map<string, Set<string>>();
  readonly #pending = new Set<string>();
  readonly #listeners: WantListener[] = [];
  readonly #limits: NamespaceLimits;
  /** Wants above the limits of their namespace, by id, with the figures. */
  readonly #refused = new Map<string, string>();

  constructor(limits: NamespaceLimits = NO_NAMESPACE_LIMITS) {
    this.#limits = limits;
  }

  /** Images that will want something as soon as they are resolved for the first time. */
  get pending(): number {
    return this.#pending.size;
  }

  subscribe(listener: WantListener): void {
    this.#listeners.push(listener);
  }

  /** What nodes are to have: without what is refused. */
  list(): readonly Want[] {
    const wants = [...this.#entries.values()].map(({ want }) => want);
    return this.#refused.size === 0 ? wants : wants.filter(({ id }) => !this.#refused.has(id));
  }

  /** Why an image is not stocked although it could be: the limits of its namespace. */
  refusal(id: string): string | undefined {
    return this.#refused.get(id);
  }

  /** The PrepulledImage behind a want. */
  image(id: string): PrepulledImage | undefined {
    return this.#entries.get(id)?.image;
  }

  /** Nodes that may pull the image at the same time; undefined: it does not say. */
  limitOf(id: string): number | undefined {
    return this.#entries.get(id)?.want.maxConcurrentNodes;
  }

  /** Images that ask for this pull. */
  idsOf(key: string): ReadonlySet<string> {
    return this.#idsByKey.get(key) ?? new Set();
  }

  /** Takes in a new or changed object; changes that nodes need not hear of cost a comparison. */
  put(image: PrepulledImage): void {
    const want = wantOf(image);
    if (isPending(image)) this.#pending.add(wantId(image));
    else this.#pending.delete(wantId(image));
    if (want === undefined) this.#drop(wantId(image));
    else this.#store(image, want);
  }

  remove(image: PrepulledImage): void {
    this.#pending.delete(wantId(image));
    this.#drop(wantId(image));
  }

  #store(image: PrepulledImage, want: Want): void {
    const before = this.#entries.get(want.id);
    const text = JSON.stringify(want);
    this.#entries.set(want.id, { image, want, text });
    if (before?.text === text) return;
    this.#unindex(before?.want);
    for (const { key } of want.pulls) this.#idsByKey.set(key, new Set(this.idsOf(key)).add(want.id));
    this.#limit(want.namespace);
    this.#notify(want.id, this.#refused.has(want.id) ? undefined : want);
  }

  #drop(id: string): void {
    const before = this.#entries.get(id);
    if (before === undefined) return;
    this.#entries.delete(id);
    this.#unindex(before.want);
    this.#refused.delete(id);
    this.#limit(before.want.namespace);
    this.#notify(id, undefined);
  }

  /** Measures a namespace anew; others of its images may be in or out now. */
  #limit(namespace: string): void {
    if (this.#limits.images === Infinity && this.#limits.bytes === Infinity) return;
    const entries = [...this.#entries.values()].filter(({ want }) => want.namespace === namespace);
    const over = overLimit(entries.map(claimant), this.#limits);
    for (const { want } of entries) {
      const before = this.#refused.get(want.id);
      const message = over.get(want.id);
      if (message === before) continue;
      if (message === undefined) this.#refused.delete(want.id);
      else this.#refused.set(want.id, message);
      this.#notify(want.id, message === undefined ? want : undefined);
    }
  }

  #unindex(want: Want | undefined): void {
    for (const { key } of want?.pulls ?? []) {
      const ids = this.#idsByKey.get(key);
      ids?.delete(want?.id ?? '');
      if (ids?.size === 0) this.#idsByKey.delete(key);
    }
  }

  #notify(id: string, want: Want | undefined): void {
    for (const listener of this.#listeners) listener(id, want);
  }
}

function claimant({ image, want }: Entry): Claimant {
  const createdAt = Date.parse(image.metadata.creationTimestamp ?? '');
  return { id: want.id, createdAt: Number.isNaN(createdAt) ? Infinity : createdAt, bytes: want.sizeBytes };
}
