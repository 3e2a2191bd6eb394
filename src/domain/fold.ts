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

/** A sorted copy; stable, like Array.prototype.sort, but in steps. */
export function* foldSort<T>(
  items: readonly T[],
  compare: (left: T, right: T) => number,
): Fold<readonly T[]> {
  let source: T[] = [];
  for (let start = 0; start < items.length; start += RUN_LENGTH) {
    const run = items.slice(start, start + RUN_LENGTH).sort(compare);
    for (const item of run) source.push(item);
    yield;
  }
  for (let width = RUN_LENGTH; width < items.length; width *= 2) {
    const target: T[] = [];
    for (let start = 0; start < items.length; start += 2 * width) {
      yield* mergeInto(target, source, { start, middle: start + width, end: start + 2 * width }, compare);
    }
    source = target;
  }
  return source;
}

/** Two neighbouring runs of one array: start..middle and middle..end (exclusive, may lie beyond the array). */
interface Runs {
  readonly start: number;
  readonly middle: number;
  readonly end: number;
}

/** Appends both runs to `target` in order; of equals, the left one first. */
function* mergeInto<T>(
  target: T[],
  source: readonly T[],
  runs: Runs,
  compare: (left: T, right: T) => number,
): Fold<undefined> {
  const middle = Math.min(runs.middle, source.length);
  const end = Math.min(runs.end, source.length);
  let left = runs.start;
  let right = middle;
  // Input is often in order already: then one comparison spares all others.
  const inOrder = middle > left && middle < end && compare(source[middle - 1] as T, source[middle] as T) <= 0;
  while (left < middle || right < end) {
    const takesLeft =
      right >= end || (left < middle && (inOrder || compare(source[left] as T, source[right] as T) <= 0));
    target.push(source[takesLeft ? left++ : right++] as T);
    if (target.length % (2 * ITEMS_PER_STEP) === 0) yield;
  }
  return undefined;
}
