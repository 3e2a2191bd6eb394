/** Orders indexes by one number each, digit by digit: a hundred thousand are in order before any two are compared. */

import type { Fold } from './fold.ts';

/** Digits of 8 bits in a double. Larger ones would be fewer, but counting them costs more than most lists are long. */
const DIGITS = 8;
const RADIX = 256;

/** Places in an array of items. */
export type Indexes = Uint32Array<ArrayBuffer>;

/**
 * The indexes in ascending order of their keys; stable. Consumes both arrays: keys are rewritten as bits that sort
 * like the numbers. Keys are never NaN. Pauses after every digit.
 */
export function* radixSort(indexes: Indexes, keys: Float64Array): Fold<Indexes> {
  makeSortable(keys);
  const bytes = new Uint8Array(keys.buffer);
  let source = indexes;
  let target = new Uint32Array(indexes.length);
  // Both platforms we build for are little-endian: the first byte of a double is its lowest digit.
  for (let digit = 0; digit < DIGITS; digit++) {
    const starts = digitStarts(source, bytes, digit);
    yield;
    // One digit in all keys: nothing would move.
    if (starts === undefined) continue;
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

/** Where each value of a digit begins in the output; undefined if there is only one value. */
function digitStarts(source: Uint32Array, bytes: Uint8Array, digit: number): Uint32Array | undefined {
  const starts = new Uint32Array(RADIX);
  let value = 0;
  for (let index = 0; index < source.length; index++) {
    value = bytes[(source[index] as number) * DIGITS + digit] as number;
    starts[value] = (starts[value] as number) + 1;
  }
  if (starts[value] === source.length) return undefined;
  let sum = 0;
  for (let next = 0; next < RADIX; next++) {
    const count = starts[next] as number;
    starts[next] = sum;
    sum += count;
  }
  return starts;
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
