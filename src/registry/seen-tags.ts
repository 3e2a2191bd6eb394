/** Which tags of a listing were seen before. Registries list in order, so usually the last one is all that must be known. */

/** One for a listing; costs no memory beyond the pages while they are in order. */
export class SeenTags {
  /** Pages so far, as long as all their tags ascend. */
  readonly #ascending: (readonly string[])[] = [];
  #last = '';
  /** Of every tag; only once the order was broken. */
  #seen: Set<string> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The tags that are new, each once. */
  add(tags: readonly string[]): readonly string[] {
    if (this.#seen === undefined && ascendsAfter(this.#last, tags)) {
      this.#ascending.push(tags);
      this.#last = tags.at(-1) ?? this.#last;
      this.#size += tags.length;
      return tags;
    }
    const seen = (this.#seen ??= new Set(this.#ascending.flat()));
    const fresh = tags.filter((tag) => !seen.has(tag) && seen.add(tag));
    this.#size = seen.size;
    return fresh;
  }
}

/** Strictly: equal neighbours would be one tag twice. */
function ascendsAfter(start: string, tags: readonly string[]): boolean {
  let last = start;
  for (const tag of tags) {
    if (tag <= last) return false;
    last = tag;
  }
  return true;
}
