/** Title case as Python's str.title does it: a letter after any non-letter goes up, all others down. */

/** `o_brien2nd` is `O_Brien2Nd`, `ALL_CAPS` is `All_Caps`. */
export function titleCase(text: string): string {
  return text.replace(/\p{Cased}+/gu, (word) => {
    const [first = '', ...others] = word;
    return first.toUpperCase() + others.join('').toLowerCase();
  });
}
