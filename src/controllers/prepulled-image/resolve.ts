/** Phase: which digest and platforms the image has. A digest in the spec needs nothing from the registry. */

import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { Clock } from '../../clock.ts';
import { parseDuration } from '../../domain/duration.ts';
import { formatReference, type Reference, validateReference } from '../../domain/reference.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { type ConditionUpdate, setCondition } from '../../kube/condition.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { type Result, TerminalError, WaitingError } from '../../kube/result.ts';
import type { RegistryClient } from '../../registry/client.ts';
import { isRegistryError, registryReason } from '../../registry/errors.ts';
import type { ResolvedImage } from '../../registry/image-resolver.ts';
import type { AccessReader } from '../access.ts';
import { credentialsFound, credentialsMissing } from '../credentials-condition.ts';
import { prepulledImageType } from '../kinds.ts';
import { wantId } from '../want.ts';
import { formatBytes } from './bytes.ts';
import { describeImage } from './describe.ts';
import { tagMoved } from './events.ts';
import { isRefusal } from './refusal.ts';
import type { Status } from './status.ts';

export interface ResolveOptions {
  readonly registry: Pick<RegistryClient, 'resolve' | 'headDigest'>;
  readonly access: Pick<AccessReader, 'grant'>;
  readonly clock: Clock;
  /** The last attempt for each object; lost at a restart, which costs one request each. */
  readonly resolved: Map<string, Attempt>;
}

/** After a failure the registry is asked again no sooner than this, or than it said itself. */
const RETRY_MS = 30_000;
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
    const { uid, generation } = image.metadata;
    const monotonic = options.clock.monotonic();
    const last = options.resolved.get(id);
    const reason = shouldResolve(image, last, { ...context, monotonic });
    if (reason === undefined) return { requeueAfterMs: (last?.dueAt ?? monotonic) - monotonic };
    context.log.debug('resolving', { image: image.spec.image, reason });
    const permittedAt = lastPermission(last, uid) ?? monotonic;
    const isStale = context.requested || monotonic - permittedAt >= PERMISSION_MS;
    const retryMs = await resolve(options, { image, draft, context }, isStale);
    const failed = retryMs !== undefined;
    const waitMs = retryMs ?? parseDuration(image.spec.interval);
    const now = options.clock.monotonic();
    const shownAt = isStale && !failed ? now : permittedAt;
    options.resolved.set(id, { uid, generation, dueAt: now + waitMs, failed, permittedAt: shownAt });
    return { requeueAfterMs: waitMs };
  };
}

function lastPermission(last: Attempt | undefined, uid: string | undefined): number | undefined {
  return last?.uid === uid ? last?.permittedAt : undefined;
}

interface Pass {
  readonly image: PrepulledImage;
  readonly draft: Draft<Status>;
  readonly context: PhaseContext;
}

/** Undefined if the registry answered, else how long to wait before it is asked again. */
async function resolve(options: ResolveOptions, pass: Pass, isStale: boolean): Promise<number | undefined> {
  const { image, draft, context } = pass;
  const reference = parseImage(image.spec.image);
  const mark = marker(image, draft, context);
  try {
    const found = await ask(options, image, { reference, isStale, mark, signal: context.signal });
    announce(pass, reference, found);
    draft.image = describeImage(image, reference, found);
    draft.size = formatBytes(found.size);
    mark({ type: 'Resolved', status: 'True', ...resolvedWords(reference, found) });
    return undefined;
  } catch (error) {
    if (!isRegistryError(error) && !(error instanceof WaitingError)) throw error;
    const reason = error instanceof WaitingError ? error.reason : registryReason(error);
    // With a digest the nodes pull all the same: what we cannot ask stays unknown, and counts as fitting and small.
    const isUnknown = reference.digest !== undefined && !isRefusal(image, reason);
    mark({ type: 'Resolved', status: isUnknown ? 'Unknown' : 'False', reason, message: error.message });
    draft.image = lastKnown(draft, reference) ?? describeImage(image, reference, undefined);
    draft.size = formatBytes(draft.image.size);
    if (error instanceof WaitingError) return error.requeueAfterMs;
    return Math.max(error.retryAfterMs ?? 0, Math.min(RETRY_MS, parseDuration(image.spec.interval)));
  }
}

interface Question {
  readonly reference: Reference;
  /** Our permission was last shown so long ago that it may have been taken away. */
  readonly isStale: boolean;
  readonly mark: Mark;
  readonly signal: AbortSignal;
}

async function ask(
  { access, registry }: ResolveOptions,
  { metadata, spec }: PrepulledImage,
  { reference, isStale, mark, signal }: Question,
): Promise<ResolvedImage> {
  const request = {
    namespace: metadata.namespace ?? '',
    registry: reference.registry,
    repository: reference.repository,
    access: spec.access,
    signal,
  };
  const granted = await access.grant(request).catch((error: unknown) => {
    if (error instanceof WaitingError) mark(credentialsMissing(error));
    throw error;
  });
  mark(credentialsFound(spec.access, granted, { pulls: true }));
  // What is known of a digest costs no request, and so shows nothing to the registry.
  if (isStale && reference.digest !== undefined && namesCredentials(spec.access))
    await registry.headDigest(reference, granted.access, { signal });
  return registry.resolve(reference, granted.access, { signal });
}

function namesCredentials({
  pullSecretRefs = [],
  serviceAccountName,
}: PrepulledImage['spec']['access']): boolean {
  return pullSecretRefs.length > 0 || serviceAccountName !== undefined;
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

type Mark = (words: ConditionUpdate) => void;

function marker(image: PrepulledImage, draft: Draft<Status>, { now }: PhaseContext): Mark {
  const moment = { now, generation: image.metadata.generation };
  return (words) => {
    setCondition(draft, words, moment);
  };
}
