/** Phase: which digest and platforms the image has. A digest in the spec needs nothing from the registry. */

import type { PrepulledImage } from '../../api/prepulled-image.ts';
import { parseDuration } from '../../domain/duration.ts';
import { formatReference, type Reference, validateReference } from '../../domain/reference.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { type ConditionUpdate, findCondition } from '../../kube/condition.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { type Result, TerminalError, WaitingError } from '../../kube/result.ts';
import { isRegistryError, type RegistryError, registryReason } from '../../registry/errors.ts';
import type { ResolvedImage } from '../../registry/image-resolver.ts';
import { REGISTRY_ADVICE } from '../../registry/reasons.ts';
import { prepulledImageType } from '../kinds.ts';
import { retryPause } from '../retry-pause.ts';
import { SilentRegistryError, wayTo } from '../silent-registries.ts';
import { wantId } from '../want.ts';
import { type AskOptions, askIfItAnswers, type Question } from './ask.ts';
import { formatBytes } from './bytes.ts';
import { describeImage } from './describe.ts';
import { tagMoved } from './events.ts';
import { isRefusal } from './refusal.ts';
import { marker, type Pass, type Status } from './status.ts';

export interface ResolveOptions extends AskOptions {
  /** The last attempt for each object; lost at a restart, which costs one request each. */
  readonly resolved: Map<string, Resolution>;
}

/** What a digest means never changes, but who may pull it does: asked no more often than this. */
const PERMISSION_MS = 1_800_000;

export interface Attempt {
  /** Of the object: a successor of the same name has been resolved by nobody. */
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  /** Monotonic milliseconds before which the registry is left alone. */
  readonly dueAt: number;
  readonly failed: boolean;
  /** Monotonic milliseconds of the last request that showed our credentials and was answered. */
  readonly permittedAt: number;
}

export interface Resolution extends Attempt {
  /** Of the registry, in a row. */
  readonly failures: number;
}

/** Why the registry is asked now; undefined while the last answer is good enough, or a failure too fresh. */
export type ResolveReason = 'FirstTime' | 'SpecChanged' | 'Requested' | 'RetryDue' | 'IntervalElapsed';

export function shouldResolve(
  { metadata }: PrepulledImage,
  last: Attempt | undefined,
  { requested, monotonic }: { readonly requested: boolean; readonly monotonic: number },
): ResolveReason | undefined {
  if (last?.uid !== metadata.uid) return 'FirstTime';
  if (last?.generation !== metadata.generation) return 'SpecChanged';
  if (requested) return 'Requested';
  if (last === undefined || monotonic < last.dueAt) return undefined;
  return last.failed ? 'RetryDue' : 'IntervalElapsed';
}

export function resolvePhase(options: ResolveOptions) {
  return async (image: PrepulledImage, draft: Draft<Status>, context: PhaseContext): Promise<Result> => {
    const id = wantId(image);
    const monotonic = options.clock.monotonic();
    const last = lastOf(image, options.resolved.get(id));
    const reason = shouldResolve(image, last, { ...context, monotonic });
    if (reason === undefined) return { requeueAfterMs: (last?.dueAt ?? monotonic) - monotonic };
    const restMs = context.requested ? 0 : restOf(options, image, draft, last);
    if (restMs > 0) return { requeueAfterMs: restMs };
    context.log.debug('resolving', { image: image.spec.image, reason });
    const resolution = await attempt(options, { image, draft, context }, pastOf(image, last, monotonic));
    options.resolved.set(id, resolution);
    return { requeueAfterMs: resolution.dueAt - options.clock.monotonic() };
  };
}

/**
 * Milliseconds for which the others are to hear first whether the registry answers. What failed is not said again; a spec of
 * which nothing was said yet is told that the registry is silent.
 * @throws PostponedError if what is stored is of another spec
 */
function restOf(
  { silent }: ResolveOptions,
  image: PrepulledImage,
  draft: Draft<Status>,
  last: Resolution | undefined,
): number {
  const way = wayTo(image);
  const { observedGeneration } = findCondition(draft, 'Resolved') ?? {};
  const isTold = observedGeneration === image.metadata.generation;
  const hasFailed = last?.failed === true && isOfSpec(image, last);
  if (hasFailed && isTold) return silent.rest(way, { hasFailed: last.failures > 0 });
  if (!isTold) silent.waitForTurn(way);
  return silent.crowd(way);
}

/** A successor of the same name has been resolved by nobody. */
function lastOf({ metadata }: PrepulledImage, known: Resolution | undefined): Resolution | undefined {
  return known?.uid === metadata.uid ? known : undefined;
}

function isOfSpec({ metadata }: PrepulledImage, { generation }: Resolution): boolean {
  return generation === metadata.generation;
}

/** What is known when an attempt begins. */
interface Past extends Pick<Resolution, 'permittedAt' | 'failures'> {
  /** The registry has told this process what it is. */
  readonly isFound: boolean;
}

/** An edit may have put right what was wrong. */
function pastOf(image: PrepulledImage, last: Resolution | undefined, monotonic: number): Past {
  const { permittedAt } = last ?? { permittedAt: monotonic };
  return last !== undefined && isOfSpec(image, last)
    ? { permittedAt, failures: last.failures, isFound: !last.failed }
    : { permittedAt, failures: 0, isFound: false };
}

