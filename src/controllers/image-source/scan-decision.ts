/** When a repository is scanned: now and why, or later. */

import type { SourceMemory } from './scan-memory.ts';

/** Why a scan is made now. */
export type ScanReason =
  | 'FirstScan'
  | 'SpecChanged'
  | 'Requested'
  | 'RetryDue'
  | 'IntervalElapsed'
  | 'PushAnnounced';

export interface ScanDecision {
  readonly scan: boolean;
  readonly reason?: ScanReason;
  /** When to look again if not now, milliseconds. */
  readonly afterMs: number;
}

export function shouldScan(
  generation: number | undefined,
  memory: SourceMemory | undefined,
  { requested, monotonic }: { readonly requested: boolean; readonly monotonic: number },
): ScanDecision {
  const now = (reason: ScanReason): ScanDecision => ({ scan: true, reason, afterMs: 0 });
  if (memory === undefined) return now('FirstScan');
  if (memory.generation !== generation) return now('SpecChanged');
  if (requested) return now('Requested');
  const dueAt = memory.failure?.retryAt ?? memory.dueAt ?? 0;
  if (monotonic < dueAt) return { scan: false, afterMs: dueAt - monotonic };
  if (memory.failure !== undefined) return now('RetryDue');
  return now(memory.awaitsScan === true ? 'PushAnnounced' : 'IntervalElapsed');
}
