/** Which ImageSources a token belongs to. Secrets are read when they are asked for, and kept for a minute. */

import type { ImageSource } from '../../api/image-source.ts';
import { HOOKS_PATH } from '../../api/webhook-address.ts';
import type { Clock } from '../../clock.ts';
import { formatKey, keyOf } from '../../kube/resource.ts';
import { type HookPath, type HookSecret, isEqualSecret } from './authenticity.ts';

/** A source that accepts events, and what they must know. */
export interface Hook {
  readonly source: ImageSource;
  readonly secret: HookSecret;
  /** Which of its two paths was asked for. */
  readonly path: HookPath;
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
/** Unknown tokens cost the API server no more than one round of reads in this time, and 20 reads a second. */
const RETRY_MS = 5_000;
const RETRY_MS_EACH = 50;
/** Secrets read at the same time. */
const READS_AT_ONCE = 8;

/** From the token in a URL to the sources it speaks for. */
export class HookDirectory {
  readonly #options: HookDirectoryOptions;
  #entries: readonly Entry[] = [];
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(options: HookDirectoryOptions) {
    this.#options = options;
  }

  /**
   * The sources whose token or status.webhookPath this last segment of a path is; several may share a Secret.
   * Empty for an unknown one.
   */
  async find(segment: string): Promise<readonly Hook[]> {
    const age = this.#options.clock.monotonic() - this.#readAt;
    if (age >= FRESH_MS) await this.#refresh();
    const hooks = this.#lookUp(segment);
    const retryMs = Math.max(RETRY_MS, this.#enabled().length * RETRY_MS_EACH);
    if (hooks.length > 0 || age < retryMs || age >= FRESH_MS) return hooks;
    await this.#refresh();
    return this.#lookUp(segment);
  }

  /** All entries are compared, by digest: a look-up tells nothing by the time it takes. */
  #lookUp(segment: string): readonly Hook[] {
    const sources = new Map(this.#enabled().map((source) => [formatKey(keyOf(source)), source]));
    return this.#entries.flatMap(({ key, secret }): readonly Hook[] => {
      const isToken = isEqualSecret(secret.token, segment);
      const source = sources.get(key);
      if (source === undefined) return [];
      if (isToken) return [{ source, secret, path: 'Secret' }];
      const isPublic = source.status?.webhookPath === `${HOOKS_PATH}/${segment}`;
      return isPublic ? [{ source, secret, path: 'Public' }] : [];
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
    const { clock, readSecret } = this.#options;
    const sources = this.#enabled();
    const entries: Entry[] = [];
    for (let start = 0; start < sources.length; start += READS_AT_ONCE) {
      const some = sources.slice(start, start + READS_AT_ONCE);
      const secrets = await Promise.all(some.map((source) => readSecret(source)));
      for (const [index, source] of some.entries()) {
        const secret = secrets[index];
        if (secret !== undefined) entries.push({ key: formatKey(keyOf(source)), secret });
      }
    }
    this.#entries = entries;
    this.#readAt = clock.monotonic();
  }
}
