/** A visit to the registry of a source: with its credentials, within its time, and what it means if that fails. */

import type { ImageSource } from '../../api/image-source.ts';
import type { Clock } from '../../clock.ts';
import { parseDuration } from '../../domain/duration.ts';
import type { Selection } from '../../domain/selection.ts';
import { setCondition } from '../../kube/condition.ts';
import { WaitingError } from '../../kube/result.ts';
import type { RegistryClient } from '../../registry/client.ts';
import { isRegistryError, RegistryError, registryReason } from '../../registry/errors.ts';
import { newScanMeter, type ScanMeter } from '../../registry/meter.ts';
import { REGISTRY_ADVICE } from '../../registry/reasons.ts';
import type { AccessReader } from '../access.ts';
import { type CredentialWords, credentialsFound, credentialsMissing } from '../credentials-condition.ts';
import { type SilentRegistries, wayTo } from '../silent-registries.ts';
import type { Pass, RememberedPass } from './pass.ts';
import type { RegistryVisit } from './scan.ts';
import { hasFailed } from './scan-memory.ts';

export interface VisitOptions {
  readonly registry: Pick<RegistryClient, 'collectTags' | 'headDigest'>;
  readonly access: Pick<AccessReader, 'grant'>;
  readonly clock: Clock;
  readonly silent: SilentRegistries;
}

/** Share of spec.timeout that one tag may take. */
const TAG_SHARE = 3;
/** A source that waits no longer than this is no witness that the registry is silent. */
const PATIENT_MS = 30_000;

/**
 * Asks within spec.timeout; says in CredentialsReady whether the credentials were there.
 * @throws SilentRegistryError if the registry has not answered other sources; what `ask` throws
 */
export function visitRegistry<T>(
  options: VisitOptions,
  pass: RememberedPass,
  selection: Selection,
  ask: (visit: RegistryVisit) => Promise<T>,
): Promise<T> {
  const { source, context, before } = pass;
  const intervalMs = parseDuration(source.spec.interval);
  const asker = { insists: context.requested, hasFailed: hasFailed(before), intervalMs };
  return options.silent.ask(wayTo(source), asker, () => visitInTime(options, pass, selection, ask));
}

async function visitInTime<T>(
  { registry, access, clock, silent }: VisitOptions,
  { source, draft, context }: Pass,
  selection: Selection,
  ask: (visit: RegistryVisit) => Promise<T>,
): Promise<T> {
  const { metadata, spec } = source;
  const meter = newScanMeter();
  const mark = (words: CredentialWords): void => {
    setCondition(draft, words, { now: context.now, generation: metadata.generation });
  };
  const timeoutMs = parseDuration(spec.timeout);
  const timeout = new AbortController();
  const timer = clock.schedule(timeoutMs, () => {
    timeout.abort(tooSlow(source, selection, meter));
  });
  const signal = AbortSignal.any([context.signal, timeout.signal]);
  try {
    const { registry: host, repository } = selection.spec.image;
    const { namespace = '' } = metadata;
    const granted = await access.grant({
      namespace,
      registry: host,
      repository,
      access: spec.access,
      signal,
    });
    mark(credentialsFound(spec.access, granted, { pulls: spec.prepull !== undefined }));
    const tagTimeoutMs = timeoutMs / TAG_SHARE;
    return await ask({ registry, access: granted.access, selection, clock, tagTimeoutMs, meter, signal });
  } catch (error) {
    if (error instanceof WaitingError) mark(credentialsMissing(error));
    // Digests may come slowly, or from elsewhere: others are not to take the registry for silent.
    if (hasAnswered(meter)) silent.noteAnswer(wayTo(source));
    if (timeout.signal.aborted && !context.signal.aborted) throw timeout.signal.reason;
    throw error;
  } finally {
    timer.cancel();
  }
}

function hasAnswered({ pages }: ScanMeter): boolean {
  return pages > 0;
}

/** A registry of which nothing has come by then is silent, not slow. */
function tooSlow(
  { spec: { image, timeout } }: ImageSource,
  { spec: { image: repository } }: Selection,
  meter: ScanMeter,
): Error {
  const slow = new ScanTimeoutError(image, timeout);
  if (hasAnswered(meter) || parseDuration(timeout) < PATIENT_MS) return slow;
  return new RegistryError(slow.message, { code: 'TIMEOUT', registry: repository.registry });
}

/** Thrown when a whole scan takes longer than spec.timeout. */
class ScanTimeoutError extends Error {
  override readonly name = 'ScanTimeoutError';

  constructor(image: string, timeout: string) {
    super(`scanning ${image}: not finished within spec.timeout (${timeout})`);
  }
}

/** What the world outside has done, in the words of a condition. */
export interface Trouble {
  readonly reason: string;
  readonly message: string;
  /** How long the registry asked to be left alone, milliseconds. */
  readonly retryAfterMs: number;
}

/** Undefined for anything that is not the world's doing: that is thrown on. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (error instanceof WaitingError) return { reason: error.reason, message: error.message, retryAfterMs: 0 };
  if (error instanceof ScanTimeoutError) {
    return { reason: 'RegistryTimeout', message: error.message, retryAfterMs: 0 };
  }
  if (!isRegistryError(error)) return undefined;
  const reason = registryReason(error);
  const message = `${error.message}. ${REGISTRY_ADVICE[reason]}`;
  return { reason, message, retryAfterMs: error.retryAfterMs ?? 0 };
}
