/** Nodes that became eligible a moment ago: an image that was ready does not stop being so because a node joined. */

export interface NewcomerQuestion {
  readonly eligible: readonly string[];
  /** Those of them that lack the image. */
  readonly missing: readonly string[];
  /** Monotonic milliseconds. */
  readonly now: number;
  /** How long a node counts as new, milliseconds. */
  readonly newForMs: number;
}

export interface Newcomer {
  /** Nodes that are new and lack the image. */
  readonly missing: number;
  /** Milliseconds until the first of them counts like any other. */
  readonly lookAfterMs?: number;
}

export class Newcomers {
  /** By image, then node: since when it is eligible. Whoever is there at the first look is not new. */
  readonly #since = new Map<string, ReadonlyMap<string, number>>();
  readonly #missing = new Map<string, number>();

  /** Takes in who is eligible now. */
  observe(image: string, { eligible, missing, now, newForMs }: NewcomerQuestion): Newcomer {
    const before = this.#since.get(image);
    const fallback = before === undefined ? Number.NEGATIVE_INFINITY : now;
    const since = new Map(eligible.map((node) => [node, before?.get(node) ?? fallback]));
    this.#since.set(image, since);
    const ages = missing.map((node) => now - (since.get(node) ?? now)).filter((age) => age < newForMs);
    this.#missing.set(image, ages.length);
    return { missing: ages.length, ...(ages.length > 0 && { lookAfterMs: newForMs - Math.max(...ages) }) };
  }

  /** As of the last look. */
  missing(image: string): number {
    return this.#missing.get(image) ?? 0;
  }

  forget(image: string): void {
    this.#since.delete(image);
    this.#missing.delete(image);
  }
}
