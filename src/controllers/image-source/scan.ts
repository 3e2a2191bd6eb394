/** One scan: the tag list, then a HEAD for each tag whose digest is wanted and not known for certain. */

import type { Clock } from '../../clock.ts';
import type { Digest } from '../../domain/digest.ts';
import type { ListedTag } from '../../domain/listing.ts';
import type { Repository } from '../../domain/reference.ts';
import { planSelection, type Selection, type SelectionPlan } from '../../domain/selection.ts';
import { concludeSelection, type SourceImages } from '../../domain/source-images.ts';
import type { TagType } from '../../domain/tag/tag.ts';
import type { RegistryAccess } from '../../registry/access.ts';
import type { RegistryClient, TagList } from '../../registry/client.ts';
import { isRegistryError } from '../../registry/errors.ts';
import { newScanMeter, type ScanMeter } from '../../registry/meter.ts';
import { runFoldAsync } from './run-fold.ts';

export interface ScanRequest {
  readonly registry: Pick<RegistryClient, 'collectTags' | 'headDigest'>;
  readonly access: RegistryAccess;
  readonly selection: Selection;
  readonly maxTags: number;
  /** Digests found earlier, by tag; believed for tags of immutable series. */
  readonly known: ReadonlyMap<string, Digest>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What a scan has found; enough to select again without another request. */
export interface ScanResult {
  readonly list: TagList;
  readonly plan: SelectionPlan;
  readonly digests: ReadonlyMap<string, Digest>;
  readonly images: SourceImages;
  readonly meter: ScanMeter;
  readonly durationMs: number;
  /** About single tags; the scan as a whole has succeeded. */
  readonly warnings: readonly string[];
}

/** Series whose tags are written once: their digests are asked for once. */
const IMMUTABLE: ReadonlySet<TagType> = new Set(['release', 'weekly', 'daily']);

/** @throws RegistryError if the list or more than single tags cannot be read */
export async function scan(request: ScanRequest): Promise<ScanResult> {
  const { registry, access, selection, clock, signal } = request;
  const started = clock.monotonic();
  const meter = newScanMeter();
  const repository = selection.spec.image;
  const limits = { maxTags: request.maxTags };
  const list = await registry.collectTags(repository, access, { signal, meter, limits });
  const plan = await runFoldAsync(planSelection(selection, listedTags(list), clock.now()));
  const { digests, warnings } = await findDigests(request, { repository, list, plan, meter });
  // Which nodes have what is asked of the children; the list alone decides what is selected.
  const facts = { digests, eligibleNodes: new Set<string>(), presence: new Map<never, never>() };
  const images = await runFoldAsync(concludeSelection(selection, plan, facts));
  const durationMs = Math.round(clock.monotonic() - started);
  return { list, plan, digests, images, meter, durationMs, warnings };
}

function listedTags({ tags, facts }: TagList): readonly (ListedTag | string)[] {
  return facts.size === 0 ? tags : tags.map((tag) => ({ tag, ...facts.get(tag) }));
}

interface Found {
  readonly repository: Repository;
  readonly list: TagList;
  readonly plan: SelectionPlan;
  readonly meter: ScanMeter;
}

async function findDigests(
  { registry, access, known, signal }: ScanRequest,
  { repository, list, plan, meter }: Found,
): Promise<Pick<ScanResult, 'digests' | 'warnings'>> {
  const digests = new Map<string, Digest>();
  const warnings: string[] = [];
  const ask = async (tag: string): Promise<void> => {
    const believed = list.facts.get(tag)?.digest ?? (isImmutable(plan, tag) ? known.get(tag) : undefined);
    try {
      const options = { signal, meter };
      digests.set(
        tag,
        believed ?? (await registry.headDigest({ ...repository, tag }, access, options)).digest,
      );
    } catch (error) {
      // A tag that vanished between list and HEAD costs one warning, not the scan.
      if (!isRegistryError(error) || error.code !== 'MANIFEST_UNKNOWN') throw error;
      warnings.push(`tag ${tag} was listed but is gone`);
    }
  };
  await Promise.all(plan.needsDigest.map(ask));
  return { digests, warnings: warnings.sort() };
}

function isImmutable({ listing }: SelectionPlan, tag: string): boolean {
  const read = listing.byTag.get(tag);
  return read !== undefined && IMMUTABLE.has(read.type);
}
