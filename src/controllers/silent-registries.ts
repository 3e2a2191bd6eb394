/**
 * Registries that do not answer. What one object has waited for in vain, the others do not wait for: every attempt holds
 * a worker until its deadline, and objects of other registries stand in line behind it. Each kind learns for itself: a
 * registry that lists its tags slowly may tell a digest at once.
 */

import type { Access } from '../api/access.ts';
import type { Clock } from '../clock.ts';
import { PostponedError } from '../kube/result.ts';
import { isRegistryError, RegistryError } from '../registry/errors.ts';
import { retryPause } from './retry-pause.ts';

/** Objects that may ask a registry at once of which nobody knows yet whether it answers. */
const MAX_STRANGERS = 4;
/** For the others, milliseconds: at first, and at most, for each look of each of them costs a pass. */
const STRANGER_MS = 100;
const MAX_STRANGER_MS = 5_000;
/** For those that wait for the one that tries again. */
const TRIAL_MS = 5_000;
/** A timer may be early by this. */
const EARLY_MS = 1;
const MAX_REMEMBERED = 1_000;

/** Thrown in place of asking a registry that has not answered others. */
export class SilentRegistryError extends RegistryError {
  /** When to come back, milliseconds. */
  readonly waitMs: number;

  constructor({ message, code, registry, cause }: RegistryError, waitMs: number) {
    super(`not asked, because the registry did not answer a moment ago: ${message}`, {
      code,
      registry,
      cause,
    });
    this.waitMs = waitMs;
  }
}

/** An object whose `spec.image` begins with the name of a registry. */
export interface RegistryVisitor {
  readonly metadata: { readonly namespace?: string | undefined };
  readonly spec: { readonly image: string; readonly access: Access };
}

/** Objects that reach the same registry in the same way learn from each other whether it answers. */
export function wayTo({ metadata, spec }: RegistryVisitor): string {
  const { plainHTTP, caBundleRef, clientCertSecretRef, proxySecretRef } = spec.access;
  const own = [caBundleRef, clientCertSecretRef, proxySecretRef].filter((ref) => ref !== undefined);
  const [registry] = spec.image.split('/', 1);
  return JSON.stringify([registry, plainHTTP, ...(own.length > 0 ? [metadata.namespace, own] : [])]);
}

/** Who asks. */
export interface Asker {
  /** A person wants to know now. */
  readonly insists: boolean;
  /**
   * Its last question failed. Where some repositories of a registry never answer, such as mirrors of another one, those
   * would try for all again and again: who has not failed itself comes first.
   */
  readonly hasFailed: boolean;
  /** Its `spec.interval`: how long a silence lasts, before one tries again, follows from it. */
  readonly intervalMs: number;
}

interface Silence {
  readonly error: RegistryError;
  /** Monotonic milliseconds from which one may try again. */
  readonly until: number;
}

interface Registry {
  asking: number;
  /** Monotonic milliseconds since when somebody is asking without a break. */
  askingSince: number;
  /** Monotonic milliseconds. */
  answeredAt: number | undefined;
  silence: Silence | undefined;
}

export class SilentRegistries {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** By registry and way to it. */
  readonly #registries = new Map<string, Registry>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Milliseconds to wait before a registry that nobody knows is asked; 0: no longer. */
  crowd(key: string): number {
    const { asking, askingSince, answeredAt, silence } = this.#registries.get(key) ?? unknown();
    if (answeredAt !== undefined || silence !== undefined || asking < MAX_STRANGERS) return 0;
    const elapsedMs = this.#clock.monotonic() - askingSince;
    return Math.min(Math.max(elapsedMs, STRANGER_MS), MAX_STRANGER_MS);
  }

  /** @throws PostponedError while enough others ask a registry that nobody knows: of this object nothing was said yet */
  waitForTurn(key: string): void {
    const crowdMs = this.crowd(key);
    if (crowdMs > 0) throw new PostponedError(crowdMs);
  }

  /** Milliseconds to leave a registry alone that has not answered others, or that nobody knows; 0: it may be asked. */
  rest(key: string, asker: Pick<Asker, 'hasFailed'>): number {
    return Math.max(this.crowd(key), this.#rest(this.#registries.get(key) ?? unknown(), asker));
  }

  /** It has answered, although not all that it was asked. */
  noteAnswer(key: string): void {
    const registry = this.#registries.get(key);
    if (registry !== undefined) this.#noteAnswer(registry);
  }

  /**
   * Asks, unless the registry is silent and nobody insists.
   * @throws SilentRegistryError if it was not asked; what `question` throws
   */
  async ask<T>(key: string, asker: Asker, question: () => Promise<T>): Promise<T> {
    const registry = this.#registries.get(key) ?? unknown();
    this.#remember(key, registry);
    const { silence } = registry;
    const { intervalMs } = asker;
    const restMs = this.#mayInsist(registry, asker) ? 0 : this.#rest(registry, asker);
    if (silence !== undefined && restMs > 0) throw new SilentRegistryError(silence.error, restMs);
    const since = this.#clock.monotonic();
    if (registry.asking === 0) registry.askingSince = since;
    registry.asking += 1;
    try {
      const answer = await question();
      this.#noteAnswer(registry);
      return answer;
    } catch (error) {
      if (isRegistryError(error)) this.#noteError(registry, error, { since, intervalMs });
      throw error;
    } finally {
      registry.asking -= 1;
    }
  }

  /** Somebody may annotate every object at once. */
  #mayInsist({ asking }: Registry, { insists }: Asker): boolean {
    return insists && asking < MAX_STRANGERS;
  }

  #rest({ asking, silence }: Registry, { hasFailed }: Pick<Asker, 'hasFailed'>): number {
    if (silence === undefined) return 0;
    const restMs = silence.until + (hasFailed ? TRIAL_MS : 0) - this.#clock.monotonic();
    if (asking > 0) return Math.max(restMs, TRIAL_MS);
    return restMs > EARLY_MS ? restMs : 0;
  }

  #noteAnswer(registry: Registry): void {
    Object.assign(registry, { answeredAt: this.#clock.monotonic(), silence: undefined });
  }

  #noteError(
    registry: Registry,
    error: RegistryError,
    { since, intervalMs }: { readonly since: number; readonly intervalMs: number },
  ): void {
    // A connection that is refused costs nobody any time.
    if (error.code !== 'TIMEOUT') {
      this.#noteAnswer(registry);
      return;
    }
    const now = this.#clock.monotonic();
    const { answeredAt = Number.NEGATIVE_INFINITY, silence } = registry;
    // It has answered others meanwhile; or they have waited for the same, at the same time.
    if (answeredAt >= since || (silence !== undefined && now < silence.until)) return;
    const until = now + retryPause(1, intervalMs);
    Object.assign(registry, { answeredAt: undefined, silence: { error, until } });
  }

  #remember(key: string, registry: Registry): void {
    if (this.#registries.size >= MAX_REMEMBERED && !this.#registries.has(key)) {
      for (const [other, { asking }] of this.#registries) if (asking === 0) this.#registries.delete(other);
    }
    this.#registries.set(key, registry);
  }
}

function unknown(): Registry {
  return { asking: 0, askingSince: 0, answeredAt: undefined, silence: undefined };
}
