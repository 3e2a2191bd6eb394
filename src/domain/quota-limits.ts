/**
 * How many pull pods the quota of a namespace lets through, learned from its refusals: it may count other people's pods
 * as well, and is counted down only a moment after a pod has ended.
 */

interface Learned {
  limit: number;
  /** Monotonic milliseconds. */
  refusedAt: number;
}

/** A quota that refuses sooner than this after it let a pod through is full, not closed. */
const CLOSED_AFTER_MS = 30_000;
/** One more than was learned is tried no sooner than this after a refusal. */
const TRY_MORE_MS = 5_000;

export class QuotaLimits {
  readonly #learned = new Map<string, Learned>();
  readonly #admittedAt = new Map<string, number>();

  /** Nodes that may pull for the namespace at the same time; undefined if nothing was refused. */
  limit(namespace: string): number | undefined {
    return this.#learned.get(namespace)?.limit;
  }

  /** A pod was let through; `holders` nodes pull for the namespace now. */
  noteAdmitted(namespace: string, holders: number, monotonic: number): void {
    this.#admittedAt.set(namespace, monotonic);
    const learned = this.#learned.get(namespace);
    if (learned === undefined || holders < learned.limit) return;
    if (monotonic - learned.refusedAt >= TRY_MORE_MS) learned.limit += 1;
  }

  /**
   * A pod was refused while `others` nodes pull for the namespace. True if there will be room when they have ended;
   * false if the quota lets nothing of ours through.
   */
  noteRefused(namespace: string, others: number, monotonic: number): boolean {
    const admittedAt = this.#admittedAt.get(namespace) ?? Number.NEGATIVE_INFINITY;
    this.#learned.set(namespace, { limit: Math.max(1, others), refusedAt: monotonic });
    return others > 0 || monotonic - admittedAt < CLOSED_AFTER_MS;
  }

  /** Nothing is pulled for the namespace any more: a cluster outlives many. */
  forget(namespace: string): void {
    this.#learned.delete(namespace);
    this.#admittedAt.delete(namespace);
  }
}
