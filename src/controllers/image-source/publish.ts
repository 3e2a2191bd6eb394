/** Phase: what the scan means - the selected images with names, aliases and digests - goes into the status and events. */

import type { ImageSource, ImageSourceStatus, NamedImage } from '../../api/image-source.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import { GUARDED_FIELDS } from '../../domain/newest-seen.ts';
import { formatReference, type Repository } from '../../domain/reference.ts';
import {
  type PreviousResult,
  type PublishedImage,
  type SelectedImage,
  type SelectionResult,
  summarise,
} from '../../domain/selection-result.ts';
import type { SourceImages } from '../../domain/source-images.ts';
import type { Draft } from '../../kube/conclusion.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { done, type Result } from '../../kube/result.ts';
import { imageSourceType } from '../kinds.ts';
import { announcements } from './announce.ts';
import type { Pass } from './pass.ts';
import { runFoldAsync } from './run-fold.ts';
import type { ScanMemory, SourceMemory } from './scan-memory.ts';

export interface PublishOptions {
  readonly memory: ScanMemory;
  /** The PrepulledImages that this source controls. */
  readonly children: (source: ImageSource) => readonly PrepulledImage[];
}

const MAX_IMAGES = 50;
const MAX_ALIASES = 8;
const MAX_RULES = 4;

/**
 * First phase: where the images of the status are by now. What is selected stays as it was for whatever keeps the source
 * from being scanned: a process that has just begun, a spec that a person must correct.
 */
export function presencePhase({ children }: Pick<PublishOptions, 'children'>) {
  return (source: ImageSource, draft: Draft<ImageSourceStatus>): Result => {
    refreshPrepulled(draft, prepulledDigests(children(source)));
    return done;
  };
}

export function publishPhase({ memory, children }: PublishOptions) {
  // Every event of a child makes a pass: what a scan means is worked out and announced once.
  const known = new WeakMap<SourceImages, SelectionResult>();
  return async (
    source: ImageSource,
    draft: Draft<ImageSourceStatus>,
    context: PhaseContext,
  ): Promise<Result> => {
    const key = formatKey(source.metadata);
    const scanned = memory.get(key);
    if (scanned?.result === undefined) return done;
    const { images } = scanned.result;
    const result = known.get(images) ?? (await conclude(images, scanned, { source, draft, context }));
    known.set(images, result);
    memory.set(key, { ...scanned, held: result.held, published: result });
    publish(draft, result, prepulledDigests(children(source)));
    return done;
  };
}

async function conclude(
  images: SourceImages,
  { published, selection }: SourceMemory,
  { source, draft, context }: Pass,
): Promise<SelectionResult> {
  const { image } = selection.spec;
  const result = await runFoldAsync(summarise(images, previousOf(draft, image)));
  for (const note of announcements({ status: draft, published }, result, image)) {
    context.events.record({ type: imageSourceType, object: source }, note);
  }
  return result;
}

/**
 * What the status says already: a headline must not move back because a list has lost tags. Those of another
 * repository, which the source watched before, are no measure.
 */
function previousOf(status: ImageSourceStatus, image: Repository): PreviousResult {
  const fields = GUARDED_FIELDS.filter((field) => {
    const headline = status[field];
    return headline?.reference === formatReference({ ...image, tag: headline?.tag ?? '' });
  });
  const headlines = fields.map((field) => [field, asPublished(status[field])] as const);
  const newestSeen = fields.map((field) => [field, status.newestSeen?.[field]] as const);
  return { newestSeen: Object.fromEntries(newestSeen), headlines: Object.fromEntries(headlines) };
}

function asPublished(image: NamedImage | undefined): PublishedImage | null {
  return image === undefined
    ? null
    : { ...image, digest: image.digest ?? null, aliases: image.aliases ?? [] };
}

/** Children report which digests are on every node that is for them; nobody else knows their platforms. */
function prepulledDigests(children: readonly PrepulledImage[]): ReadonlySet<string> {
  const prepulled = children.filter(({ status }) => status?.prepulled === true);
  return new Set(prepulled.flatMap(({ status }) => status?.image?.digest ?? []));
}

function refreshPrepulled(draft: Draft<ImageSourceStatus>, prepulled: ReadonlySet<string>): void {
  for (const field of GUARDED_FIELDS) {
    const headline = draft[field];
    if (headline !== undefined) draft[field] = withPrepulled(headline, prepulled);
  }
  draft.images = draft.images?.map((image) => withPrepulled(image, prepulled));
  const { images = [], counts } = draft;
  // Of images that the status has no room for nothing is known.
  if (counts?.selected !== images.length) return;
  draft.counts = { ...counts, prepulled: images.filter((image) => image.prepulled).length };
}

function withPrepulled<T extends NamedImage>(image: T, prepulled: ReadonlySet<string>): T {
  return { ...image, prepulled: prepulled.has(image.digest ?? '') };
}

function publish(
  draft: Draft<ImageSourceStatus>,
  result: SelectionResult,
  prepulled: ReadonlySet<string>,
): void {
  const { images, counts, newestSeen } = result;
  for (const field of GUARDED_FIELDS) {
    const headline = result[field];
    draft[field] = headline === null ? undefined : toNamedImage(headline, prepulled);
  }
  draft.images = images.slice(0, MAX_IMAGES).map((image) => toSelectedImage(image, prepulled));
  draft.truncated = isTruncated(images) ? true : undefined;
  draft.counts = { ...counts, prepulled: images.filter((image) => isPrepulled(image, prepulled)).length };
  draft.newestSeen = newestSeen;
}

function toSelectedImage(
  image: SelectedImage,
  prepulled: ReadonlySet<string>,
): NonNullable<ImageSourceStatus['images']>[number] {
  const { type, version, date, rules } = image;
  return {
    ...toNamedImage(image, prepulled),
    type,
    version: version ?? undefined,
    date: date ?? undefined,
    rules: rules.slice(0, MAX_RULES),
  };
}

function toNamedImage(image: PublishedImage, prepulled: ReadonlySet<string>): NamedImage {
  const { reference, tag, name, digest, aliases } = image;
  return {
    reference,
    tag,
    name,
    digest: digest ?? undefined,
    aliases: aliases.slice(0, MAX_ALIASES),
    prepulled: isPrepulled(image, prepulled),
  };
}

function isPrepulled({ digest }: PublishedImage, prepulled: ReadonlySet<string>): boolean {
  return digest !== null && prepulled.has(digest);
}

function isTruncated(images: readonly SelectedImage[]): boolean {
  return (
    images.length > MAX_IMAGES ||
    images.some(({ aliases, rules }) => aliases.length > MAX_ALIASES || rules.length > MAX_RULES)
  );
}
