/** Asks for the digests of many tags: trouble with one tag is that tag's, trouble with the registry ends the asking. */

import type { Clock } from '../../clock.ts';
import type { Digest } from '../../domain/digest.ts';
import { formatReference, type Repository } from '../../domain/reference.ts';
import type { RegistryAccess } from '../../registry/access.ts';
import type { RegistryClient } from '../../registry/client.ts';
import {
  isRegistryError,
  RegistryError,
  type RegistryErrorCode,
  registryReason,
} from '../../registry/errors.ts';
import type { ScanMeter } from '../../registry/meter.ts';
import type { RegistryReason } from '../../registry/reasons.ts';

export interface DigestQuestion {
  readonly registry: Pick<RegistryClient, 'headDigest'>;
  readonly access: RegistryAccess;
  readonly repository: Repository;
  readonly tags: readonly string[];
  /** A digest that is as good as asked for. */
  readonly believed: (tag: string) => Digest | undefined;
  /** What the tag meant when it was last asked for: better than nothing while it cannot be asked again. */
  readonly lastKnown: (tag: string) => Digest | undefined;
  /** Takes what the registry has told, also if the asking does not come to its end. */
  readonly learned?: Map<string, Digest>;
  readonly meter: ScanMeter;
  readonly clock: Clock;
  /** For one tag, milliseconds. */
  readonly tagTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** A tag whose digest could not be asked for. */
export interface FailedDigest {
  readonly tag: string;
  readonly reason: RegistryReason;
  readonly message: string;
  /** Its last known digest stands in. */
  readonly kept: boolean;
}

export interface FoundDigests {
  readonly digests: ReadonlyMap<string, Digest>;
  /** Tags that were listed but are gone. */
  readonly vanished: readonly string[];
  readonly failed: readonly FailedDigest[];
}

/** Asked side by side: as many as the budget of a host lets through. */
const LANES = 4;
/** Failures without a success or a plain "no" in between that are the registry's, not the tags'. */
const GIVE_UP_AFTER = 3;
/** The registry as a whole says or shows this: one is enough. */
const OF_THE_HOST: ReadonlySet<RegistryErrorCode> = new Set(['TOOMANYREQUESTS', 'CERTIFICATE_INVALID']);
/** These are of the host as well, if no tag at all could be asked for. */
const LIKELY_OF_THE_HOST: ReadonlySet<RegistryErrorCode> = new Set(['UNREACHABLE', 'POLICY_REFUSED']);

/** @throws RegistryError if the registry as a whole does not answer */
export async function findDigests(question: DigestQuestion): Promise<FoundDigests> {
  const search = new DigestSearch(question);
  await search.run();
  return search.result();
}

class DigestSearch {
  readonly #question: DigestQuestion;
  readonly #digests = new Map<string, Digest>();
  readonly #vanished: string[] = [];
  readonly #failures: { readonly tag: string; readonly error: RegistryError }[] = [];
  readonly #giveUp = new AbortController();
  readonly #signal: AbortSignal;
  #answers = 0;
  #failedInARow = 0;

  constructor(question: DigestQuestion) {
    this.#question = question;
    this.#signal = AbortSignal.any([question.signal, this.#giveUp.signal]);
  }

  async run(): Promise<void> {
    const { tags, believed } = this.#question;
    const open: string[] = [];
    for (const tag of tags) {
      const digest = believed(tag);
      if (digest === undefined) open.push(tag);
      else this.#digests.set(tag, digest);
    }
    // All lanes draw from one iterator.
    const queue = open.values();
    await Promise.all(Array.from({ length: Math.min(LANES, open.length) }, () => this.#lane(queue)));
    const [first] = this.#failures;
    if (this.#answers === 0 && first !== undefined && LIKELY_OF_THE_HOST.has(first.error.code))
      throw first.error;
    if (this.#giveUp.signal.aborted) throw this.#giveUp.signal.reason;
  }

  result(): FoundDigests {
    const failed = this.#failures.map(({ tag, error }) => {
      const last = this.#question.lastKnown(tag);
      if (last !== undefined) this.#digests.set(tag, last);
      return { tag, reason: registryReason(error), message: error.message, kept: last !== undefined };
    });
    return {
      digests: this.#digests,
      vanished: this.#vanished.sort(),
      failed: failed.sort((left, right) => (left.tag < right.tag ? -1 : 1)),
    };
  }

  async #lane(queue: Iterable<string>): Promise<void> {
    for (const tag of queue) {
      if (this.#giveUp.signal.aborted) return;
      await this.#ask(tag);
    }
  }

  async #ask(tag: string): Promise<void> {
    try {
      const digest = await this.#head(tag);
      this.#digests.set(tag, digest);
      this.#question.learned?.set(tag, digest);
      this.#noteAnswer();
    } catch (error) {
      if (this.#giveUp.signal.aborted) return;
      if (this.#signal.aborted || !isRegistryError(error)) throw error;
      if (error.code === 'MANIFEST_UNKNOWN') {
        this.#vanished.push(tag);
        this.#noteAnswer();
      } else this.#noteFailure(tag, error);
    }
  }

  /** With a deadline of its own: one tag that hangs must not use up the time of the scan. */
  async #head(tag: string): Promise<Digest> {
    const { registry, access, repository, meter, clock, tagTimeoutMs } = this.#question;
    const deadline = new AbortController();
    const timer = clock.schedule(tagTimeoutMs, () => {
      deadline.abort(tooSlow({ ...repository, tag }, tagTimeoutMs));
    });
    try {
      const signal = AbortSignal.any([this.#signal, deadline.signal]);
      return (await registry.headDigest({ ...repository, tag }, access, { signal, meter })).digest;
    } finally {
      timer.cancel();
    }
  }

  #noteAnswer(): void {
    this.#answers++;
    this.#failedInARow = 0;
  }

  #noteFailure(tag: string, error: RegistryError): void {
    this.#failures.push({ tag, error });
    this.#failedInARow++;
    if (OF_THE_HOST.has(error.code) || this.#failedInARow >= GIVE_UP_AFTER) this.#giveUp.abort(error);
  }
}

function tooSlow(reference: Repository & { readonly tag: string }, timeoutMs: number): RegistryError {
  const message = `asking for the digest of ${formatReference(reference)}: no answer within ${timeoutMs / 1000} s`;
  return new RegistryError(message, { code: 'TIMEOUT', registry: reference.registry });
}
