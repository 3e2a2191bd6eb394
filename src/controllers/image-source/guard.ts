/** Is a tag list to be believed? One that has lost too much is more often an outage than a clean-up. */

import type { ImageSource, ImageSourceStatus } from '../../api/image-source.ts';
import type { Clock } from '../../clock.ts';
import { formatReference, type Repository } from '../../domain/reference.ts';
import { isEqual } from '../../json.ts';
import { formatTime } from '../../kube/condition.ts';
import type { RememberedPass } from './pass.ts';
import type { SourceMemory } from './scan-memory.ts';

export type Rejected = NonNullable<ImageSourceStatus['rejected']>;

/** Equal scans in a row after which a shrunken list is believed, and the time they must span. */
const SCANS_TO_BELIEVE = 3;
const TIME_TO_BELIEVE_MS = 3_600_000;

export interface GuardQuestion {
  readonly tags: readonly string[];
  /** Tags of the last list that was believed; after a restart only their number is known. */
  readonly before: readonly string[] | number | undefined;
  readonly rejected: Rejected | undefined;
  readonly maxRemovedPercent: number;
  /** A person asked for this scan. */
  readonly requested: boolean;
  /** Wall-clock milliseconds. */
  readonly now: number;
}

/** Undefined if the list is believed, else what to remember of it. */
export function rejectList(question: GuardQuestion): Rejected | undefined {
  const { tags, rejected, maxRemovedPercent, requested, now } = question;
  const removedPercent = removedShare(question);
  if (removedPercent <= maxRemovedPercent || requested) return undefined;
  const revision = listRevision(tags);
  const isSame = rejected?.listRevision === revision;
  const scans = isSame ? rejected.scans + 1 : 1;
  const since = isSame ? rejected.since : formatTime(now);
  if (scans >= SCANS_TO_BELIEVE && now - Date.parse(since) >= TIME_TO_BELIEVE_MS) return undefined;
  return { listRevision: revision, scans, since, tags: tags.length, removedPercent };
}

/**
 * Changes when the set of tags does, whatever their order: the sums of two hashes of each. To sort a hundred thousand
 * tags and hash their text would keep everything else waiting.
 */
export function listRevision(tags: readonly string[]): string {
  let [high, low] = [0, 0];
  for (const tag of tags) {
    high = (high + hashOf(tag, 0x0100_0193)) | 0;
    low = (low + hashOf(tag, 0x5bd1_e995)) | 0;
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

/** FNV-1a with the given factor, then the finish of MurmurHash3, so that sums do not cancel out. */
function hashOf(text: string, factor: number): number {
  let hash = 0x811c_9dc5;
  for (let place = 0; place < text.length; place++) hash = Math.imul(hash ^ text.charCodeAt(place), factor);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}

/** Percent of the known tags that the list lacks, rounded up: 0 only if none is missing. */
function removedShare({ tags, before }: GuardQuestion): number {
  if (before === undefined) return 0;
  if (typeof before === 'number') return percent(before - tags.length, before);
  const listed = new Set(tags);
  return percent(before.filter((tag) => !listed.has(tag)).length, before.length);
}

function percent(part: number, whole: number): number {
  return whole === 0 || part <= 0 ? 0 : Math.ceil((part * 100) / whole);
}

export interface GuardedScan extends RememberedPass {
  readonly clock: Clock;
}

/** A list that has lost too much counts as a failed scan: the last one that was believed stays. */
export function guardScan(after: SourceMemory, scan: GuardedScan): SourceMemory {
  const { source, before, draft, context, clock } = scan;
  if (after.result === undefined || after.failure !== undefined) return after;
  const { maxRemovedPercent } = source.spec.guard;
  const rejected = rejectList({
    tags: after.result.listed,
    before: believedBefore(after, scan),
    rejected: draft.rejected,
    maxRemovedPercent,
    requested: context.requested,
    now: context.now,
  });
  draft.rejected = rejected;
  if (rejected === undefined) return after;
  const message = rejectionMessage(rejected, maxRemovedPercent);
  const failure = { reason: 'ScanRejected', message, retryAt: after.dueAt ?? clock.monotonic() };
  return { ...before, uid: after.uid, generation: after.generation, selection: after.selection, failure };
}

/**
 * The list of another repository says nothing about this one. Before this process has believed any list, the status
 * tells how long the last one was.
 */
function believedBefore(after: SourceMemory, { source, before }: GuardedScan): GuardQuestion['before'] {
  const { image } = after.selection.spec;
  if (before?.result !== undefined) {
    return isEqual(before.selection.spec.image, image) ? before.result.listed : undefined;
  }
  return isStatusOf(source, image) ? source.status?.scan?.tags : undefined;
}

/** Whether the status is about this repository: its images tell, or else that no edit has come since. */
function isStatusOf({ metadata, status }: ImageSource, image: Repository): boolean {
  const told = status?.images?.[0];
  if (told === undefined) return status?.observedGeneration === metadata.generation;
  return told.reference === formatReference({ ...image, tag: told.tag });
}

function rejectionMessage({ tags = 0, removedPercent = 0 }: Rejected, maxRemovedPercent: number): string {
  return (
    `the list has lost ${removedPercent} % of the known tags (${tags} are left; guard.maxRemovedPercent is ` +
    `${maxRemovedPercent}); the last result stays until three equal scans over an hour, or a reconcile request`
  );
}
