/** What the runtime counts, as a port; `src/server/metrics.ts` exposes it under controller-runtime's names. */

/** How a pass ended, as in `result.ts`. */
export const RECONCILE_RESULTS = [
  'success',
  'requeue_after',
  'waiting',
  'conflict',
  'error',
  'terminal',
] as const;
/** One of `RECONCILE_RESULTS`. */
export type ReconcileResult = (typeof RECONCILE_RESULTS)[number];

/** `closed` in order; `expired` 410; `stalled` cut by the watchdog; `failed` anything else. */
export const WATCH_ENDS = ['closed', 'expired', 'stalled', 'failed'] as const;
/** One of `WATCH_ENDS`. */
export type WatchEnd = (typeof WATCH_ENDS)[number];

/** One attempt of a request; retries are samples of their own. */
export interface RequestSample {
  readonly verb: string;
  /** Plural, with the subresource: `pods`, `imagesources/status`. */
  readonly resource: string;
  /** HTTP status as text, `<error>` if there was no answer. */
  readonly code: string;
  readonly seconds: number;
}

/** Called on hot paths: implementations must be quick and must not throw. Labels come from closed sets. */
export interface RuntimeMetrics {
  request(sample: RequestSample): void;
  queueAdded(queue: string, depth: number): void;
  queueStarted(queue: string, depth: number, waitedSeconds: number): void;
  queueFinished(queue: string, workedSeconds: number): void;
  queueRetried(queue: string): void;
  /** Announces a queue; `longestRunningSeconds` is asked whenever somebody looks. */
  queueCreated(queue: string, longestRunningSeconds: () => number): void;
  reconciled(controller: string, result: ReconcileResult, seconds: number): void;
  activeWorkers(controller: string, active: number, max: number): void;
  watchEnded(resource: string, end: WatchEnd): void;
  listed(resource: string, items: number): void;
  leading(lease: string, leader: boolean): void;
  handlerFailed(source: string): void;
}

/** Counts nothing; the default where no metrics are handed in. */
export const noMetrics: RuntimeMetrics = {
  request: () => undefined,
  queueAdded: () => undefined,
  queueStarted: () => undefined,
  queueFinished: () => undefined,
  queueRetried: () => undefined,
  queueCreated: () => undefined,
  reconciled: () => undefined,
  activeWorkers: () => undefined,
  watchEnded: () => undefined,
  listed: () => undefined,
  leading: () => undefined,
  handlerFailed: () => undefined,
};
