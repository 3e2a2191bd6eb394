/**
 * Registries that do not answer. What one object has waited for in vain, the others do not wait for: every attempt holds
 * a worker until its deadline, and objects of other registries stand in line behind it. Each kind learns for itself: a
 * registry that lists its tags slowly may tell a digest at once.
 */

import type { Access } from '../api/access.ts';
import type { Clock } from '../clock.ts';
import { isRegistryError, RegistryError } from '../registry/errors.ts';
import { retryPause } from './retry-pause.ts';

/** Objects that may ask a registry at once of which nobody knows yet whether it answers. */
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

  /** Milliseconds to leave a registry alone that has not answered others; 0: it may be asked. */
  rest(key: string): number {
    return this.#rest(this.#registries.get(key) ?? unknown());
  }

  /**
   * Asks, unless the registry is silent and nobody insists.
   * @throws SilentRegistryError if it was not asked; what `question` throws
   */
  async ask<T>(key: string, { insists, intervalMs }: Asker, question: () => Promise<T>): Promise<T> {
    const registry = this.#registries.get(key) ?? unknown();
    this.#remember(key, registry);
    const { silence } = registry;
    const restMs = insists ? 0 : this.#rest(registry);
    if (silence !== undefined && restMs > 0) throw new SilentRegistryError(silence.error, restMs);
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

  #rest({ asking, silence }: Registry): number {
    if (silence === undefined) return 0;
    const restMs = silence.until - this.#clock.monotonic();
    return restMs > 0 || asking > 0 ? Math.max(restMs, TRIAL_MS) : 0;
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
