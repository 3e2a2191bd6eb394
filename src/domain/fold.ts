/** Long work as a resumable fold: it pauses every few milliseconds of work, and the caller decides what to do then. */

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
  /** A number that never contradicts `compare`: looked at first, because comparing numbers is cheap. */
  readonly rank?: (item: T) => number;
}

/** A sorted copy; stable, like Array.prototype.sort, but in steps. */
export function* foldSort<T>(items: readonly T[], { compare, rank }: SortOrder<T>): Fold<readonly T[]> {
  const ranks = new Float64Array(items.length);
  if (rank !== undefined) {
    yield* foldEach(items, (item, index) => {
      ranks[index] = rank(item);
    });
  }
  const compareAt = (left: number, right: number): number =>
    (ranks[left] as number) - (ranks[right] as number) || compare(items[left] as T, items[right] as T);
  let source = Uint32Array.from(items.keys());
  for (let start = 0; start < items.length; start += RUN_LENGTH) {
    source.subarray(start, start + RUN_LENGTH).sort(compareAt);
    yield;
  }
  let target = new Uint32Array(items.length);
  for (let width = RUN_LENGTH; width < items.length; width *= 2) {
    for (let start = 0; start < items.length; start += 2 * width) {
      yield* mergeRuns(source, target, { start, middle: start + width, end: start + 2 * width }, compareAt);
    }
    [source, target] = [target, source];
  }
  return Array.from(source, (index) => items[index] as T);
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
  compareAt: (left: number, right: number) => number,
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
