/** Names in order, for lists of which only the beginning is shown: one more or less costs no sorting. */

export class SortedNames {
  readonly #names: string[];

  /** `names` in any order, each once. */
  constructor(names: readonly string[]) {
    this.#names = names.toSorted(compareNames);
  }

  get size(): number {
    return this.#names.length;
  }

  /** Does nothing if the name is there. */
  add(name: string): void {
    const at = this.#find(name);
    if (this.#names[at] !== name) this.#names.splice(at, 0, name);
  }

  /** Does nothing if the name is not there. */
  delete(name: string): void {
    const at = this.#find(name);
    if (this.#names[at] === name) this.#names.splice(at, 1);
  }

  first(count: number): readonly string[] {
    return this.#names.slice(0, count);
  }

  /** All but the first ones. */
  after(count: number): readonly string[] {
    return this.#names.slice(count);
  }

  /** Where the name is, or belongs. */
  #find(name: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareNames(this.#names[middle] ?? '', name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** By code unit, as everywhere: the order must not hang on a locale. */
export function compareNames(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