async function attempt(options: ResolveOptions, pass: Pass, past: Past): Promise<Resolution> {
  const { clock } = options;
  const { image, context } = pass;
  const isStale = context.requested || clock.monotonic() - past.permittedAt >= PERMISSION_MS;
  const { retryMs, failures } = await resolve(options, pass, { ...past, isStale });
  const failed = retryMs !== undefined;
  const now = clock.monotonic();
  return {
    uid: image.metadata.uid,
    generation: image.metadata.generation,
    dueAt: now + (retryMs ?? parseDuration(image.spec.interval)),
    failed,
    failures,
    permittedAt: isStale && !failed ? now : past.permittedAt,
  };
}

interface Ended extends Pick<Resolution, 'failures'> {
  /** Undefined if the registry answered, else how long to wait before it is asked again. */
  readonly retryMs: number | undefined;
}

async function resolve(
  options: ResolveOptions,
  pass: Pass,
  past: Past & Pick<Question, 'isStale'>,
): Promise<Ended> {
  const { image, draft, context } = pass;
  const reference = parseImage(image.spec.image);
  const mark = marker(pass);
  const { isStale, isFound } = past;
  const { requested: insists, signal } = context;
  try {
    const found = await askIfItAnswers(options, image, {
      reference,
      isStale,
      isFound,
      hasFailed: past.failures > 0,
      insists,
      mark,
      signal,
    });
    announce(pass, reference, found);
    draft.image = describeImage(image, reference, found);
    draft.size = formatBytes(found.size);
    mark({ type: 'Resolved', status: 'True', ...resolvedWords(reference, found) });
    return { retryMs: undefined, failures: 0 };
  } catch (error) {
    if (!isRegistryError(error) && !(error instanceof WaitingError)) throw error;
    const ended = pauseAfter(error, image, past.failures);
    // What was found earlier is not in doubt because others wait for the registry in vain.
    if (error instanceof SilentRegistryError && isTold(pass, reference)) return ended;
    mark({ type: 'Resolved', ...unresolvedWords(image, reference, error) });
    draft.image = lastKnown(draft, reference) ?? describeImage(image, reference, undefined);
    draft.size = formatBytes(draft.image.size);
    return ended;
  }
}

/** With a digest the nodes pull all the same: what we cannot ask stays unknown, and counts as fitting and small. */
function unresolvedWords(
  image: PrepulledImage,
  { digest }: Reference,
  error: RegistryError | WaitingError,
): Pick<ConditionUpdate, 'status' | 'reason' | 'message'> {
  const isKnown = digest !== undefined;
  if (error instanceof WaitingError) {
    return { status: isKnown ? 'Unknown' : 'False', reason: error.reason, message: error.message };
  }
  const reason = registryReason(error);
  const message = `${error.message}. ${REGISTRY_ADVICE[reason]}`;
  if (!isKnown || isRefusal(image, reason)) return { status: 'False', reason, message };
  return { status: 'Unknown', reason, message: `${message} With a digest, nodes pull all the same.` };
}

/** Whether the status says already what this very reference means. */
function isTold({ image, draft }: Pass, reference: Reference): boolean {
  const { observedGeneration } = findCondition(draft, 'Resolved') ?? {};
  return (
    observedGeneration === image.metadata.generation && lastKnown(draft, reference)?.digest !== undefined
  );
}

function pauseAfter(error: RegistryError | WaitingError, { spec }: PrepulledImage, failures: number): Ended {
  // What costs the registry nothing is tried again at a fixed pace.
  if (error instanceof WaitingError) return { retryMs: error.requeueAfterMs, failures };
  if (error instanceof SilentRegistryError) return { retryMs: error.waitMs, failures };
  const pauseMs = retryPause(failures + 1, parseDuration(spec.interval));
  return { retryMs: Math.max(error.retryAfterMs ?? 0, pauseMs), failures: failures + 1 };
}

function announce({ image, draft, context }: Pass, reference: Reference, { digest }: ResolvedImage): void {
  const { digest: before, reference: named } = draft.image ?? {};
  if (reference.digest !== undefined || before === undefined || before === digest) return;
  if (named === undefined || named !== formatReference(reference)) return;
  context.events.record({ type: prepulledImageType, object: image }, tagMoved(named, before, digest));
}

function resolvedWords(
  reference: Reference,
  { digest }: ResolvedImage,
): Pick<ConditionUpdate, 'reason' | 'message'> {
  const reason = reference.digest === undefined ? 'TagResolved' : 'DigestGiven';
  return { reason, message: `${formatReference(reference)} is ${digest}` };
}

/** What was found earlier for this very reference; a registry that is down takes nothing away. */
function lastKnown({ image }: Draft<Status>, reference: Reference): Status['image'] {
  const { registry, repository, tag, digest = image?.digest } = reference;
  const asked = { registry, repository, tag, digest };
  return (Object.keys(asked) as (keyof typeof asked)[]).every((part) => image?.[part] === asked[part])
    ? image
    : undefined;
}

function parseImage(text: string): Reference {
  const reference = validateReference(text);
  if (!reference.ok) throw new TerminalError('InvalidSpec', `spec.image: ${reference.error.message}`);
  return reference.value;
}
