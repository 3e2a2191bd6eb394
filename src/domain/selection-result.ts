/** The answer of a selection in plain JSON, as in the status of an ImageSource and the output of `larder select`. */

import { displayed } from './display.ts';
import { type Fold, foldEach } from './fold.ts';
import { allAliases, type Image, imageReference } from './image.ts';
import { readAll } from './listing.ts';
import { type GuardedField, type HeldBack, isHeldBack, type NewestSeen } from './newest-seen.ts';
import { entries, type SourceImages } from './source-images.ts';
import { type ImageClass, imageForClass, isPrepulled } from './spawner.ts';
import { formatDate, formatTagVersion, isPossibleAlias, type Tag, type TagType } from './tag/tag.ts';

/** One image as a status shows it; `digest` is null while nobody knows it. */
export interface PublishedImage {
  readonly reference: string;
  readonly tag: string;
  readonly digest: string | null;
  readonly name: string;
  readonly aliases: readonly string[];
  /** On every eligible node; false where there is none. */
  readonly prepulled: boolean;
}

export interface SelectedImage extends PublishedImage {
  readonly type: TagType;
  readonly version: string | null;
  /** RFC 3339, UTC. */
  readonly date: string | null;
  /** Names of the rules that kept it, in order of priority. */
  readonly rules: readonly string[];
}

/** Guarded fields: the images spawners ask for by class. */
export type Headlines = Readonly<Record<GuardedField, PublishedImage | null>>;

export interface SelectionResult extends Headlines {
  /** Selected images in output order. */
  readonly images: readonly SelectedImage[];
  readonly counts: {
    readonly known: number;
    readonly displayed: number;
    readonly selected: number;
    readonly prepulled: number;
  };
  /** To be kept for the next scan. */
  readonly newestSeen: NewestSeen;
  /** Fields that keep their previous value, because the list looks older than one seen before. */
  readonly held: readonly HeldBack[];
}

/** What the last scan published. */
export interface PreviousResult {
  readonly newestSeen: NewestSeen;
  readonly headlines: Partial<Headlines>;
}

export const NO_PREVIOUS: PreviousResult = { newestSeen: {}, headlines: {} };

const CLASS_OF: Readonly<Record<GuardedField, ImageClass>> = {
  recommended: 'recommended',
  latestRelease: 'latest-release',
  latestWeekly: 'latest-weekly',
  latestDaily: 'latest-daily',
};

/** Sums up a source; unless `allowDowngrade`, no headline moves to something older because a list lost tags. */
export function* summarise(
  source: SourceImages,
  previous: PreviousResult = NO_PREVIOUS,
): Fold<SelectionResult> {
  const images = source.selected.images.map((image) => selectedImage(source, image));
  const shown = yield* countDisplayed(source);
  const recommended = headline(source, previous, 'recommended');
  const latestWeekly = headline(source, previous, 'latestWeekly');
  const latestDaily = headline(source, previous, 'latestDaily');
  const latestRelease = headline(source, previous, 'latestRelease');
  const all = [recommended, latestWeekly, latestDaily, latestRelease];
  return {
    recommended: recommended.image,
    latestWeekly: latestWeekly.image,
    latestDaily: latestDaily.image,
    latestRelease: latestRelease.image,
    images,
    counts: {
      known: source.plan.listing.names.length,
      displayed: shown,
      selected: images.length,
      prepulled: images.filter(({ prepulled }) => prepulled).length,
    },
    newestSeen: Object.fromEntries(
      all.flatMap(({ field, seen }) => (seen === undefined ? [] : [[field, seen]])),
    ),
    held: all.flatMap(({ held }) => held ?? []),
  };
}

interface Headline {
  readonly field: GuardedField;
  readonly image: PublishedImage | null;
  readonly seen: string | undefined;
  readonly held?: HeldBack;
}

function headline(source: SourceImages, previous: PreviousResult, field: GuardedField): Headline {
  const { grammar, spec } = source.selection;
  const image = imageForClass(source, CLASS_OF[field]);
  const candidate = image === undefined ? null : versionBehind(image);
  const newest = previous.newestSeen[field];
  const before = previous.headlines[field] ?? null;
  const { names, ignored } = source.plan.listing;
  // What the spec leaves out has not vanished.
  const isListed = (tag: string): boolean => ignored.has(tag) || names.includes(tag);
  const mayMove = spec.allowDowngrade || isSameImage(before, image);
  if (newest !== undefined && !mayMove && isHeldBack(grammar, newest, candidate, isListed)) {
    return { field, image: before, seen: newest, held: { field, candidate, newestSeen: newest } };
  }
  const published = image === undefined ? null : publishedImage(source, image);
  return { field, image: published, seen: candidate ?? newest };
}

/** By digest: a name goes on meaning its image, also when the registry has cleaned up that image's other tags. */
function isSameImage(before: PublishedImage | null, image: Image | undefined): boolean {
  const digest = before?.digest ?? null;
  return digest !== null && digest === image?.digest;
}

/** The version tag an image stands for; null for a name that nobody resolved. */
function versionBehind(image: Image): string | null {
  return image.aliasTarget ?? (isPossibleAlias(image) ? null : image.tag);
}

function publishedImage({ eligibleNodes }: SourceImages, image: Image): PublishedImage {
  return {
    reference: imageReference(image),
    tag: image.tag,
    digest: image.digest,
    name: image.displayName,
    aliases: allAliases(image),
    prepulled: eligibleNodes.size > 0 && isPrepulled(image, eligibleNodes),
  };
}

function selectedImage(source: SourceImages, image: Image): SelectedImage {
  return {
    ...publishedImage(source, image),
    type: image.type,
    version: formatTagVersion(image),
    date: formatDate(image.dateMs),
    rules: source.plan.chosen.get(image.tag) ?? [],
  };
}

/** Tags the menu's dropdown shows, in output order; lazily, because they may be many. */
export function* displayedTags(source: SourceImages): Generator<string> {
  const { selection, plan } = source;
  for (const { tag } of displayed(listedTags(source), selection.spec.display, plan.nowMs)) yield tag;
}

function* listedTags(source: SourceImages): Generator<Tag> {
  for (const entry of entries(source)) yield 'image' in entry ? entry.image : entry.tag;
}

/** Types that are filtered do not change when aliases are resolved, so the tags as they read will do. */
function* countDisplayed({ selection, plan }: SourceImages): Fold<number> {
  const { names, hiddenByArchitecture } = plan.listing;
  if (Object.keys(selection.spec.display).length === 0) return names.length - hiddenByArchitecture;
  let count = 0;
  yield* foldEach(displayed(readAll(plan.listing), selection.spec.display, plan.nowMs), () => {
    count++;
  });
  return count;
}
