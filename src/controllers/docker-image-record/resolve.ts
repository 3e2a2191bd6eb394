/** Phase: what the reference means, from the registry. An answer that fails takes nothing away. */

import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import type { RecordReason } from '../../api/reasons.ts';
import type { Clock } from '../../clock.ts';
import type { Digest } from '../../domain/digest.ts';
import { parseDuration } from '../../domain/duration.ts';
import { type Reference, validateReference } from '../../domain/reference.ts';
import { backoffDelay } from '../../kube/backoff.ts';
import type { Lister } from '../../kube/cache.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { findCondition, isConditionTrue } from '../../kube/condition.ts';
import type { EventNote } from '../../kube/events.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { done, type Result, WaitingError } from '../../kube/result.ts';
import type { RegistryAccess } from '../../registry/access.ts';
import { bundleFacts } from '../../registry/bundle.ts';
import type { RegistryClient } from '../../registry/client.ts';
import { isRegistryError, type RegistryError, registryReason } from '../../registry/errors.ts';
import type { ResolvedImage } from '../../registry/image-resolver.ts';
import { isSchema1Type } from '../../registry/media-types.ts';
import { REGISTRY_ADVICE } from '../../registry/reasons.ts';
import type { AccessReader } from '../access.ts';
import { credentialsFound, credentialsMissing } from '../credentials-condition.ts';
import { dockerImageRecordType } from '../kinds.ts';
import { type SilentRegistries, SilentRegistryError, wayTo } from '../silent-registries.ts';
import { findBundle } from './bundle.ts';
import { allLabels, describeRecord, findSourceTarget } from './describe.ts';
import { findClaims } from './signing.ts';
import { type Mark, marker, type Status } from './status.ts';

export interface ResolveOptions {
  readonly registry: Pick<RegistryClient, 'headDigest' | 'resolve' | 'readBundle' | 'listReferrers'>;
  readonly access: Pick<AccessReader, 'grant'>;
  readonly clock: Clock;
  readonly records: Pick<Lister<DockerImageRecord>, 'list'>;
  /** The last attempt for each record; lost at a restart, which costs one HEAD each. */
  readonly attempts: Map<string, Attempt>;
  readonly silent: SilentRegistries;
}

/** The last time the registry was asked about one record. */
export interface Attempt {
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  /** Monotonic milliseconds before which the registry is left alone. */
  readonly dueAt: number;
  /** Failures in a row that may pass. */
  readonly failures: number;
}

/** After a failure that may pass: doubled each time, up to the interval; never sooner than the registry said itself. */
const RETRY_MS = 30_000;

export function resolvePhase(options: ResolveOptions) {
  return async (record: DockerImageRecord, draft: Draft<Status>, context: PhaseContext): Promise<Result> => {
    const reference = validateReference(record.spec.image);
    if (!reference.ok || !isConditionTrue(draft, 'Accepted')) return done;
    const { attempts, clock } = options;
    const last = lastAttempt(attempts, record);
    const restMs = context.requested ? 0 : restOf(options, record, draft, last);
    if (restMs > 0) return { requeueAfterMs: restMs };
    if (!context.requested) options.silent.waitForTurn(wayTo(record));
    const pass: Pass = { ...options, record, draft, context, reference: reference.value };
    const { waitMs, failures } = await attempt(pass, last?.failures ?? 0);
    const { uid, generation } = record.metadata;
    attempts.set(formatKey(record.metadata), {
      uid,
      generation,
      failures,
      dueAt: clock.monotonic() + waitMs,
    });
    return { requeueAfterMs: waitMs };
  };
}

/**
 * How long the registry is left alone, milliseconds; 0 for a spec of which nothing was said yet. What was found earlier is
 * not in doubt because others wait for it in vain, and what failed is not said again.
 */
function restOf(
  { silent, clock }: ResolveOptions,
  { spec, metadata }: DockerImageRecord,
  draft: Draft<Status>,
  last: Attempt | undefined,
): number {
  const isTold = findCondition(draft, 'Available')?.observedGeneration === metadata.generation;
  const { failures = 0, dueAt = Number.NEGATIVE_INFINITY } = last ?? {};
  const othersMs = isTold ? silent.rest(wayTo({ spec, metadata }), { hasFailed: failures > 0 }) : 0;
  return Math.max(dueAt - clock.monotonic(), othersMs);
}

