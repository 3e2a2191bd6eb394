/** A least-recently-used map bounded by the weight of its entries. */

interface Entry<V> {
  readonly value: V;
  readonly weight: number;
}

/** Weights are in the unit of `maxWeight`: entries by default, or bytes. */
export class BoundedCache<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #maxWeight: number;
  readonly #onDrop: (value: V) => void;
  #weight = 0;

  /** `onDrop` is told what is no longer here, for whatever reason. */
  constructor(maxWeight: number, onDrop: (value: V) => void = () => undefined) {
    this.#maxWeight = maxWeight;
    this.#onDrop = onDrop;
  }

  get size(): number {
    return this.#entries.size;
  }

  get weight(): number {
    return this.#weight;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** What is heavier than the whole cache is not kept. */
  set(key: string, value: V, weight = 1): void {
    this.delete(key);
    if (weight > this.#maxWeight) return;
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#maxWeight) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
    this.#onDrop(entry.value);
  }
}
