/** Phase: scans the repository when it is time to. A failure is remembered for Ready; the last result stays. */

import { ANNOTATIONS } from '../../api/group-version.ts';
import type { ImageSource, ImageSourceStatus } from '../../api/image-source.ts';
import type { Digest } from '../../domain/digest.ts';
import { parseDuration } from '../../domain/duration.ts';
import { type PushedTags, unansweredPushes } from '../../domain/pushed-tags.ts';
import { compileSelection, type Selection } from '../../domain/selection.ts';
import { isEqual } from '../../json.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { formatTime } from '../../kube/condition.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { done, minResult, type Result, TerminalError } from '../../kube/result.ts';
import { retryPause } from '../retry-pause.ts';
import { SilentRegistryError, wayTo } from '../silent-registries.ts';
import { guardScan, listRevision } from './guard.ts';
import type { Pass } from './pass.ts';
import { type PushOptions, takePushes } from './push-phase.ts';
import { type ScanResult, scan } from './scan.ts';
import { shouldScan } from './scan-decision.ts';
import { hasFailed, knownDigests, type SourceMemory } from './scan-memory.ts';
import { toSelectionSpec } from './selection-spec.ts';
import { troubleOf, visitRegistry } from './visit.ts';

export interface ScanOptions extends PushOptions {
  /** In [0, 1); spreads the scans of many sources. */
  readonly random: () => number;
}

/** Share of the interval by which a scan may come early. */
const JITTER = 0.1;

export function scanPhase(options: ScanOptions) {
  return async (
    source: ImageSource,
    draft: Draft<ImageSourceStatus>,
    context: PhaseContext,
  ): Promise<Result> => {
    const remembered = options.memory.get(formatKey(source.metadata));
    const before = remembered?.uid === source.metadata.uid ? remembered : undefined;
    return scanOrUpdate(options, { source, draft, context }, before);
  };
}

async function scanOrUpdate(
  options: ScanOptions,
  pass: Pass,
  before: SourceMemory | undefined,
): Promise<Result> {
  const { source, draft, context } = pass;
  const { annotations, generation } = source.metadata;
  const pushes = unansweredPushes(annotations?.[ANNOTATIONS.pushedTags], draft.lastHandledPush);
  const decision = shouldScan(generation, before, { ...context, monotonic: options.clock.monotonic() });
  if (decision.scan) {
    const restMs = context.requested ? 0 : restOf(options, source, before);
    if (restMs > 0) return { requeueAfterMs: restMs };
    if (!context.requested) options.silent.waitForTurn(wayTo(source));
    context.log.debug('scanning', { image: source.spec.image, reason: decision.reason });
    return wholeScan(options, pass, before, pushes);
  }
  const pushed =
    before === undefined || pushes === undefined ? done : await takePushes(options, pass, { before, pushes });
  return minResult({ requeueAfterMs: decision.afterMs }, pushed);
}

/**
 * Milliseconds; 0 for a spec of which nothing was said yet. What was found earlier is not in doubt because others wait for
 * the registry in vain, and what failed is not said again.
 */
function restOf({ silent }: ScanOptions, source: ImageSource, before: SourceMemory | undefined): number {
  if (before?.generation !== source.metadata.generation) return 0;
  return silent.rest(wayTo(source), { hasFailed: hasFailed(before) });
}

async function wholeScan(
  options: ScanOptions,
  pass: Pass,
  before: SourceMemory | undefined,
  pushes: PushedTags | undefined,
): Promise<Result> {
  const { memory, clock } = options;
  const { source, draft, context } = pass;
  // A spec that cannot be scanned throws, and has no next scan.
  draft.nextScanTime = undefined;
  const scanned = await attempt(options, pass, before, pushes);
  const after = guardScan(scanned, { source, before, draft, context, clock });
  memory.set(formatKey(source.metadata), after);
  const dueAt = after.failure?.retryAt ?? after.dueAt ?? clock.monotonic();
  const waitMs = Math.max(1, dueAt - clock.monotonic());
  draft.nextScanTime = formatTime(context.now + waitMs);
  if (after.failure === undefined && after.result !== undefined) {
    recordScan(draft, after.result, context.now);
    if (pushes !== undefined) draft.lastHandledPush = pushes.revision;
  } else if (after.failure?.notAsked !== true) draft.failedScans = (draft.failedScans ?? 0) + 1;
  return { requeueAfterMs: waitMs };
}