/** For this very spec: another one is asked about at once, and so is a successor of the same name. */
function lastAttempt(
  attempts: ResolveOptions['attempts'],
  { metadata }: DockerImageRecord,
): Attempt | undefined {
  const last = attempts.get(formatKey(metadata));
  return last?.uid === metadata.uid && last?.generation === metadata.generation ? last : undefined;
}

interface Pass extends ResolveOptions {
  readonly record: DockerImageRecord;
  readonly draft: Draft<Status>;
  readonly context: PhaseContext;
  readonly reference: Reference;
}

/** How long to wait before the registry is asked again, milliseconds, and how often it has failed in a row by now. */
async function attempt(
  pass: Pass,
  failures: number,
): Promise<{ readonly waitMs: number; readonly failures: number }> {
  const { record, draft, context } = pass;
  const mark = marker(record, draft, context);
  const intervalMs = parseDuration(record.spec.interval);
  try {
    const asker = { insists: context.requested, hasFailed: failures > 0, intervalMs };
    await pass.silent.ask(wayTo(record), asker, async () => look(pass, await readAccess(pass, mark), mark));
    return { waitMs: intervalMs, failures: 0 };
  } catch (error) {
    if (error instanceof WaitingError) return { waitMs: error.requeueAfterMs, failures: 0 };
    if (!isRegistryError(error)) throw error;
    markFailure(error, mark);
    if (error instanceof SilentRegistryError) return { waitMs: error.waitMs, failures };
    // What is final is looked at again all the same: somebody may push the image.
    if (!error.temporary) return { waitMs: intervalMs, failures: 0 };
    const backoffMs = backoffDelay(failures, { baseMs: Math.min(RETRY_MS, intervalMs), maxMs: intervalMs });
    return { waitMs: Math.max(error.retryAfterMs ?? 0, backoffMs), failures: failures + 1 };
  }
}

/** @throws WaitingError if something that access names is missing */
async function readAccess({ access, record, reference, context }: Pass, mark: Mark): Promise<RegistryAccess> {
  const { spec, metadata } = record;
  const request = {
    namespace: metadata.namespace ?? '',
    registry: reference.registry,
    access: spec.access,
    signal: context.signal,
  };
  try {
    const grant = await access.grant(request);
    const { status, ...words } = credentialsFound(spec.access, grant, { pulls: spec.prepull !== undefined });
    mark('CredentialsReady', status, words);
    return grant.access;
  } catch (error) {
    if (error instanceof WaitingError) mark('CredentialsReady', 'False', credentialsMissing(error));
    throw error;
  }
}

/**
 * A HEAD tells whether anything is new; most of the time nothing is. It is no pull to registries that count pulls, a GET is.
 * An image with something missing is read again each time: its index may have been completed under the same digest.
 */
async function look(pass: Pass, granted: RegistryAccess, mark: Mark): Promise<void> {
  const { registry, record, draft, reference, context } = pass;
  const { signal } = context;
  const digest = await findDigest(pass, granted);
  if (isUpToDate(record, draft, digest)) {
    if (draft.signing?.missing !== undefined && draft.signing.missing > 0) {
      draft.signing = await findClaims(record, reference, draft.pullInfo, {
        registry,
        access: granted,
        signal,
      });
    }
    return;
  }
  const found = await registry.resolve({ ...reference, digest }, granted, { detail: 'labels', signal });
  takeOver(pass, found);
  draft.signing = await findClaims(record, reference, draft.pullInfo, { registry, access: granted, signal });
  draft.operatorBundle = await readBundle(pass, granted, found);
  const before = findCondition(draft, 'Available');
  markAvailable(found, reference, mark);
  const { reason, message = '' } = findCondition(draft, 'Available') ?? {};
  if (reason === 'PlatformsMissing' && message !== before?.message) {
    tell(record, context, { type: 'Warning', reason, message });
  }
}

