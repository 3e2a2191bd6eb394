/** Which ImageSources a token belongs to. Tokens are read from Secrets when they are asked for, and kept for a minute. */

import { createHash } from 'node:crypto';
import type { ImageSource } from '../../api/image-source.ts';
import type { Clock } from '../../clock.ts';
import { formatKey, keyOf } from '../../kube/resource.ts';
import { type HookSecret, isEqualSecret } from './authenticity.ts';

/** A source that accepts events, and what they must know. */
export interface Hook {
  readonly source: ImageSource;
  readonly secret: HookSecret;
}

export interface HookDirectoryOptions {
  readonly clock: Clock;
  /** All ImageSources, as cached. */
  readonly sources: () => readonly ImageSource[];
  /** Undefined if there is no usable Secret; whoever can do something about it has been told. */
  readonly readSecret: (source: ImageSource) => Promise<HookSecret | undefined>;
}

interface Entry {
  readonly key: string;
  readonly secret: HookSecret;
}

/** A token that was changed is out of use after this time at the latest. */
const FRESH_MS = 60_000;
/** Unknown tokens cost the API server no more than one round of reads in this time. */
const RETRY_MS = 5_000;

export class HookDirectory {
  readonly #options: HookDirectoryOptions;
  /** By sha256 of the token: a look-up tells nothing by the time it takes. */
  #entries: ReadonlyMap<string, readonly Entry[]> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(options: HookDirectoryOptions) {
    this.#options = options;
  }

  /** The sources that accept this token now; several may share a Secret. Empty for an unknown one. */
  async find(token: string): Promise<readonly Hook[]> {
    const age = this.#options.clock.monotonic() - this.#readAt;
    if (age >= FRESH_MS) await this.#refresh();
    const hooks = this.#lookUp(token);
    if (hooks.length > 0 || age < RETRY_MS || age >= FRESH_MS) return hooks;
    await this.#refresh();
    return this.#lookUp(token);
  }

  #lookUp(token: string): readonly Hook[] {
    const entries = this.#entries.get(digestOf(token)) ?? [];
    return entries.flatMap(({ key, secret }) => {
      const source = this.#enabled().find((candidate) => formatKey(keyOf(candidate)) === key);
      return source !== undefined && isEqualSecret(secret.token, token) ? [{ source, secret }] : [];
    });
  }

  #enabled(): readonly ImageSource[] {
    return this.#options.sources().filter(({ spec }) => spec.webhook.enabled && !spec.suspend);
  }

  /** One round at a time, whoever asks. */
  async #refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #read(): Promise<void> {
    const entries = new Map<string, Entry[]>();
    for (const source of this.#enabled()) {
      const secret = await this.#options.readSecret(source);
      if (secret === undefined) continue;
      const digest = digestOf(secret.token);
      const shared = entries.get(digest) ?? [];
      entries.set(digest, [...shared, { key: formatKey(keyOf(source)), secret }]);
    }
    this.#entries = entries;
    this.#readAt = this.#options.clock.monotonic();
  }
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
