/** The cluster-wide budget: how many nodes may pull at once, and who comes next when one is done. */

export class PullSlots {
  readonly #limit: number;
  readonly #holders = new Set<string>();
  readonly #waiting = new Set<string>();

  /** `limit` nodes at most pull at the same time; 0 means no limit. */
  constructor(limit: number) {
    this.#limit = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  }

  get taken(): number {
    return this.#holders.size;
  }

  /** True if the node may start a pull pod now; otherwise it waits in line. Taking twice is harmless. */
  tryTake(node: string): boolean {
    if (!this.#holders.has(node) && this.#holders.size >= this.#limit) {
      this.#waiting.add(node);
      return false;
    }
    this.take(node);
    return true;
  }

  /** Counts a pull that runs already, such as one found at start, even above the limit. */
  take(node: string): void {
    this.#waiting.delete(node);
    this.#holders.add(node);
  }

  /** Gives the slot back, or the place in line; returns the nodes to be looked at again, first come first. */
  release(node: string): readonly string[] {
    this.#waiting.delete(node);
    if (!this.#holders.delete(node)) return [];
    const free = Math.max(0, this.#limit - this.#holders.size);
    return [...this.#waiting].slice(0, Math.min(free, this.#waiting.size));
  }
}
