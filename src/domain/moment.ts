/** One moment by two clocks. */

export interface Moment {
  /** Milliseconds since the epoch: what is written down and read by people. May jump in both directions. */
  readonly now: number;
  /** Milliseconds since an arbitrary origin: ages and pauses are counted by it, because it never jumps. */
  readonly monotonic: number;
}
