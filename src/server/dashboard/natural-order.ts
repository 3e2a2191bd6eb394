/** The order of names that people expect: node-2 before node-10. */

const COLLATOR = new Intl.Collator('en', { numeric: true });

/** For sort(); for people only, because it hangs on a locale. */
export function compareNaturally(left: string, right: string): number {
  return COLLATOR.compare(left, right);
}
