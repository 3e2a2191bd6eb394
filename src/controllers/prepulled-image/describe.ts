/** status.image: what the image is, in the words of RSPImage of Nublado, whatever grammar its tag is read with. */

import type { ImageDescription } from '../../api/image-description.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import { allAliases, type Image, makeImage, resolveAlias } from '../../domain/image.ts';
import { formatReference, type Reference } from '../../domain/reference.ts';
import { createGrammar } from '../../domain/tag/grammar.ts';
import { formatDate, formatTagVersion, isPossibleAlias } from '../../domain/tag/tag.ts';
import type { ResolvedImage } from '../../registry/image-resolver.ts';

const MAX_PLATFORMS = 16;
const MAX_ALIASES = 16;

/** `found` is undefined if the registry could not be asked; the digest then is the one of the reference. */
export function describeImage(
  object: PrepulledImage,
  reference: Reference,
  found: ResolvedImage | undefined,
): ImageDescription {
  const { tag, registry, repository } = reference;
  const digest = found?.digest ?? reference.digest;
  const named: Reference = { registry, repository, ...(tag !== undefined && { tag }) };
  const pinned: Reference = digest === undefined ? named : { ...named, digest };
  return {
    reference: formatReference(tag === undefined ? pinned : named),
    referenceWithDigest: digest === undefined ? undefined : formatReference(pinned),
    registry,
    repository,
    tag,
    digest,
    ...(found !== undefined && registryFacts(found)),
    ...(tag !== undefined && tagFacts(object, { ...named, tag })),
  };
}

function registryFacts(found: ResolvedImage): Partial<ImageDescription> {
  return {
    mediaType: found.mediaType,
    size: found.size,
    platforms: found.platforms
      .slice(0, MAX_PLATFORMS)
      .map(({ os, architecture, variant, digest, size }) => ({ os, architecture, variant, digest, size })),
  };
}

function tagFacts(
  object: PrepulledImage,
  reference: Reference & { readonly tag: string },
): Partial<ImageDescription> {
  const image = readImage(object, reference);
  return {
    type: image.type,
    displayName: image.displayName,
    base: image.base ?? undefined,
    version: formatTagVersion(image) ?? undefined,
    cycle: image.cycle?.toString(),
    cycleBuild: image.cycleBuild?.toString(),
    rspBuild: image.rspBuild?.toString(),
    architecture: image.architecture ?? undefined,
    extra: image.extra ?? undefined,
    date: formatDate(image.dateMs) ?? undefined,
    aliases: aliasesOf(object, image),
    aliasTarget: image.aliasTarget ?? undefined,
    possibleAlias: isPossibleAlias(image),
  };
}

/** The tag read by the grammar that the source named; an alias whose target is known takes its name and date. */
function readImage({ spec }: PrepulledImage, reference: Reference & { readonly tag: string }): Image {
  const grammar = createGrammar({
    name: spec.grammar ?? 'Plain',
    recommended: '',
    aliases: [],
    architectures: [],
  });
  const image = makeImage(reference, grammar.read(reference.tag));
  if (spec.aliasTarget === undefined || !isPossibleAlias(image)) return image;
  return resolveAlias(image, makeImage(reference, grammar.read(spec.aliasTarget)));
}

function aliasesOf({ spec }: PrepulledImage, image: Image): readonly string[] | undefined {
  const aliases = [...new Set([...(spec.aliases ?? []), ...allAliases(image)])].sort().slice(0, MAX_ALIASES);
  return aliases.length === 0 ? undefined : aliases;
}
