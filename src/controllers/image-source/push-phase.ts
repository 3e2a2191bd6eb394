/** Push events between two scans: one tag is updated without reading the list again, and storms become one update. */

import type { PushedTags } from '../../domain/pushed-tags.ts';
import { formatTime } from '../../kube/condition.ts';
import { formatKey } from '../../kube/resource.ts';
import { done, type Result } from '../../kube/result.ts';
import type { Pass } from './pass.ts';
import { updateTags } from './push-update.ts';
import type { ScanResult } from './scan.ts';
import type { ScanMemory, SourceMemory } from './scan-memory.ts';
import { troubleOf, type VisitOptions, visitRegistry } from './visit.ts';

export interface PushOptions extends VisitOptions {
  readonly memory: ScanMemory;
}

/** At most one update in this time. */
const UPDATE_REST_MS = 2_000;
/** At most one scan in this time because of push events. */
const SCAN_REST_MS = 10_000;

/**
 * Takes in what was pushed since the last scan. Events that arrive while scans fail wait for the next one, which
 * answers them all.
 */
export async function takePushes(
  options: PushOptions,
  pass: Pass,
  { before, pushes }: { readonly before: SourceMemory; readonly pushes: PushedTags },
): Promise<Result> {
  const { memory, clock } = options;
  const { source, draft, context } = pass;
  const { result, failure, awaitsScan } = before;
  if (result === undefined || failure !== undefined || awaitsScan === true) return done;
  const restMs = (before.pushedAt ?? Number.NEGATIVE_INFINITY) + UPDATE_REST_MS - clock.monotonic();
  if (restMs > 0) return { requeueAfterMs: restMs };
  context.log.debug('updating pushed tags', { image: source.spec.image, pushes });
  const updated = pushes.overflow ? undefined : await update(options, pass, { before, result, pushes });
  if (updated === undefined) return askForScan(options, pass, before);
  const pushedAt = clock.monotonic();
  memory.set(formatKey(source.metadata), { ...before, result: updated, pushedAt });
  draft.lastHandledPush = pushes.revision;
  return done;
}

interface Update {
  readonly before: SourceMemory;
  readonly result: ScanResult;
  readonly pushes: PushedTags;
}

/** Undefined if the registry does not answer now. */
async function update(
  options: PushOptions,
  pass: Pass,
  { before, result, pushes }: Update,
): Promise<ScanResult | undefined> {
  const { selection } = before;
  try {
    return await visitRegistry(options, { ...pass, before }, selection, (visit) =>
      updateTags(visit, result, { pushed: pushes.tags, maxTags: pass.source.spec.guard.maxTags }),
    );
  } catch (error) {
    if (troubleOf(error) === undefined) throw error;
    return undefined;
  }
}

/** The next scan comes early; the events stay unanswered until it has been made. */
function askForScan(
  { memory, clock }: PushOptions,
  { source, draft, context }: Pass,
  before: SourceMemory,
): Result {
  const now = clock.monotonic();
  const { scannedAt = now, dueAt = now } = before;
  const earlyAt = Math.min(dueAt, Math.max(now, scannedAt + SCAN_REST_MS));
  memory.set(formatKey(source.metadata), { ...before, dueAt: earlyAt, awaitsScan: true });
  const waitMs = earlyAt - now;
  draft.nextScanTime = formatTime(context.now + waitMs);
  return { requeueAfterMs: Math.max(1, waitMs) };
}
