/** Which of two records came first: the older one keeps a name or number that both claim. */

/** The part of an object's metadata that tells its age. */
export interface Aged {
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp?: string | undefined;
  readonly uid?: string | undefined;
}

/** Negative if `left` is older. Made in the same second, the lower uid counts as older: any order will do, if it is one. */
export function compareAge(left: Aged, right: Aged): number {
  return (
    compareTexts(left.creationTimestamp ?? '', right.creationTimestamp ?? '') ||
    compareTexts(left.uid ?? '', right.uid ?? '')
  );
}

function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
