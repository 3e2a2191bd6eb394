/** What the registry answered, as the fields of a record's status. Pure: the same answer always reads the same. */

import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import type { PlatformEntry, PullInfo } from '../../api/record-status.ts';
import { normalisePlatform } from '../../domain/platform.ts';
import { LABEL_PREFIXES, type PullInfo as PullSpecs, selectLabels } from '../../domain/pull-spec.ts';
import {
  formatCanonical,
  formatReference,
  type Reference,
  validateReference,
  withRuntimeDefaults,
} from '../../domain/reference.ts';
import { isEqual } from '../../json.ts';
import { formatTime } from '../../kube/condition.ts';
import type { ResolvedImage, ResolvedPlatform } from '../../registry/image-resolver.ts';
import { describePull } from '../../registry/pull-info.ts';
import type { Status } from './status.ts';

type Image = NonNullable<Status['image']>;

/** Tags of images that hold source code end so, by the convention of build systems. */
const SOURCE_SUFFIX = '-source';

/** The fields of a status that come from the registry. */
export type RegistryFields = Pick<Status, 'image' | 'pullInfo' | 'platforms' | 'labels' | 'source'>;

/** A reference that was resolved, and when. */
export interface Answer {
  readonly reference: Reference;
  readonly found: ResolvedImage;
  /** Wall-clock milliseconds. */
  readonly now: number;
  /** Of a source image: metadata.name of the record whose source code it holds, if its tag says so. */
  readonly sourceFor?: string | undefined;
}

export function describeRecord(
  record: DockerImageRecord,
  before: RegistryFields,
  answer: Answer,
): RegistryFields {
  const { reference, found } = answer;
  const labels = selectLabels(allLabels(found), LABEL_PREFIXES);
  return {
    image: describeImage(before.image, answer),
    pullInfo: describePullInfo(before.pullInfo, answer),
    platforms: found.platforms
      .filter((platform) => isWanted(platform, record.spec.platforms))
      .map((platform) => describePlatform(platform, found, reference)),
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    source: describeSource(record, answer),
  };
}

/** A tag has moved if it is the same tag and the digest is another. */
function describeImage(before: Image | undefined, { reference, found, now }: Answer): Image {
  const { registry, repository, tag } = withRuntimeDefaults(reference);
  const image: Image = { registry, repository, tag, digest: found.digest, mediaType: found.mediaType };
  const isSameTag =
    before?.registry === registry &&
    before.repository === repository &&
    before.tag === tag &&
    reference.digest === undefined;
  if (!isSameTag || before.digest === undefined) return image;
  if (before.digest !== found.digest) {
    return { ...image, previousDigest: before.digest, movedAt: formatTime(now) };
  }
  return { ...image, previousDigest: before.previousDigest, movedAt: before.movedAt };
}

/** The time moves only with the content: an answer that is the same as before is no news. */
function describePullInfo(before: PullInfo | undefined, { reference, found, now }: Answer): PullInfo {
  const info = asStatus(describePull(reference, found));
  const same = isEqual({ ...before, resolvedAt: undefined }, info);
  return { ...info, resolvedAt: same ? before?.resolvedAt : formatTime(now) };
}

/** Ordered pull specs in the words of the status. */
function asStatus({ tagSpecs, digestSpecs, mediaTypes }: PullSpecs): Omit<PullInfo, 'resolvedAt'> {
  return {
    tagSpecs,
    digestSpecs: digestSpecs.map(({ platform, ...spec }) => ({
      ...spec,
      ...(platform && {
        platform: { os: platform.os, architecture: platform.architecture, variant: platform.variant },
      }),
    })),
    mediaTypes,
  };
}

function isWanted(platform: ResolvedPlatform, filter: DockerImageRecord['spec']['platforms']): boolean {
  if (filter === undefined) return true;
  return filter.some((each) => {
    const { os, architecture, variant } = normalisePlatform(each);
    const isSame = platform.os === os && platform.architecture === architecture;
    return isSame && (variant === undefined || platform.variant === variant);
  });
}

/** The tag names this platform alone if the image is no index. */
function describePlatform(
  { os, architecture, variant, digest, mediaType, configDigest, size }: ResolvedPlatform,
  found: ResolvedImage,
  { tag }: Reference,
): PlatformEntry {
  return {
    os,
    architecture,
    variant,
    digest,
    mediaType: mediaType === '' ? undefined : mediaType,
    configDigest,
    compressedSize: size,
    sourceTags: digest === found.digest && tag !== undefined ? [tag] : undefined,
  };
}

/** All labels of the image; platforms of one index hardly ever differ in them, and the first one wins. */
export function allLabels({ platforms }: ResolvedImage): Readonly<Record<string, string>> {
  return Object.assign({}, ...platforms.map(({ labels }) => labels ?? {}).reverse()) as Readonly<
    Record<string, string>
  >;
}

/**
 * Declared by the spec, or guessed: source containers have no labels, but nor have images built from scratch, so the
 * tag must say it too. A guess is shown and changes nothing.
 */
function describeSource(
  { spec }: DockerImageRecord,
  { reference, found, sourceFor }: Answer,
): Status['source'] {
  if (spec.contentKind === 'Source') {
    return { isSource: true, confidence: 'Declared', forRecord: spec.sourceFor ?? sourceFor };
  }
  const looksLikeSource =
    Object.keys(allLabels(found)).length === 0 && reference.tag?.endsWith(SOURCE_SUFFIX) === true;
  return looksLikeSource ? { isSource: true, confidence: 'Heuristic' } : { isSource: false };
}

/** By the tag: `1.0-source` holds the source code of `1.0` in the same repository. */
export function findSourceTarget(
  reference: Reference,
  records: readonly DockerImageRecord[],
): DockerImageRecord | undefined {
  const { registry, repository, tag } = withRuntimeDefaults(reference);
  if (tag?.endsWith(SOURCE_SUFFIX) !== true) return undefined;
  const target = formatReference({ registry, repository, tag: tag.slice(0, -SOURCE_SUFFIX.length) });
  return records.find(({ spec }) => {
    const other = validateReference(spec.image);
    return other.ok && spec.contentKind === 'Runnable' && isTagged(other.value, target);
  });
}

function isTagged({ registry, repository, tag = '' }: Reference, target: string): boolean {
  return formatCanonical({ registry, repository, tag }) === target;
}