/** A HEAD that finds nothing has no body to say why: only a GET tells an image that is gone from a registry in trouble. */
async function findDigest({ registry, reference, context }: Pass, granted: RegistryAccess): Promise<Digest> {
  const { signal } = context;
  try {
    return (await registry.headDigest(reference, granted, { signal })).digest;
  } catch (error) {
    if (!isRegistryError(error) || error.status !== 404) throw error;
    return (await registry.resolve(reference, granted, { detail: 'platforms', signal })).digest;
  }
}

function isUpToDate({ metadata }: DockerImageRecord, draft: Draft<Status>, digest: string): boolean {
  const available = findCondition(draft, 'Available');
  return (
    draft.image?.digest === digest &&
    available?.reason === 'ManifestFound' &&
    available.observedGeneration === metadata.generation
  );
}

function takeOver({ record, records, draft, context, reference }: Pass, found: ResolvedImage): void {
  const before = draft.image?.digest;
  const { now, log } = context;
  const isSource = record.spec.contentKind === 'Source';
  const target = isSource ? findSourceTarget(reference, records.list(record.metadata.namespace)) : undefined;
  const answer = { reference, found, now, sourceFor: target?.metadata.name };
  Object.assign(draft, describeRecord(record, draft, answer));
  const { digest = '', previousDigest, tag = '' } = draft.image ?? {};
  if (previousDigest === undefined || digest === before) return;
  log.info('tag moved', { tag, from: previousDigest, to: digest });
  const message = `Tag ${tag} moved from ${previousDigest} to ${digest}`;
  tell(record, context, { type: 'Normal', reason: 'TagMoved', message });
}

function tell(
  record: DockerImageRecord,
  { events }: PhaseContext,
  note: Omit<EventNote, 'action'> & { readonly reason: RecordReason },
): void {
  events.record({ type: dockerImageRecordType, object: record }, { ...note, action: 'Resolve' });
}

/** A bundle that cannot be read is no reason to say that the image is not there. */
async function readBundle(
  { registry, reference, draft, context }: Pass,
  access: RegistryAccess,
  found: ResolvedImage,
): Promise<Status['operatorBundle']> {
  if (bundleFacts(allLabels(found)) === undefined) return undefined;
  try {
    return await findBundle(
      { ...reference, digest: found.digest },
      { registry, access, signal: context.signal },
    );
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    context.log.warn('operator bundle not read', { err: error });
    return draft.operatorBundle;
  }
}

function markAvailable(found: ResolvedImage, { tag }: Reference, mark: Mark): void {
  const { digest, mediaType, artifactType, warnings } = found;
  if (isSchema1Type(mediaType)) {
    const message = `${digest} is Docker schema 1, which containerd no longer pulls. ${REGISTRY_ADVICE.UnsupportedMediaType}`;
    mark('Available', 'False', { reason: 'UnsupportedMediaType', message });
  } else if (artifactType !== undefined && found.platforms.length === 0) {
    const message = `${digest} is an artifact of type ${artifactType}, not an image that a node can run`;
    mark('Available', 'False', { reason: 'UnsupportedMediaType', message });
  } else if (warnings.length > 0) {
    mark('Available', 'True', { reason: 'PlatformsMissing', message: `${digest}: ${warnings.join('; ')}` });
  } else {
    const message = tag === undefined ? `The registry has ${digest}` : `${tag} is ${digest}`;
    mark('Available', 'True', { reason: 'ManifestFound', message });
  }
}

/**
 * Nothing found earlier is taken away. Refused credentials are a matter of credentials; whether the image is there,
 * nobody knows then.
 */
function markFailure(error: RegistryError, mark: Mark): void {
  const reason = registryReason(error);
  const words = { reason, message: `${error.message}. ${REGISTRY_ADVICE[reason]}` };
  const isRefused = reason === 'Unauthorized' || reason === 'Forbidden';
  if (isRefused) mark('CredentialsReady', 'False', words);
  mark('Available', isRefused ? 'Unknown' : 'False', words);
}
