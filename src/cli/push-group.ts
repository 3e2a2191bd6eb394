/** Push items by image: pushsource makes one for each architecture, and for each signing key, of the same image. */

import type { PullInfo, TagSpec } from '../domain/pull-spec.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { type ImageItem, type Refusal, SOURCE_TYPE } from './push-item-file.ts';

/** What all items of an image agree in. */
export interface ImageHead {
  readonly name: string;
  readonly version: string;
  /** Reference with tag and digest, or what there is of the two. */
  readonly image: string;
  readonly isSource: boolean;
}

/** The items of one image, in the order of the input, never empty. */
export interface ImageGroup {
  readonly head: ImageHead;
  readonly first: ImageItem;
  readonly items: readonly ImageItem[];
}

interface OpenGroup extends ImageGroup {
  readonly items: ImageItem[];
}

/** Groups in the order of their first items; no two have one image, or one name and version. */
export function groupByImage(items: readonly ImageItem[]): {
  readonly groups: readonly ImageGroup[];
  readonly refusals: readonly Refusal[];
} {
  const byImage = new Map<string, OpenGroup>();
  const byName = new Map<string, OpenGroup>();
  const refusals: Refusal[] = [];
  for (const item of items) {
    const head = headOf(item);
    const group = head.ok ? findGroup(head.value, byImage, byName) : head;
    if (!group.ok) refusals.push({ indexes: [item.index], reason: group.error });
    else if (group.value !== undefined) group.value.items.push(item);
    else if (head.ok) {
      const opened = { head: head.value, first: item, items: [item] };
      byImage.set(head.value.image, opened);
      byName.set(nameKey(head.value), opened);
    }
  }
  return { groups: [...byImage.values()], refusals };
}

/** The group that the image belongs to; undefined if it is the first of one. */
function findGroup(
  head: ImageHead,
  byImage: ReadonlyMap<string, OpenGroup>,
  byName: ReadonlyMap<string, OpenGroup>,
): Result<OpenGroup | undefined> {
  const same = byImage.get(head.image);
  const twin = byName.get(nameKey(head));
  if (same !== undefined) {
    return same === twin && same.head.isSource === head.isSource
      ? ok(same)
      : err(`build or type differs from items[${same.first.index}], which is the same image`);
  }
  if (twin === undefined) return ok(undefined);
  return err(
    `pull_info is another image than that of items[${twin.first.index}], which has the same name and version: ` +
      `${head.image} and ${twin.head.image}`,
  );
}

function nameKey({ name, version }: ImageHead): string {
  return `${name}\0${version}`;
}

/** Name and version are those of the build; without one, repository and tag. */
function headOf({ build, pullInfo, type }: ImageItem): Result<ImageHead> {
  const rest = { image: imageOf(pullInfo), isSource: type === SOURCE_TYPE };
  if (build !== undefined) {
    return ok({ name: build.name, version: `${build.version}-${build.release}`, ...rest });
  }
  const tag = findTag(pullInfo);
  if (tag === undefined) return err('build is missing, and pull_info has no tag to be the version');
  return ok({ name: tag.repository, version: tag.tag, ...rest });
}

/** The best digest under the first tag of its repository. */
function imageOf(info: PullInfo): string {
  const [best] = info.digestSpecs;
  const tag = findTag(info);
  if (best === undefined) return tag?.reference ?? '';
  return tag === undefined ? best.reference : `${tag.reference}@${best.digest}`;
}

function findTag({ tagSpecs, digestSpecs: [best] }: PullInfo): TagSpec | undefined {
  if (best === undefined) return tagSpecs[0];
  return tagSpecs.find(
    ({ registry, repository }) => registry === best.registry && repository === best.repository,
  );
}
