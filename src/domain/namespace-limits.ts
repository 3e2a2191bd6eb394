/** What one namespace may have stocked: so many images and so many bytes, the oldest first. */

import { compareNames } from './sorted-names.ts';

export interface NamespaceLimits {
  /** Infinity: any number. */
  readonly images: number;
  /** Compressed; Infinity: any number. */
  readonly bytes: number;
}

export const NO_NAMESPACE_LIMITS: NamespaceLimits = { images: Infinity, bytes: Infinity };

/** One image of the namespace. */
export interface Claimant {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Compressed; 0 if unknown. */
  readonly bytes: number;
}

/**
 * The images that are too many, by id, with the figures for people. An image that does not fit takes no room: a
 * smaller one that is younger may still fit.
 */
export function overLimit(images: readonly Claimant[], limits: NamespaceLimits): ReadonlyMap<string, string> {
  const refused = new Map<string, string>();
  let [count, bytes] = [0, 0];
  for (const image of images.toSorted(compareAge)) {
    if (count >= limits.images) {
      refused.set(image.id, `The namespace may have ${limits.images} images, and has that many older ones`);
    } else if (bytes + image.bytes > limits.bytes) {
      const figures = `${limits.bytes} bytes, older images take ${bytes}`;
      refused.set(image.id, `The namespace may have ${figures} and this one needs ${image.bytes}`);
    } else {
      count += 1;
      bytes += image.bytes;
    }
  }
  return refused;
}

function compareAge(left: Claimant, right: Claimant): number {
  return left.createdAt - right.createdAt || compareNames(left.id, right.id);
}