async function attempt(
  options: ScanOptions,
  pass: Pass,
  before: SourceMemory | undefined,
  pushes: PushedTags | undefined,
): Promise<SourceMemory> {
  const { clock } = options;
  const { source, draft } = pass;
  const { uid, generation } = source.metadata;
  const isSameSpec = before?.generation === generation;
  const selection = isSameSpec && before !== undefined ? before.selection : compile(source);
  const intervalMs = parseDuration(source.spec.interval);
  const learned = new Map<string, Digest>();
  try {
    const result = await visitRegistry(options, { ...pass, before }, selection, (visit) =>
      scan({
        ...visit,
        maxTags: source.spec.guard.maxTags,
        known: knownDigests(source, selection, before),
        learned,
        pushed: new Set([...(pushes?.tags ?? []), ...(before?.result?.failed ?? [])].map(({ tag }) => tag)),
        pushedMore: pushes?.overflow === true,
      }),
    );
    return succeed(options, { uid, generation, selection, result }, { before, intervalMs });
  } catch (error) {
    const trouble = troubleOf(error);
    if (trouble === undefined) throw error;
    const notAsked = error instanceof SilentRegistryError;
    const pauseMs = notAsked ? error.waitMs : retryPause((draft.failedScans ?? 0) + 1, intervalMs);
    const { reason, message, retryAfterMs } = trouble;
    const retryAt = clock.monotonic() + Math.max(retryAfterMs, pauseMs);
    const failure = { reason, message, retryAt, ...(notAsked && { notAsked }) };
    return { ...remainder(before, selection, learned), uid, generation, selection, failure };
  }
}

/** What of the past stays after an attempt that failed. */
function remainder(
  before: SourceMemory | undefined,
  { spec }: Selection,
  learned: ReadonlyMap<string, Digest>,
): Partial<SourceMemory> {
  const isSameImage = isEqual(before?.selection.spec.image, spec.image);
  const earlier = isSameImage ? before?.learned : undefined;
  // Edits of anything else, such as the prepull template, reach the children while the registry is down.
  const kept = isEqual(before?.selection.spec, spec) ? before : undefined;
  return { ...kept, learned: new Map([...(earlier ?? []), ...learned]) };
}

type Scanned = Pick<SourceMemory, 'uid' | 'generation' | 'selection'> & { readonly result: ScanResult };

/** Digests that could not be asked for bring the next scan forward, later and later. */
function succeed(
  { clock, random }: ScanOptions,
  scanned: Scanned,
  { before, intervalMs }: { readonly before: SourceMemory | undefined; readonly intervalMs: number },
): SourceMemory {
  const scannedAt = clock.monotonic();
  const restMs = intervalMs * (1 - JITTER * random());
  const remembered = {
    ...scanned,
    scannedAt,
    ...(before?.published !== undefined && { published: before.published }),
  };
  if (scanned.result.failed.length === 0) return { ...remembered, dueAt: scannedAt + restMs };
  const incompleteScans = (before?.incompleteScans ?? 0) + 1;
  const dueAt = scannedAt + Math.min(restMs, retryPause(incompleteScans, intervalMs));
  return { ...remembered, incompleteScans, dueAt };
}

function compile(source: ImageSource): Selection {
  const compiled = compileSelection(toSelectionSpec(source.spec));
  if (compiled.ok) return compiled.value;
  const { field, message, position } = compiled.error;
  throw new TerminalError('InvalidPattern', `spec.${field}: ${message} (at position ${position})`);
}

const MAX_WARNINGS = 8;

function recordScan(
  draft: Draft<ImageSourceStatus>,
  { list, plan, meter, ...result }: ScanResult,
  now: number,
): void {
  draft.lastScanTime = formatTime(now);
  draft.failedScans = undefined;
  draft.scan = {
    tags: list.tags.length,
    pages: list.pages,
    requests: meter.requests,
    headRequests: meter.headRequests,
    listRevision: listRevision(list.tags),
    durationMs: result.durationMs,
    hiddenByArchitecture: plan.listing.hiddenByArchitecture,
    ...(plan.listing.hiddenByCycle > 0 && { hiddenByCycle: plan.listing.hiddenByCycle }),
    ignored: list.junk,
    ...(result.failed.length > 0 && { failedDigests: result.failed.length }),
    ...(result.warnings.length > 0 && { warnings: result.warnings.slice(0, MAX_WARNINGS) }),
  };
}
