/** Long work as a resumable fold: it pauses every few milliseconds of work, and the caller decides what to do then. */

import { type Indexes, radixSort } from './radix-sort.ts';

/**
 * Pure work in steps of a millisecond or two. Drive it with `runFold` where blocking is fine (command line), or call
 * `next()` and give way to the event loop whenever too much time has passed (servers).
 */
export type Fold<T> = Generator<undefined, T, undefined>;

/** Items between two pauses of a cheap loop: about a millisecond. */
export const ITEMS_PER_STEP = 1000;
/** Elements sorted in one go. */
const RUN_LENGTH = 1024;

/** Runs a fold to its end without pausing. */
export function runFold<T>(fold: Fold<T>): T {
  for (;;) {
    const step = fold.next();
    if (step.done === true) return step.value;
  }
}

/** Calls `act` for every item, pausing every `itemsPerStep`. */
export function* foldEach<T>(
  items: Iterable<T>,
  act: (item: T, index: number) => void,
  itemsPerStep = ITEMS_PER_STEP,
): Fold<undefined> {
  let index = 0;
  for (const item of items) {
    act(item, index);
    index++;
    if (index % itemsPerStep === 0) yield;
  }
  return undefined;
}

/** Compares two items by their places. */
type CompareAt = (left: number, right: number) => number;

/** How places are sorted. */
export interface PlaceOrder {
  readonly compareAt: CompareAt;
  /** Looked at first, because numbers are sorted without comparing. */
  readonly keys?: Keys;
}

/** Two numbers of every item, by its place; they never contradict the comparison. Never NaN or minus zero. */
export interface Keys {
  readonly ranks: Float64Array;
  /** Looked at where ranks are equal. */
  readonly tieRanks: Float64Array;
}

/** A sorted copy; stable, like Array.prototype.sort, but in steps. */
export function* foldSort<T>(
  items: readonly T[],
  compare: (left: T, right: T) => number,
): Fold<readonly T[]> {
  const compareAt = (left: number, right: number): number => compare(items[left] as T, items[right] as T);
  const sorted: T[] = [];
  for (const place of yield* foldOrder(items.length, { compareAt })) sorted.push(items[place] as T);
  return sorted;
}

/** The places 0 to `length` in order; of equals, the lower first. */
export function* foldOrder(length: number, { compareAt, keys }: PlaceOrder): Fold<Indexes> {
  const places = new Uint32Array(length);
  for (let index = 0; index < length; index++) places[index] = index;
  yield;
  if (keys === undefined) return yield* mergeSort(places, compareAt);
  const byTieRank = yield* radixSort(places, new Float64Array(keys.tieRanks));
  const indexes = yield* radixSort(byTieRank, new Float64Array(keys.ranks));
  yield* sortTies(indexes, keys, compareAt);
  return indexes;
}

/** Sorts every stretch of neighbours that tie, in place. */
function* sortTies(indexes: Uint32Array, { ranks, tieRanks }: Keys, compareAt: CompareAt): Fold<undefined> {
  let start = 0;
  let inStep = 0;
  for (let end = 1; end <= indexes.length; end++) {
    const first = indexes[start] as number;
    // Beyond the last there is nothing, which ties with nothing.
    const next = indexes[end] as number;
    if (ranks[first] === ranks[next] && tieRanks[first] === tieRanks[next]) continue;
    if (end - start > RUN_LENGTH) {
      indexes.set(yield* mergeSort(indexes.slice(start, end), compareAt), start);
    } else if (end - start > 1) {
      sortRun(indexes.subarray(start, end), compareAt);
    }
    inStep += end - start;
    start = end;
    if (inStep < ITEMS_PER_STEP) continue;
    inStep = 0;
    yield;
  }
  return undefined;
}

/** Sorts runs, then merges them; consumes the input. */
function* mergeSort(indexes: Indexes, compareAt: CompareAt): Fold<Indexes> {
  let source = indexes;
  for (let start = 0; start < source.length; start += RUN_LENGTH) {
    sortRun(source.subarray(start, start + RUN_LENGTH), compareAt);
    yield;
  }
  let target = new Uint32Array(source.length);
  for (let width = RUN_LENGTH; width < source.length; width *= 2) {
    for (let start = 0; start < source.length; start += 2 * width) {
      yield* mergeRuns(source, target, { start, middle: start + width, end: start + 2 * width }, compareAt);
    }
    [source, target] = [target, source];
  }
  return source;
}

/** Sorts in place; input is often in order already, and then every pair is compared once. */
function sortRun(run: Uint32Array, compareAt: CompareAt): void {
  for (let index = 1; index < run.length; index++) {
    if (compareAt(run[index - 1] as number, run[index] as number) <= 0) continue;
    run.sort(compareAt);
    return;
  }
}

/** Two neighbouring runs of one array: start..middle and middle..end (exclusive, may lie beyond the array). */
interface Runs {
  readonly start: number;
  readonly middle: number;
  readonly end: number;
}

/** Puts both runs into the same place of `target` in order; of equals, the left one first. */
function* mergeRuns(
  source: Uint32Array,
  target: Uint32Array,
  runs: Runs,
  compareAt: CompareAt,
): Fold<undefined> {
  const middle = Math.min(runs.middle, source.length);
  const end = Math.min(runs.end, source.length);
  // Input is often in order already: then one comparison spares all others.
  if (middle === end || compareAt(source[middle - 1] as number, source[middle] as number) <= 0) {
    target.set(source.subarray(runs.start, end), runs.start);
    return undefined;
  }
  let left = runs.start;
  let right = middle;
  for (let index = runs.start; index < end; index++) {
    const takesLeft =
      right >= end || (left < middle && compareAt(source[left] as number, source[right] as number) <= 0);
    target[index] = source[takesLeft ? left++ : right++] as number;
    if (index % (4 * ITEMS_PER_STEP) === 0) yield;
  }
  return undefined;
}
