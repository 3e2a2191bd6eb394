/** Asks a registry what an image is: with the credentials of the object, in time, and only if it answers at all. */

import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { Clock } from '../../clock.ts';
import { parseDuration } from '../../domain/duration.ts';
import { formatReference, type Reference } from '../../domain/reference.ts';
import { WaitingError } from '../../kube/result.ts';
import type { RegistryClient } from '../../registry/client.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { ResolvedImage } from '../../registry/image-resolver.ts';
import type { AccessReader } from '../access.ts';
import { credentialsFound, credentialsMissing } from '../credentials-condition.ts';
import { type SilentRegistries, wayTo } from '../silent-registries.ts';
import type { Mark } from './status.ts';

export interface AskOptions {
  readonly registry: Pick<RegistryClient, 'resolve' | 'headDigest'>;
  readonly access: Pick<AccessReader, 'grant'>;
  readonly clock: Clock;
  readonly silent: SilentRegistries;
}

/** One attempt takes no longer, however many answers it needs. */
const ATTEMPT_MS = 60_000;

export interface Question {
  readonly reference: Reference;
  /** Our permission was last shown so long ago that it may have been taken away. */
  readonly isStale: boolean;
  /** The registry has told this process what it is. */
  readonly isFound: boolean;
  /** The last attempt has failed by itself, not because others wait for the registry in vain. */
  readonly hasFailed: boolean;
  /** A person wants to know now. */
  readonly insists: boolean;
  readonly mark: Mark;
  readonly signal: AbortSignal;
}

/**
 * A digest that was found costs no request, and shows nothing of the registry.
 * @throws RegistryError, SilentRegistryError, WaitingError
 */
export function askIfItAnswers(
  options: AskOptions,
  image: PrepulledImage,
  question: Question,
): Promise<ResolvedImage> {
  const { isFound, hasFailed, insists, reference } = question;
  const ask = (): Promise<ResolvedImage> => askInTime(options, image, question);
  const isKnown = isFound && reference.digest !== undefined && !mustShow(image, question);
  if (isKnown) return ask();
  const intervalMs = parseDuration(image.spec.interval);
  return options.silent.ask(wayTo(image), { insists, hasFailed, intervalMs }, ask);
}

/** Whether our permission must be shown to the registry again. */
function mustShow({ spec }: PrepulledImage, { isStale }: Question): boolean {
  return isStale && namesCredentials(spec.access);
}

async function askInTime(
  options: AskOptions,
  image: PrepulledImage,
  question: Question,
): Promise<ResolvedImage> {
  const { reference, signal } = question;
  const timeout = new AbortController();
  const timer = options.clock.schedule(ATTEMPT_MS, () => {
    timeout.abort(tooSlow(reference));
  });
  try {
    return await ask(options, image, { ...question, signal: AbortSignal.any([signal, timeout.signal]) });
  } finally {
    timer.cancel();
  }
}

function tooSlow(reference: Reference): RegistryError {
  const message = `resolving ${formatReference(reference)}: not finished within ${ATTEMPT_MS / 1000} s`;
  return new RegistryError(message, { code: 'TIMEOUT', registry: reference.registry });
}

async function ask(
  { access, registry }: AskOptions,
  image: PrepulledImage,
  question: Question,
): Promise<ResolvedImage> {
  const { metadata, spec } = image;
  const { reference, mark, signal } = question;
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
  if (reference.digest !== undefined && mustShow(image, question))
    await registry.headDigest(reference, granted.access, { signal });
  return registry.resolve(reference, granted.access, { signal });
}

function namesCredentials({
  pullSecretRefs = [],
  serviceAccountName,
}: PrepulledImage['spec']['access']): boolean {
  return pullSecretRefs.length > 0 || serviceAccountName !== undefined;
}
