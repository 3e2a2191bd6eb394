/**
 * Registries that do not answer. What one image has waited for in vain, the others do not wait for: every attempt holds
 * a worker until its deadline, and images of other registries stand in line behind it.
 */

import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { Clock } from '../../clock.ts';
import { isRegistryError, RegistryError } from '../../registry/errors.ts';
import { retryPause } from '../retry-pause.ts';

/** Images that may ask a registry at once of which nobody knows yet whether it answers. */
const MAX_STRANGERS = 4;
/** For the others, and for those that wait for the one that tries again, milliseconds. */
const STRANGER_MS = 100;
const TRIAL_MS = 5_000;
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

/** Images that reach the same registry in the same way learn from each other whether it answers. */
export function wayTo({ metadata, spec }: PrepulledImage): string {
  const { plainHTTP, caBundleRef, clientCertSecretRef, proxySecretRef } = spec.access;
  const own = [caBundleRef, clientCertSecretRef, proxySecretRef].filter((ref) => ref !== undefined);
  const [registry] = spec.image.split('/', 1);
  return JSON.stringify([registry, plainHTTP, ...(own.length > 0 ? [metadata.namespace, own] : [])]);
}

/** Who asks. */
export interface Asker {
  /** A person wants to know now. */
  readonly insists: boolean;
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
    const { asking, answeredAt, silence } = this.#registries.get(key) ?? unknown();
    return answeredAt === undefined && silence === undefined && asking >= MAX_STRANGERS ? STRANGER_MS : 0;
  }

  /**
   * Asks, unless the registry is silent and nobody insists.
   * @throws SilentRegistryError if it was not asked; what `question` throws
   */
  async ask<T>(key: string, { insists, intervalMs }: Asker, question: () => Promise<T>): Promise<T> {
    const registry = this.#registries.get(key) ?? unknown();
    this.#remember(key, registry);
    if (!insists) this.#refuse(registry);
    registry.asking += 1;
    const since = this.#clock.monotonic();
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

  #refuse({ asking, silence }: Registry): void {
    if (silence === undefined) return;
    const restMs = silence.until - this.#clock.monotonic();
    if (restMs > 0 || asking > 0) throw new SilentRegistryError(silence.error, Math.max(restMs, TRIAL_MS));
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
  return { asking: 0, answeredAt: undefined, silence: undefined };
}
