/** Phase: what the scan means - the selected images with names, aliases and digests - goes into the status. */

import type { ImageSource, ImageSourceStatus, NamedImage, SelectedImage } from '../../api/image-source.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import { allAliases, type Image, imageReference } from '../../domain/image.ts';
import type { ImageCollection } from '../../domain/image-collection.ts';
import type { SourceImages } from '../../domain/source-images.ts';
import { formatDate, formatTagVersion, type TagType } from '../../domain/tag/tag.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { formatKey } from '../../kube/resource.ts';
import { done, type Result } from '../../kube/result.ts';
import type { ScanMemory } from './scan-memory.ts';

export interface PublishOptions {
  readonly memory: ScanMemory;
  /** The PrepulledImages that this source controls. */
  readonly children: (source: ImageSource) => readonly PrepulledImage[];
}

const MAX_IMAGES = 50;
const MAX_ALIASES = 8;
const MAX_RULES = 4;

export function publishPhase({ memory, children }: PublishOptions) {
  return (source: ImageSource, draft: Draft<ImageSourceStatus>): Result => {
    const images = memory.get(formatKey(source.metadata))?.result?.images;
    if (images !== undefined) publish(draft, images, prepulledDigests(children(source)));
    return done;
  };
}

function prepulledDigests(children: readonly PrepulledImage[]): ReadonlySet<string> {
  const prepulled = children.filter(({ status }) => status?.prepulled === true);
  return new Set(prepulled.map(({ status }) => status?.image?.digest ?? ''));
}

function publish(
  draft: Draft<ImageSourceStatus>,
  { selection, plan, selected }: SourceImages,
  prepulled: ReadonlySet<string>,
): void {
  const named = (image: Image | undefined): NamedImage | undefined =>
    image === undefined ? undefined : namedImage(image, prepulled);
  const latest = (type: TagType): NamedImage | undefined => named(selected.latest(type));
  draft.recommended = named(selected.imageForTag(selection.spec.grammar.recommended));
  draft.latestWeekly = latest('weekly');
  draft.latestDaily = latest('daily');
  draft.latestRelease = latest('release');
  draft.images = selected.images.slice(0, MAX_IMAGES).map((image) => ({
    ...namedImage(image, prepulled),
    type: image.type,
    version: formatTagVersion(image) ?? undefined,
    date: formatDate(image.dateMs) ?? undefined,
    rules: (plan.chosen.get(image.tag) ?? []).slice(0, MAX_RULES),
  })) satisfies SelectedImage[];
  draft.truncated = isTruncated(selected) ? true : undefined;
  draft.counts = {
    known: plan.listing.tags.length,
    displayed: plan.listing.tags.length - plan.listing.hiddenByArchitecture,
    selected: selected.size,
    prepulled: selected.images.filter(({ digest }) => digest !== null && prepulled.has(digest)).length,
  };
}

function namedImage(image: Image, prepulled: ReadonlySet<string>): NamedImage {
  return {
    reference: imageReference(image),
    tag: image.tag,
    name: image.displayName,
    digest: image.digest ?? undefined,
    aliases: allAliases(image).slice(0, MAX_ALIASES),
    prepulled: image.digest !== null && prepulled.has(image.digest),
  };
}

function isTruncated({ images }: ImageCollection): boolean {
  return images.length > MAX_IMAGES || images.some((image) => allAliases(image).length > MAX_ALIASES);
}
