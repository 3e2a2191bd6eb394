/** Which of two records came first: the older one keeps a name or number that both claim. */

import { compareNames } from './sorted-names.ts';

/** The part of an object's metadata that tells its age. */
export interface Aged {
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp?: string | undefined;
  readonly uid?: string | undefined;
}

/** Negative if `left` is older. Made in the same second, the lower uid counts as older: any order will do, if it is one. */
export function compareAge(left: Aged, right: Aged): number {
  return (
    compareNames(left.creationTimestamp ?? '', right.creationTimestamp ?? '') ||
    compareNames(left.uid ?? '', right.uid ?? '')
  );
}
