/** Texts that many cached objects repeat, kept in memory once: a thousand pull pods name the same images. */

/** Old ones are forgotten then: what holds them still has them. */
const MAX_TEXTS = 10_000;

export class SharedTexts {
  readonly #texts = new Map<string, string>();

  /** An equal text; the same one as before, if it was asked for before. */
  share(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= MAX_TEXTS) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
}
