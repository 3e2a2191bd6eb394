/** Orders indexes by one number each, digit by digit: a hundred thousand are in order before any two are compared. */

import type { Fold } from './fold.ts';

/** Digits of 8 bits in a double. Larger ones would be fewer, but counting them costs more than most lists are long. */
const DIGITS = 8;
const RADIX = 256;
const BYTES_PER_STEP = 2 ** 20;

/** Places in an array of items. */
export type Indexes = Uint32Array<ArrayBuffer>;

/**
 * The indexes in ascending order of their keys; stable. Consumes both arrays: keys are rewritten as bits that sort
 * like the numbers. Keys are never NaN. Pauses in between.
 */
export function* radixSort(indexes: Indexes, keys: Float64Array): Fold<Indexes> {
  makeSortable(keys);
  yield;
  const bytes = new Uint8Array(keys.buffer);
  let source = indexes;
  let target = new Uint32Array(indexes.length);
  // Both platforms we build for are little-endian: the first byte of a double is its lowest digit.
  const counts = yield* countDigits(bytes);
  for (let digit = 0; digit < DIGITS; digit++) {
    const starts = counts.subarray(digit * RADIX, (digit + 1) * RADIX);
    // One digit in all keys: nothing would move.
    if (starts.includes(keys.length)) continue;
    toStarts(starts);
    scatter(source, target, { bytes, digit, starts });
    [source, target] = [target, source];
    yield;
  }
  return source;
}

/** Flips negative numbers as a whole and the sign of others: then the bits compare like the numbers. */
function makeSortable(keys: Float64Array): void {
  const halves = new Int32Array(keys.buffer);
  for (let low = 0; low < halves.length; low += 2) {
    const high = halves[low + 1] as number;
    // All ones below zero, else only the sign.
    const mask = high >> 31;
    halves[low] = (halves[low] as number) ^ mask;
    halves[low + 1] = high ^ (mask | 0x8000_0000);
  }
}

/** How often each value occurs, for every digit, in one go through memory; pauses every few milliseconds. */
function* countDigits(bytes: Uint8Array): Fold<Uint32Array> {
  const counts = new Uint32Array(DIGITS * RADIX);
  for (let start = 0; start < bytes.length; start += BYTES_PER_STEP) {
    const end = Math.min(bytes.length, start + BYTES_PER_STEP);
    for (let index = start; index < end; index++) {
      const slot = (index % DIGITS) * RADIX + (bytes[index] as number);
      counts[slot] = (counts[slot] as number) + 1;
    }
    yield;
  }
  return counts;
}

/** Turns counts of values into the places where they begin. */
function toStarts(counts: Uint32Array): void {
  let sum = 0;
  for (let value = 0; value < RADIX; value++) {
    const count = counts[value] as number;
    counts[value] = sum;
    sum += count;
  }
}

interface Digit {
  readonly bytes: Uint8Array;
  readonly digit: number;
  readonly starts: Uint32Array;
}

function scatter(source: Uint32Array, target: Uint32Array, { bytes, digit, starts }: Digit): void {
  for (let index = 0; index < source.length; index++) {
    const item = source[index] as number;
    const value = bytes[item * DIGITS + digit] as number;
    const place = starts[value] as number;
    target[place] = item;
    starts[value] = place + 1;
  }
}
