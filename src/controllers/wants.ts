/** All wants of the cluster, kept current from the PrepulledImages; an index by pull key tells who is concerned. */

import type { PrepulledImage } from '../api/prepulled-image.ts';
import { type Claim, imageClaim } from '../domain/pull-budget.ts';
import type { Want } from '../domain/want.ts';
import { isPending, wantId, wantOf } from './want.ts';

/** Told when the wants of one image have changed in a way that nodes must hear of. */
export type WantListener = (id: string, want: Want | undefined) => void;

const IMAGE_CLAIM = imageClaim('');

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

  /** Images that will want something as soon as they are resolved for the first time. */
  get pending(): number {
    return this.#pending.size;
  }

  subscribe(listener: WantListener): void {
    this.#listeners.push(listener);
  }

  list(): readonly Want[] {
    return [...this.#entries.values()].map(({ want }) => want);
  }

  /** The PrepulledImage behind a want. */
  image(id: string): PrepulledImage | undefined {
    return this.#entries.get(id)?.image;
  }

  /** Nodes that may pull an image at the same time, by its claim on the budget; Infinity for everything else. */
  limitOf(claim: Claim): number {
    const want = claim.startsWith(IMAGE_CLAIM)
      ? this.#entries.get(claim.slice(IMAGE_CLAIM.length))?.want
      : undefined;
    return want?.maxConcurrentNodes ?? Number.POSITIVE_INFINITY;
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
    this.#notify(want.id, want);
  }

  #drop(id: string): void {
    const before = this.#entries.get(id);
    if (before === undefined) return;
    this.#entries.delete(id);
    this.#unindex(before.want);
    this.#notify(id, undefined);
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
