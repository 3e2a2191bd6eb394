/** What an image is: the description that PrepulledImage.status carries (RSPImage of Nublado, and platforms). */
import * as z from 'zod';
import { count, list, text, time } from './fields.ts';
import type { Immutable } from './immutable.ts';
import { DIGEST_MAX, REFERENCE_MAX, TAG_MAX } from './reference-fields.ts';
import { IMAGE_TYPES } from './tag-rules.ts';

const platformSchema = z.object({
  os: text(32).describe('Operating system, such as linux.'),
  architecture: text(32).describe('Architecture, in the words of kubernetes.io/arch.'),
  variant: text(32).optional().describe('Variant, such as v7.'),
  digest: text(DIGEST_MAX).optional().describe('Digest of its manifest.'),
  size: count().optional().describe('Compressed size in bytes: layers and config.'),
});

export const imageDescriptionSchema = z.object({
  reference: text(REFERENCE_MAX).describe('registry/repository:tag, or @digest if there is no tag.'),
  referenceWithDigest: text(REFERENCE_MAX).optional().describe('registry/repository:tag@digest'),
  registry: text(255).describe('Registry that it comes from.'),
  repository: text(255).describe('Repository in it.'),
  tag: text(TAG_MAX).optional().describe('Tag, unmodified.'),
  digest: text(DIGEST_MAX).optional().describe('Digest, of the index if it is one.'),
  mediaType: text(128).optional().describe('Media type of what the digest names.'),
  platforms: list(platformSchema, 16).optional().describe('Platforms it runs on, at most 16.'),
  type: z.enum(IMAGE_TYPES).optional().describe('Type that the grammar found.'),
  displayName: text(256).optional().describe('Tag formatted for people.'),
  base: text(TAG_MAX).optional().describe('Base of the tag, for unknown and alias tags.'),
  version: text(TAG_MAX).optional().describe('Version as a semantic version.'),
  cycle: text(TAG_MAX).optional().describe('RSP: XML schema version.'),
  cycleBuild: text(TAG_MAX).optional().describe('RSP: XML schema build number.'),
  rspBuild: text(TAG_MAX).optional().describe('RSP: version of the build machinery.'),
  architecture: text(TAG_MAX).optional().describe('Architecture that the tag names.'),
  extra: text(TAG_MAX).optional().describe('Rest of the tag.'),
  date: time().optional().describe('When it was made, as close as the tag tells.'),
  size: count().optional().describe('Compressed size in bytes of the largest platform.'),
  aliases: list(text(TAG_MAX), 16).optional().describe('Other tags of the same image, sorted.'),
  aliasTarget: text(TAG_MAX).optional().describe('The tag that this alias points to.'),
  possibleAlias: z.boolean().optional().describe('Whether the tag could be an alias.'),
});

/** One of status.image.platforms. */
export type ImagePlatform = Immutable<z.output<typeof platformSchema>>;
/** status.image of a PrepulledImage. */
export type ImageDescription = Immutable<z.output<typeof imageDescriptionSchema>>;
