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

/** How items are sorted. */
export interface SortOrder<T> {
  readonly compare: (left: T, right: T) => number;
  /** Numbers looked at first, because numbers are sorted without comparing. */
  readonly ranks?: Ranks;
}

/** Two numbers for every item, by its place; they never contradict the comparison. Never NaN or minus zero. */
export interface Ranks {
  readonly ranks: readonly number[];
  /** Looked at where ranks are equal. */
  readonly tieRanks: readonly number[];
}

/** A sorted copy; stable, like Array.prototype.sort, but in steps. */
export function* foldSort<T>(items: readonly T[], { compare, ranks }: SortOrder<T>): Fold<readonly T[]> {
  const compareAt = (left: number, right: number): number => compare(items[left] as T, items[right] as T);
  const places = new Uint32Array(items.length);
  for (let index = 0; index < places.length; index++) places[index] = index;
  const indexes =
    ranks === undefined ? yield* mergeSort(places, compareAt) : yield* rankedSort(places, ranks, compareAt);
  const sorted: T[] = [];
  for (let index = 0; index < indexes.length; index++) sorted.push(items[indexes[index] as number] as T);
  return sorted;
}

/** Sorts by the ranks, then by comparing what ties in both. */
function* rankedSort(places: Indexes, { ranks, tieRanks }: Ranks, compareAt: CompareAt): Fold<Indexes> {
  const byTieRank = yield* radixSort(places, new Float64Array(tieRanks));
  const indexes = yield* radixSort(byTieRank, new Float64Array(ranks));
  const isTie = (left: number, right: number): boolean =>
    ranks[left] === ranks[right] && tieRanks[left] === tieRanks[right];
  yield* sortTies(indexes, isTie, compareAt);
  return indexes;
}

type CompareAt = (left: number, right: number) => number;

/** Sorts every stretch of neighbours that tie, in place. */
function* sortTies(
  indexes: Uint32Array,
  isTie: (left: number, right: number) => boolean,
  compareAt: CompareAt,
): Fold<undefined> {
  let start = 0;
  let inStep = 0;
  for (let end = 1; end <= indexes.length; end++) {
    if (end < indexes.length && isTie(indexes[start] as number, indexes[end] as number)) continue;
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
