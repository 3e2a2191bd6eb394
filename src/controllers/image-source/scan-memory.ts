/** What the last scans have found, per ImageSource. Lost at a restart, which costs one scan each. */

import type { ImageSource } from '../../api/image-source.ts';
import { type Digest, validateDigest } from '../../domain/digest.ts';
import type { HeldBack } from '../../domain/newest-seen.ts';
import { formatReference } from '../../domain/reference.ts';
import type { Selection } from '../../domain/selection.ts';
import { isEqual } from '../../kube/status-writer.ts';
import type { ScanResult } from './scan.ts';

/** A scan that did not succeed, in the words of a condition. */
export interface ScanFailure {
  readonly reason: string;
  readonly message: string;
  /** Monotonic milliseconds before which the registry is left alone. */
  readonly retryAt: number;
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
  /** Headlines that the list would move back; see `domain/newest-seen.ts`. */
  readonly held?: readonly HeldBack[];
  /** Present if the newest attempt failed. */
  readonly failure?: ScanFailure;
}

/** By `namespace/name`. */
export type ScanMemory = Map<string, SourceMemory>;

/**
 * Digests to start with: those of the last scan, else those that the status still tells after a restart. A tag of
 * another repository is another tag.
 */
export function knownDigests(
  source: ImageSource,
  { spec: { image } }: Selection,
  memory: SourceMemory | undefined,
): ReadonlyMap<string, Digest> {
  if (memory?.result !== undefined && isEqual(memory.selection.spec.image, image))
    return memory.result.digests;
  const known = new Map<string, Digest>();
  for (const { reference, tag, digest = '' } of source.status?.images ?? []) {
    const valid = validateDigest(digest);
    if (valid.ok && reference === formatReference({ ...image, tag })) known.set(tag, valid.value);
  }
  return known;
}
