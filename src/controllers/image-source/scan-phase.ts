/** Phase: scans the repository when it is time to. A failure is remembered for Ready; the last result stays. */

import type { ImageSource, ImageSourceStatus } from '../../api/image-source.ts';
import type { Clock } from '../../clock.ts';
import { parseDuration } from '../../domain/duration.ts';
import { compileSelection, type Selection } from '../../domain/selection.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { formatTime } from '../../kube/condition.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { done, type Result, TerminalError, WaitingError } from '../../kube/result.ts';
import { isEqual } from '../../kube/status-writer.ts';
import type { RegistryClient } from '../../registry/client.ts';
import { isRegistryError, registryReason } from '../../registry/errors.ts';
import { REGISTRY_ADVICE } from '../../registry/reasons.ts';
import type { AccessReader } from '../access.ts';
import { guardScan, listRevision } from './guard.ts';
import { type ScanResult, scan } from './scan.ts';
import { knownDigests, type ScanFailure, type ScanMemory, type SourceMemory } from './scan-memory.ts';
import { toSelectionSpec } from './selection-spec.ts';

export interface ScanOptions {
  readonly registry: Pick<RegistryClient, 'collectTags' | 'headDigest'>;
  readonly access: Pick<AccessReader, 'read'>;
  readonly clock: Clock;
  readonly memory: ScanMemory;
  /** In [0, 1); spreads the scans of many sources. */
  readonly random: () => number;
}

/** After a failure the registry is asked again no sooner than this, or than it said itself. */
const RETRY_MS = 30_000;
/** Share of the interval by which a scan may come early. */
const JITTER = 0.1;

/** Why a scan is made now. */
export type ScanReason = 'FirstScan' | 'SpecChanged' | 'Requested' | 'RetryDue' | 'IntervalElapsed';

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
  return now(memory.failure === undefined ? 'IntervalElapsed' : 'RetryDue');
}

export function scanPhase(options: ScanOptions) {
  return async (
    source: ImageSource,
    draft: Draft<ImageSourceStatus>,
    context: PhaseContext,
  ): Promise<Result> => {
    const { memory, clock } = options;
    const key = formatKey(source.metadata);
    const remembered = memory.get(key);
    const before = remembered?.uid === source.metadata.uid ? remembered : undefined;
    const monotonic = clock.monotonic();
    const decision = shouldScan(source.metadata.generation, before, { ...context, monotonic });
    if (!decision.scan) return { requeueAfterMs: decision.afterMs };
    context.log.debug('scanning', { image: source.spec.image, reason: decision.reason });
    const after = guardScan(await attempt(options, source, before, context), {
      source,
      before,
      draft,
      context,
      clock,
    });
    memory.set(key, after);
    if (after.failure !== undefined) return { requeueAfterMs: after.failure.retryAt - clock.monotonic() };
    if (after.result === undefined) return done;
    recordScan(draft, after.result, context.now);
    const waitMs = (after.dueAt ?? 0) - clock.monotonic();
    draft.nextScanTime = formatTime(context.now + waitMs);
    return { requeueAfterMs: waitMs };
  };
}

async function attempt(
  options: ScanOptions,
  source: ImageSource,
  before: SourceMemory | undefined,
  context: PhaseContext,
): Promise<SourceMemory> {
  const { clock, random } = options;
  const { uid, generation } = source.metadata;
  const isSameSpec = before?.generation === generation;
  const selection = isSameSpec && before !== undefined ? before.selection : compile(source);
  const intervalMs = parseDuration(source.spec.interval);
  try {
    const result = await scanWithin(options, source, { selection, before, signal: context.signal });
    const scannedAt = clock.monotonic();
    const dueAt = scannedAt + intervalMs * (1 - JITTER * random());
    return { uid, generation, selection, result, scannedAt, dueAt };
  } catch (error) {
    const failure = failureOf(error, { now: clock.monotonic(), intervalMs });
    if (failure === undefined) throw error;
    // Edits of anything else, such as the prepull template, reach the children while the registry is down.
    const kept = isEqual(before?.selection.spec, selection.spec) ? before : undefined;
    return { ...kept, uid, generation, selection, failure };
  }
}

interface Attempt {
  readonly selection: Selection;
  readonly before: SourceMemory | undefined;
  readonly signal: AbortSignal;
}

async function scanWithin(
  { registry, access, clock }: ScanOptions,
  source: ImageSource,
  { selection, before, signal }: Attempt,
): Promise<ScanResult> {
  const { metadata, spec } = source;
  const request = {
    namespace: metadata.namespace ?? '',
    registry: selection.spec.image.registry,
    access: spec.access,
  };
  const timeout = new AbortController();
  const timer = clock.schedule(parseDuration(spec.timeout), () => {
    timeout.abort(new ScanTimeoutError(spec.image, spec.timeout));
  });
  try {
    const limited = AbortSignal.any([signal, timeout.signal]);
    return await scan({
      registry,
      access: await access.read({ ...request, signal: limited }),
      selection,
      maxTags: spec.guard.maxTags,
      known: knownDigests(source, selection, before),
      clock,
      signal: limited,
    });
  } catch (error) {
    if (timeout.signal.aborted && !signal.aborted) throw timeout.signal.reason;
    throw error;
  } finally {
    timer.cancel();
  }
}

/** Thrown when a whole scan takes longer than spec.timeout. */
class ScanTimeoutError extends Error {
  override readonly name = 'ScanTimeoutError';

  constructor(image: string, timeout: string) {
    super(`scanning ${image}: not finished within spec.timeout (${timeout})`);
  }
}

/** What the world outside has done; undefined for anything else, which is thrown on. */
function failureOf(
  error: unknown,
  { now, intervalMs }: { readonly now: number; readonly intervalMs: number },
): ScanFailure | undefined {
  const retryAt = (waitMs: number): number => now + Math.max(waitMs, Math.min(RETRY_MS, intervalMs));
  if (error instanceof WaitingError) {
    return { reason: error.reason, message: error.message, retryAt: retryAt(0) };
  }
  if (error instanceof ScanTimeoutError) {
    return { reason: 'RegistryTimeout', message: error.message, retryAt: retryAt(0) };
  }
  if (!isRegistryError(error)) return undefined;
  const reason = registryReason(error);
  const message = `${error.message}. ${REGISTRY_ADVICE[reason]}`;
  return { reason, message, retryAt: retryAt(error.retryAfterMs ?? 0) };
}

function compile(source: ImageSource): Selection {
  const compiled = compileSelection(toSelectionSpec(source.spec));
  if (compiled.ok) return compiled.value;
  const { field, message } = compiled.error;
  throw new TerminalError('InvalidPattern', `spec.${field}: ${message}`);
}

const MAX_WARNINGS = 8;

function recordScan(
  draft: Draft<ImageSourceStatus>,
  { list, plan, meter, ...result }: ScanResult,
  now: number,
): void {
  draft.lastScanTime = formatTime(now);
  draft.scan = {
    tags: list.tags.length,
    pages: list.pages,
    requests: meter.requests,
    headRequests: meter.headRequests,
    listRevision: listRevision(list.tags),
    durationMs: result.durationMs,
    hiddenByArchitecture: plan.listing.hiddenByArchitecture,
    ignored: list.junk,
    ...(result.warnings.length > 0 && { warnings: result.warnings.slice(0, MAX_WARNINGS) }),
  };
}
