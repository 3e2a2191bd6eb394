/** One scan: the tag list, then a HEAD for each tag whose digest is wanted and not known for certain. */

import type { Clock } from '../../clock.ts';
import type { Digest } from '../../domain/digest.ts';
import type { ListedTag } from '../../domain/listing.ts';
import { planSelection, type Selection, type SelectionPlan } from '../../domain/selection.ts';
import { concludeSelection, type SourceImages } from '../../domain/source-images.ts';
import type { TagType } from '../../domain/tag/tag.ts';
import type { RegistryAccess } from '../../registry/access.ts';
import type { RegistryClient, TagList } from '../../registry/client.ts';
import { newScanMeter, type ScanMeter } from '../../registry/meter.ts';
import { type DigestQuestion, type FailedDigest, type FoundDigests, findDigests } from './digests.ts';
import { runFoldAsync } from './run-fold.ts';

/** Who asks whom, and how long. */
export interface RegistryVisit {
  readonly registry: Pick<RegistryClient, 'collectTags' | 'headDigest'>;
  readonly access: RegistryAccess;
  readonly selection: Selection;
  readonly clock: Clock;
  /** For one digest, milliseconds. Default: no limit but that of the client. */
  readonly tagTimeoutMs?: number;
  /** Takes the digests that were asked for, also if the scan fails. */
  readonly learned?: Map<string, Digest>;
  /** Counted up by a scan, for who wants to know although it fails. */
  readonly meter?: ScanMeter;
  readonly signal: AbortSignal;
}

export interface ScanRequest extends RegistryVisit {
  readonly maxTags: number;
  /** Digests found earlier, by tag; believed for tags of immutable series. */
  readonly known: ReadonlyMap<string, Digest>;
  /** Tags that somebody has pushed again, and those that could not be asked for last time: whatever their series. */
  readonly pushed?: ReadonlySet<string>;
  /** Tags that nobody can name were pushed, too: no selected one is believed. */
  readonly pushedMore?: boolean;
}

/** What a scan has found; enough to select again without another request. */
export interface ScanResult {
  readonly list: TagList;
  /** Tags that the registry itself has listed; push events may have added more to `list`. */
  readonly listed: readonly string[];
  readonly plan: SelectionPlan;
  readonly digests: ReadonlyMap<string, Digest>;
  readonly images: SourceImages;
  readonly meter: ScanMeter;
  readonly durationMs: number;
  /** Tags whose digest could not be asked for; the scan as a whole has succeeded. */
  readonly failed: readonly FailedDigest[];
  /** Tags that were listed but are gone. */
  readonly vanished: readonly string[];
  /** About single tags, in words. */
  readonly warnings: readonly string[];
}

/** Series whose tags are written once: their digests are asked for once. */
const IMMUTABLE: ReadonlySet<TagType> = new Set(['release', 'weekly', 'daily']);
/** Numbers of a version that is written once; fewer ("1.2", "24.04") stand for the newest of many. */
const WHOLE_VERSION = 3;
/** Longer than any client waits for one answer. */
const NO_LIMIT_MS = 3_600_000;

/** @throws RegistryError if the list or more than single tags cannot be read */
export async function scan(request: ScanRequest): Promise<ScanResult> {
  const { registry, access, selection, signal, known, meter = newScanMeter() } = request;
  const started = request.clock.monotonic();
  const limits = { maxTags: request.maxTags };
  const list = await registry.collectTags(selection.spec.image, access, { signal, meter, limits });
  const plan = await planList(request, list);
  return concludeScan(request, {
    list,
    listed: list.tags,
    plan,
    meter,
    started,
    believed: (tag) =>
      list.facts.get(tag)?.digest ??
      (isImmutable(plan, tag) && !wasPushed(request, plan, tag) ? known.get(tag) : undefined),
    lastKnown: (tag) => known.get(tag),
  });
}

/** What of the list is selected, and whose digests that needs. */
export function planList(
  { selection, clock }: RegistryVisit,
  { tags, facts }: TagList,
): Promise<SelectionPlan> {
  const listed: readonly (ListedTag | string)[] =
    facts.size === 0 ? tags : tags.map((tag) => ({ tag, ...facts.get(tag) }));
  return runFoldAsync(planSelection(selection, listed, clock.now()));
}

/** A list that was read and planned. */
export interface PlannedScan extends Pick<DigestQuestion, 'believed' | 'lastKnown' | 'meter'> {
  readonly list: TagList;
  readonly listed: readonly string[];
  readonly plan: SelectionPlan;
  /** Monotonic milliseconds. */
  readonly started: number;
}

/** Asks for the digests that are missing and says what is selected. @throws RegistryError as `findDigests` */
export async function concludeScan(visit: RegistryVisit, scanned: PlannedScan): Promise<ScanResult> {
  const { selection, clock } = visit;
  const { list, listed, plan, meter, believed, lastKnown, started } = scanned;
  const found = await findDigests({
    ...visit,
    repository: selection.spec.image,
    tags: plan.needsDigest,
    believed,
    lastKnown,
    meter,
    tagTimeoutMs: visit.tagTimeoutMs ?? NO_LIMIT_MS,
  });
  const { digests, failed, vanished } = found;
  // Which nodes have what is asked of the children; the list alone decides what is selected.
  const facts = { digests, eligibleNodes: new Set<string>(), presence: new Map<never, never>() };
  const images = await runFoldAsync(concludeSelection(selection, plan, facts));
  const durationMs = Math.round(clock.monotonic() - started);
  return {
    list,
    listed,
    plan,
    digests,
    images,
    meter,
    durationMs,
    failed,
    vanished,
    warnings: warningsOf(found),
  };
}

function warningsOf({ vanished, failed }: FoundDigests): readonly string[] {
  return [
    ...failed.map(({ tag, reason, message, kept }) => {
      const fate = kept ? 'keeps its last known digest' : 'has no digest';
      return `tag ${tag} ${fate}: ${reason}: ${message}`;
    }),
    ...vanished.map((tag) => `tag ${tag} was listed but is gone`),
  ];
}

function isImmutable({ listing }: SelectionPlan, tag: string): boolean {
  const { type, version } = listing.read(tag);
  return IMMUTABLE.has(type) && (version?.precision ?? WHOLE_VERSION) >= WHOLE_VERSION;
}

function wasPushed(
  { pushed, pushedMore = false }: Pick<ScanRequest, 'pushed' | 'pushedMore'>,
  { chosen }: SelectionPlan,
  tag: string,
): boolean {
  return pushed?.has(tag) === true || (pushedMore && chosen.has(tag));
}
