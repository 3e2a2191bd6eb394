/**
 * Versions of drivers, toolkits and hardware: numbers between dots, compared number by number.
 *
 *   version = 1*DIGIT *( "." 1*DIGIT )
 *
 * Missing numbers are 0 and leading zeros mean nothing: 9.2 < 10.1, 11.1 < 11.10, 440.33 = 440.33.00.
 */

/** The numbers of a version, zeros at its end left out; undefined for text that is none. */
export function parseDotted(text: string): readonly number[] | undefined {
  if (!/^[0-9]{1,15}(\.[0-9]{1,15}){0,7}$/.test(text)) return undefined;
  const numbers = text.split('.').map(Number);
  return numbers.slice(0, numbers.findLastIndex((number) => number !== 0) + 1);
}

/** Negative if `left` is lower, 0 if they are the same version. */
export function compareDotted(left: readonly number[], right: readonly number[]): number {
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
