/** Asks the registry itself why nodes could not pull: the kubelet gives only text, the registry a code and Retry-After. */

import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { Clock } from '../../clock.ts';
import { validateReference } from '../../domain/reference.ts';
import type { Want } from '../../domain/want.ts';
import { ApiError } from '../../kube/api-error.ts';
import { WaitingError } from '../../kube/result.ts';
import type { RegistryClient } from '../../registry/client.ts';
import { isRegistryError, type RegistryErrorCode } from '../../registry/errors.ts';
import type { AccessReader } from '../access.ts';
import type { PullFailure } from './pull-failure.ts';

export interface RegistryCheckOptions {
  readonly registry: Pick<RegistryClient, 'headDigest'>;
  readonly access: Pick<AccessReader, 'read'>;
  /** The PrepulledImage behind a want. */
  readonly image: (wantId: string) => PrepulledImage | undefined;
  readonly clock: Clock;
}

/** What the registry told us, with the credentials of the image. */
export interface RegistryVerdict extends PullFailure {
  /** How long the registry wants to be left alone, milliseconds. */
  readonly retryAfterMs?: number;
}

interface Answer {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly verdict: Promise<RegistryVerdict | undefined>;
}

/** A thousand nodes that fail with one image cost one question in this time. */
const MEMORY_MS = 30_000;
/** A node waits for the answer; it is worth no more. */
const TIMEOUT_MS = 5_000;

/** Codes that say why nobody could pull. That we cannot reach a registry says nothing of the nodes. */
const MEANING: Readonly<Partial<Record<RegistryErrorCode, Pick<PullFailure, 'class' | 'reason'>>>> = {
  UNAUTHORIZED: { class: 'Image', reason: 'PullUnauthorized' },
  DENIED: { class: 'Image', reason: 'PullUnauthorized' },
  MANIFEST_UNKNOWN: { class: 'Image', reason: 'ImageNotFound' },
  NAME_UNKNOWN: { class: 'Image', reason: 'ImageNotFound' },
  TOOMANYREQUESTS: { class: 'Registry', reason: 'RegistryThrottled' },
  UNAVAILABLE: { class: 'Registry', reason: 'RegistryUnreachableFromNode' },
};

export class RegistryCheck {
  readonly #options: RegistryCheckOptions;
  /** By want; of images that failed. */
  readonly #answers = new Map<string, Answer>();

  constructor(options: RegistryCheckOptions) {
    this.#options = options;
  }

  /** Undefined if the registry has nothing against it, or did not say. Never throws. */
  async ask(want: Want): Promise<RegistryVerdict | undefined> {
    const now = this.#options.clock.monotonic();
    for (const [id, { at }] of this.#answers) if (now - at >= MEMORY_MS) this.#answers.delete(id);
    const known = this.#answers.get(want.id);
    if (known !== undefined) return known.verdict;
    const verdict = this.#ask(want);
    this.#answers.set(want.id, { at: now, verdict });
    return verdict;
  }

  async #ask(want: Want): Promise<RegistryVerdict | undefined> {
    const { registry, access, image, clock } = this.#options;
    const object = image(want.id);
    const reference = validateReference(want.pulls[0]?.reference ?? '');
    if (object === undefined || !reference.ok) return undefined;
    const abort = new AbortController();
    const timer = clock.schedule(TIMEOUT_MS, () => {
      abort.abort(new Error('the registry takes too long to say why'));
    });
    const { signal } = abort;
    try {
      const request = { namespace: want.namespace, registry: want.host, access: object.spec.access, signal };
      await registry.headDigest(reference.value, await access.read(request), { signal });
      return undefined;
    } catch (error) {
      return verdictOf(error, signal);
    } finally {
      timer.cancel();
    }
  }
}

/** @throws what is neither the registry's word, nor a missing secret, nor an API server in trouble: a bug */
function verdictOf(error: unknown, signal: AbortSignal): RegistryVerdict | undefined {
  if (!isRegistryError(error)) {
    if (error instanceof WaitingError || error instanceof ApiError || signal.aborted) return undefined;
    throw error;
  }
  const meaning = MEANING[error.code];
  if (meaning === undefined) return undefined;
  const { message, retryAfterMs } = error;
  return { ...meaning, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
