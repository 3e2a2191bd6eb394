/** Reads a koji container build, as pushsource does, into our pull specs: real builds as fixtures. */

import {
  architectureOf,
  buildDigestSpec,
  buildPullInfo,
  buildTagSpec,
  type DigestSpec,
  type TagSpec,
} from '../../src/domain/pull-spec.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { err, ok, type Result } from '../../src/domain/result.ts';
import { DOCKER_LIST } from '../../src/registry/media-types.ts';

export interface KojiBuild {
  readonly image?: {
    readonly index?: {
      readonly digests?: Digests;
      readonly pull?: readonly string[];
      readonly unique_tags?: readonly string[];
    };
    readonly media_types?: readonly string[];
    readonly sources_for_nvr?: string;
    readonly operator_manifests?: {
      readonly related_images?: { readonly pullspecs?: readonly { readonly new?: string }[] };
    };
  };
  readonly 'operator-manifests'?: { readonly archive?: string } | null;
  readonly archives?: readonly KojiArchive[];
}

interface KojiArchive {
  readonly filename: string;
  readonly btype: string;
  readonly type_name: string;
  readonly arch?: string | null;
  readonly 'config.architecture'?: string | null;
  readonly docker: { readonly digests?: Digests; readonly repositories?: readonly string[] };
}

/** Digest by media type. */
type Digests = Readonly<Record<string, string>>;

export interface DescribedBuild {
  readonly images: readonly unknown[];
  readonly relatedImages: readonly string[];
}

/** A build in the terms of the cases; an error where pushsource raises one. */
export function describeBuild(build: KojiBuild | undefined): Result<DescribedBuild> {
  if (build === undefined) return err('no such build');
  const { image = {}, archives = [] } = build;
  const images = archives.filter(({ btype, type_name: type }) => btype === 'image' && type === 'tar');
  if (!hasManifestList(image) && images.length !== 1)
    return err('exactly one image archive is needed without a manifest list');
  const bundle = build['operator-manifests']?.archive;
  const hasBundle = archives.some(({ filename }) => filename === bundle);
  if (bundle !== undefined && !hasBundle) return err('the bundle archive is missing');
  return ok({
    images: images.map((archive) => describeArchive(archive, image)),
    relatedImages: hasBundle ? relatedImages(image) : [],
  });
}

/** The specs under another tag: the unique one that a build made beside a floating one. */
export function replaceTag(specs: readonly TagSpec[], tag: string): readonly TagSpec[] {
  return specs.map((spec) => buildTagSpec(spec, tag, spec.mediaTypes));
}

function hasManifestList({ media_types: types }: NonNullable<KojiBuild['image']>): boolean {
  return types?.includes(DOCKER_LIST) === true;
}

function relatedImages(image: NonNullable<KojiBuild['image']>): readonly string[] {
  const specs = image.operator_manifests?.related_images?.pullspecs ?? [];
  return specs.flatMap((spec) => spec.new ?? []).filter((text) => text !== '');
}

function describeArchive(archive: KojiArchive, image: NonNullable<KojiBuild['image']>): unknown {
  const { arch, docker, 'config.architecture': config } = archive;
  const index = { digests: {}, pull: [], unique_tags: [], ...image.index };
  const own = { digests: {}, repositories: [], ...docker };
  const listTypes = DOCKER_LIST in index.digests ? [DOCKER_LIST] : [];
  const info = buildPullInfo(
    [
      ...replaceTag(tagSpecs(index.pull, listTypes), index.unique_tags[0] ?? ''),
      ...tagSpecs(own.repositories, []),
    ],
    [...digestSpecs(index.pull, index.digests), ...digestSpecs(own.repositories, own.digests)],
  );
  return {
    isSource: image.sources_for_nvr !== undefined,
    architecture: architectureOf({ config: config ?? undefined, platform: arch ?? undefined }),
    tags: info.tagSpecs.map(({ tag, mediaTypes }) => [tag, mediaTypes]),
    digests: info.digestSpecs.map(({ digest, mediaType }) => [digest, mediaType]),
    mediaTypes: info.mediaTypes,
  };
}

function tagSpecs(pull: readonly string[], mediaTypes: readonly string[]): readonly TagSpec[] {
  return pull
    .filter((spec) => !spec.includes('@'))
    .map((spec) => parseReference(spec))
    .map((reference) => buildTagSpec(reference, reference.tag ?? '', mediaTypes));
}

function digestSpecs(pull: readonly string[], digests: Digests): readonly DigestSpec[] {
  const types = new Map(Object.entries(digests).map(([type, digest]) => [digest, type]));
  return pull
    .filter((spec) => spec.includes('@'))
    .map((spec) => parseReference(spec))
    .map((reference) =>
      buildDigestSpec(reference, reference.digest ?? '', { mediaType: types.get(reference.digest ?? '') }),
    );
}
