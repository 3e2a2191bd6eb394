/**
 * How many pull pods the quota of a namespace lets through, learned from its refusals: it may count other people's pods
 * as well, and is counted down only a moment after a pod has ended.
 */

interface Learned {
  limit: number;
  /** Monotonic milliseconds. */
  refusedAt: number;
  /** As many of ours were let through at the same time, and when that was last so. */
  proven: number;
  provenAt: number;
}

/** A quota that refuses sooner than this after a pod of ours was let through, or has ended, is full, not closed. */
const CLOSED_AFTER_MS = 30_000;
/** One more than was ever let through is tried no sooner than this after a refusal. */
const TRY_MORE_MS = 5_000;
/** So long a quota is taken to let through as many as it once did. */
const PROVEN_FOR_MS = 3_600_000;

export class QuotaLimits {
  readonly #learned = new Map<string, Learned>();
  /** When a pull was let through last, or has ended, monotonic milliseconds. */
  readonly #pulledAt = new Map<string, number>();

  /** Nodes that may pull for the namespace at the same time; undefined if nothing was refused. */
  limit(namespace: string): number | undefined {
    return this.#learned.get(namespace)?.limit;
  }

  /** A pod was let through; `holders` nodes pull for the namespace now. True if one more may try at once. */
  noteAdmitted(namespace: string, holders: number, monotonic: number): boolean {
    this.#pulledAt.set(namespace, monotonic);
    const learned = this.#learned.get(namespace);
    if (learned === undefined || holders < learned.limit) return false;
    const mayTryMore = monotonic - learned.refusedAt >= TRY_MORE_MS || holders < provenIn(learned, monotonic);
    if (holders >= provenIn(learned, monotonic))
      Object.assign(learned, { proven: holders, provenAt: monotonic });
    if (mayTryMore) learned.limit = holders + 1;
    return mayTryMore;
  }

  /** A pull for the namespace has ended; a quota may count it for a moment yet. May be told again. */
  noteEnded(namespace: string, monotonic: number): void {
    this.#pulledAt.set(namespace, Math.max(monotonic, this.#pulledAt.get(namespace) ?? monotonic));
  }

  /**
   * A pod was refused while `others` nodes pull for the namespace. True if there will be room when they have ended;
   * false if the quota lets nothing of ours through.
   */
  noteRefused(namespace: string, others: number, monotonic: number): boolean {
    const pulledAt = this.#pulledAt.get(namespace) ?? Number.NEGATIVE_INFINITY;
    const before = this.#learned.get(namespace);
    const isMore = before === undefined || others >= provenIn(before, monotonic);
    const { proven, provenAt } = isMore ? { proven: others, provenAt: monotonic } : before;
    this.#learned.set(namespace, { limit: Math.max(1, others), refusedAt: monotonic, proven, provenAt });
    return others > 0 || monotonic - pulledAt < CLOSED_AFTER_MS;
  }

  /** Nothing is pulled for the namespace any more: a cluster outlives many. */
  forget(namespace: string): void {
    this.#learned.delete(namespace);
    this.#pulledAt.delete(namespace);
  }
}

function provenIn({ proven, provenAt }: Learned, monotonic: number): number {
  return monotonic - provenAt < PROVEN_FOR_MS ? proven : 0;
}
