/** One line of a source's list as the routes tell it, and which lines a question is about. */

import type * as z from 'zod';
import { allAliases, type Image, imageReference, makeImage } from '../domain/image.ts';
import { type Entry, entries } from '../domain/source-images.ts';
import { isPrepulled } from '../domain/spawner.ts';
import { formatDate, formatTagVersion } from '../domain/tag/tag.ts';
import type { listedImageSchema } from './answers.ts';
import type { SourceView } from './source-view.ts';
import { collectSlowly } from './stringify.ts';

type Listed = z.output<typeof listedImageSchema>;

/** Absent parts ask for everything. */
export interface ImageFilter {
  readonly type?: string | undefined;
  readonly selected?: boolean | undefined;
  readonly prepulled?: boolean | undefined;
  /** Part of the tag. */
  readonly tag?: string | undefined;
  /** Which nodes an image must be on to count as prepulled; absent: every eligible one. */
  readonly nodes?: readonly string[] | undefined;
}

/** The images of the whole list that fit, in its order. */
export async function findImages(view: SourceView, filter: ImageFilter): Promise<readonly Image[]> {
  const { type, selected, prepulled, tag } = filter;
  const isOn = presenceTest(view, filter.nodes);
  const tests: readonly ((image: Image) => boolean)[] = [
    ...(type === undefined ? [] : [(image: Image) => image.type === type]),
    ...(tag === undefined ? [] : [(image: Image) => image.tag.includes(tag)]),
    ...(selected === undefined ? [] : [(image: Image) => isSelected(view, image) === selected]),
    ...(prepulled === undefined ? [] : [(image: Image) => isOn(image) === prepulled]),
  ];
  return collectSlowly(allImages(view), (image) => tests.every((fits) => fits(image)));
}

function* allImages(view: SourceView): Generator<Image> {
  for (const entry of entries(view.images)) yield imageOf(view, entry);
}

export function describeListed(view: SourceView, image: Image, nodes?: readonly string[]): Listed {
  const { tag, displayName: name, digest, type, aliasTarget, size } = image;
  const version = formatTagVersion(image);
  return {
    reference: imageReference(image),
    tag,
    name,
    ...(digest !== null && { digest }),
    aliases: [...allAliases(image)],
    prepulled: presenceTest(view, nodes)(image),
    type,
    version,
    date: formatDate(image.dateMs),
    aliasTarget,
    size,
    selected: isSelected(view, image),
    rules: [...(view.images.plan.chosen.get(tag) ?? [])],
    nodes: nodesWith(view, image).size,
  };
}

/** A tag whose digest was not asked for is an image of which only the name is known. */
function imageOf({ images }: SourceView, entry: Entry): Image {
  return 'image' in entry ? entry.image : makeImage(images.selection.spec.image, entry.tag);
}

function isSelected({ images }: SourceView, { tag }: Image): boolean {
  return images.plan.chosen.has(tag);
}

/** For a set of nodes that the caller names, a node that is skipped has not got it; for all of them, it need not. */
function presenceTest(view: SourceView, nodes: readonly string[] | undefined): (image: Image) => boolean {
  if (nodes === undefined) return (image) => isPrepulled(image, view.images.eligibleNodes);
  return (image) => {
    const having = nodesWith(view, image);
    return image.digest !== null && nodes.every((node) => having.has(node));
  };
}

function nodesWith({ skipped }: SourceView, { digest, nodes }: Image): ReadonlySet<string> {
  const spared = digest === null ? undefined : skipped.get(digest);
  return spared === undefined || spared.size === 0 ? nodes : nodes.difference(spared);
}
