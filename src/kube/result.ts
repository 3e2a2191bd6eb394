/**
 * What a reconcile may end with. This is the contract between controllers and the runtime.
 *
 * | ending                 | meaning                                | conditions                       | next pass                  |
 * | ---------------------- | -------------------------------------- | -------------------------------- | -------------------------- |
 * | `{}`                   | done; the world is as wanted           | as summarised                    | on the next event          |
 * | `{requeueAfterMs}`     | done; look again by then               | as summarised                    | then; backoff forgotten    |
 * | throws `WaitingError`  | something else must happen first       | Ready=False, Reconciling=True    | after its fixed delay      |
 * | throws `TerminalError` | a person must act                      | Ready=False, Stalled=True        | on the next event only     |
 * | throws `PostponedError`| it is not this object's turn yet       | none written                     | after its fixed delay      |
 * | throws a conflict      | our view of the object was old         | none written                     | backoff, logged at debug   |
 * | throws anything else   | it did not work this time              | Ready=False, Reconciling=True    | exponential backoff        |
 *
 * An error wins over any result: what phases before it asked for is dropped. Among results the soonest requeue wins.
 */

/** The good ending of a pass or phase. */
export interface Result {
  /** Milliseconds; absent or not positive: only events start the next pass. */
  readonly requeueAfterMs?: number | undefined;
}

/** Nothing left to do. */
export const done: Result = {};

/** The soonest requeue of all. */
export function minResult(...results: readonly Result[]): Result {
  const delays = results.map((result) => result.requeueAfterMs ?? 0).filter((delay) => delay > 0);
  return delays.length === 0 ? done : { requeueAfterMs: Math.min(...delays) };
}

/** Thrown when only a person can help: Stalled=True, no retry before the object changes. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  /** Condition reason. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Thrown when a dependency is not there yet: no failure, no backoff, another look after a fixed time. */
export class WaitingError extends Error {
  override readonly name = 'WaitingError';
  /** Condition reason, such as `DependencyNotReady`. */
  readonly reason: string;
  readonly requeueAfterMs: number;

  constructor(reason: string, message: string, requeueAfterMs: number) {
    super(message);
    this.reason = reason;
    this.requeueAfterMs = requeueAfterMs;
  }
}

/** Thrown when the object must wait for its turn, and nothing can be said of it before: a pass that is not made. */
export class PostponedError extends Error {
  override readonly name = 'PostponedError';
  readonly requeueAfterMs: number;

  constructor(requeueAfterMs: number) {
    super('postponed');
    this.requeueAfterMs = requeueAfterMs;
  }
}

/** Thrown when it did not work this time, with the words a condition shall show; retried with backoff. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  /** Condition reason. */
  readonly reason: string;
  /** No retry sooner than this, if the other side said so. */
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: string,
    message: string,
    options?: ErrorOptions & { readonly retryAfterMs?: number | undefined },
  ) {
    super(message, options);
    this.reason = reason;
    this.retryAfterMs = options?.retryAfterMs;
  }
}
