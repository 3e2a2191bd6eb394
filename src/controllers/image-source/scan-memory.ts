/** What the last scans have found, per ImageSource. Lost at a restart, which costs one scan each. */

import type { ImageSource } from '../../api/image-source.ts';
import { type Digest, validateDigest } from '../../domain/digest.ts';
import type { HeldBack } from '../../domain/newest-seen.ts';
import { formatReference, type Repository } from '../../domain/reference.ts';
import type { Selection } from '../../domain/selection.ts';
import type { SelectionResult } from '../../domain/selection-result.ts';
import type { SourceImages } from '../../domain/source-images.ts';
import { isEqual } from '../../json.ts';
import type { ScanResult } from './scan.ts';

/** A scan that did not succeed, in the words of a condition. */
export interface ScanFailure {
  readonly reason: string;
  readonly message: string;
  /** Monotonic milliseconds before which the registry is left alone. */
  readonly retryAt: number;
  /** The registry has not answered other sources, so nothing has failed here. */
  readonly notAsked?: boolean;
}

export interface SourceMemory {
  /** Of the ImageSource: a successor of the same name begins with nothing. */
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  readonly selection: Selection;
  /** The last scan that succeeded for this selection. */
  readonly result?: ScanResult;
  /** Monotonic milliseconds when that was, and when the next one is due. */
  readonly scannedAt?: number;
  readonly dueAt?: number;
  /** Scans in a row that could not ask for every digest. */
  readonly incompleteScans?: number;
  /** Monotonic milliseconds of the last update by push events. */
  readonly pushedAt?: number;
  /** Push events wait for the next scan: they alone do not tell enough. */
  readonly awaitsScan?: boolean;
  /** What of `result` was published last. */
  readonly published?: SelectionResult;
  /** Headlines that the list would move back; see `domain/newest-seen.ts`. */
  readonly held?: readonly HeldBack[];
  /** Present if the newest attempt failed. */
  readonly failure?: ScanFailure;
  /** Digests that attempts have asked for since the last one that succeeded: a long scan gets on although it is cut. */
  readonly learned?: ReadonlyMap<string, Digest>;
}

/** The whole of what is known of one source, for whoever serves it. Only the leader has it. */
export interface SourceListing {
  /** Of the ImageSource. */
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  /** Every displayed tag, the digests that are known, aliases, and what is selected by which rule. */
  readonly images: SourceImages;
  /** As in the status, but without its limits; undefined for the moment between a scan and its publication. */
  readonly published: SelectionResult | undefined;
}

/** Whether the last scan has failed by itself, not because others wait for the registry in vain. */
export function hasFailed(memory: SourceMemory | undefined): boolean {
  return memory?.failure !== undefined && memory.failure.notAsked !== true;
}

/** By `namespace/name`. */
export class ScanMemory {
  readonly #sources = new Map<string, SourceMemory>();

  get(key: string): SourceMemory | undefined {
    return this.#sources.get(key);
  }

  set(key: string, memory: SourceMemory): void {
    this.#sources.set(key, memory);
  }

  delete(key: string): void {
    this.#sources.delete(key);
  }

  /** The last good scan; undefined before the first one, and where this process does not lead. */
  listing(key: string): SourceListing | undefined {
    const memory = this.#sources.get(key);
    if (memory?.result === undefined) return undefined;
    const { uid, generation, result, published } = memory;
    return { uid, generation, images: result.images, published };
  }
}

/**
 * Digests to start with: those of the last scan, else those that the status still tells after a restart, and those of
 * attempts that have failed since. A tag of another repository is another tag.
 */
export function knownDigests(
  source: ImageSource,
  { spec: { image } }: Selection,
  memory: SourceMemory | undefined,
): ReadonlyMap<string, Digest> {
  const isSame = isEqual(memory?.selection.spec.image, image);
  const scanned = isSame ? memory?.result?.digests : undefined;
  const known = scanned ?? publishedDigests(source, image);
  const learned = isSame ? memory?.learned : undefined;
  return learned === undefined ? known : new Map([...known, ...learned]);
}

function publishedDigests({ status }: ImageSource, image: Repository): ReadonlyMap<string, Digest> {
  const known = new Map<string, Digest>();
  for (const { reference, tag, digest = '' } of status?.images ?? []) {
    const valid = validateDigest(digest);
    if (valid.ok && reference === formatReference({ ...image, tag })) known.set(tag, valid.value);
  }
  return known;
}
