/** What spawners are told about a source: the SpawnerImages JSON, the menu and its dropdown. */

import { displayed } from './display.ts';
import { allAliases, type Image, imageReference, imageReferenceWithDigest } from './image.ts';
import { isOnAll } from './image-collection.ts';
import { formatReference } from './reference.ts';
import { type Entry, entries, type SourceImages } from './source-images.ts';
import type { Tag, TagType } from './tag/tag.ts';

/** One image in the SpawnerImages JSON; `digest` is left out if it is not known. */
export interface SpawnerImage {
  readonly reference: string;
  readonly tag: string;
  readonly name: string;
  readonly digest?: string;
  readonly aliases: readonly string[];
  readonly prepulled: boolean;
}

/** Fields are left out where there is no such image; `all` holds no tags for one architecture. */
export interface SpawnerImages {
  readonly recommended?: SpawnerImage;
  readonly latest_weekly?: SpawnerImage;
  readonly latest_daily?: SpawnerImage;
  readonly latest_release?: SpawnerImage;
  readonly all: readonly SpawnerImage[];
}

/** A line of the spawn form; the reference has the digest if it is known. */
export interface MenuImage {
  readonly reference: string;
  readonly name: string;
}

/** Keywords that stand for one of the selected images. */
export const IMAGE_CLASSES = ['recommended', 'latest-release', 'latest-weekly', 'latest-daily'] as const;
export type ImageClass = (typeof IMAGE_CLASSES)[number];

const CLASS_TYPES: Readonly<Record<Exclude<ImageClass, 'recommended'>, TagType>> = {
  'latest-release': 'release',
  'latest-weekly': 'weekly',
  'latest-daily': 'daily',
};

/** The image of a keyword, among the selected ones only; it may still be unpulled, or for one architecture. */
export function imageForClass(
  { selection, selected }: SourceImages,
  imageClass: ImageClass,
): Image | undefined {
  return imageClass === 'recommended'
    ? selected.imageForTag(selection.spec.grammar.recommended)
    : selected.latest(CLASS_TYPES[imageClass]);
}

/** The JSON of `GET /spawner/v1/images`. Without any eligible node every image with a digest counts as prepulled. */
export function spawnerImages(source: SourceImages): SpawnerImages {
  return { ...spawnerHeadlines(source), all: [...prepulledImages(source, source.eligibleNodes)] };
}

/** The same without the list, which may be long. */
export function spawnerHeadlines(source: SourceImages): Omit<SpawnerImages, 'all'> {
  const field = (name: ImageClass): SpawnerImage | undefined => {
    const image = imageForClass(source, name);
    return image && spawnerImage(image, source.eligibleNodes);
  };
  const recommended = field('recommended');
  const weekly = field('latest-weekly');
  const daily = field('latest-daily');
  const release = field('latest-release');
  return {
    ...(recommended && { recommended }),
    ...(weekly && { latest_weekly: weekly }),
    ...(daily && { latest_daily: daily }),
    ...(release && { latest_release: release }),
  };
}

/** The whole list, with `prepulled` meaning on every one of `nodes`; lazily, because it may be long. */
export function* prepulledImages(source: SourceImages, nodes: ReadonlySet<string>): Generator<SpawnerImage> {
  for (const entry of entries(source)) {
    yield 'image' in entry ? spawnerImage(entry.image, nodes) : unresolvedImage(source, entry.tag);
  }
}

/** Selected images on every eligible node, each once; the recommended one first even if it is on none. */
export function menuImages({ selection, selected, eligibleNodes }: SourceImages): readonly MenuImage[] {
  const listed = selected.list({ aliased: true });
  const isRecommended = (image: Image): boolean => image.tag === selection.spec.grammar.recommended;
  const others = listed.filter((image) => !isRecommended(image) && isPrepulled(image, eligibleNodes));
  return [...listed.filter(isRecommended), ...others].map(menuImage);
}

/** The whole list through `spec.display`. */
export function dropdownImages(source: SourceImages, nowMs: number): readonly MenuImage[] {
  const lines = [...entries(source)];
  const byTag = new Map(lines.map((entry) => [tagOf(entry), entry]));
  const shown = displayed([...byTag.keys()], source.selection.spec.display, nowMs);
  return [...shown].map((tag) => {
    const entry = byTag.get(tag);
    if (entry !== undefined && 'image' in entry) return menuImage(entry.image);
    return { reference: referenceOf(source, tag), name: tag.displayName };
  });
}

/** On every one of the nodes; an image whose digest nobody knows is on none, whatever the nodes are. */
export function isPrepulled(image: Image, nodes: ReadonlySet<string>): boolean {
  return image.digest !== null && isOnAll(image, nodes);
}

function spawnerImage(image: Image, nodes: ReadonlySet<string>): SpawnerImage {
  return {
    reference: imageReference(image),
    tag: image.tag,
    name: image.displayName,
    ...(image.digest !== null && { digest: image.digest }),
    aliases: allAliases(image),
    prepulled: isPrepulled(image, nodes),
  };
}

function unresolvedImage(source: SourceImages, tag: Tag): SpawnerImage {
  const reference = referenceOf(source, tag);
  return { reference, tag: tag.tag, name: tag.displayName, aliases: [], prepulled: false };
}

function menuImage(image: Image): MenuImage {
  return { reference: imageReferenceWithDigest(image), name: image.displayName };
}

/** The tag as it reads after aliases were resolved only where the list is ordered so: the original does the same. */
function tagOf(entry: Entry): Tag {
  return 'image' in entry ? entry.image : entry.tag;
}

function referenceOf({ selection }: SourceImages, { tag }: Tag): string {
  return formatReference({ ...selection.spec.image, tag });
}
