/** What Larder learned about the image of a DockerImageRecord. */
import * as z from 'zod';
import { commonStatusFields } from './common-fields.ts';
import { count, integer, list, map, text, time } from './fields.ts';
import type { Immutable } from './immutable.ts';
import { DIGEST_MAX, TAG_MAX } from './reference-fields.ts';

/** Whether a signature that should exist was found. Nothing is verified. */
const CLAIM_STATES = ['Present', 'Missing'] as const;
const SOURCE_CONFIDENCES = ['Declared', 'Heuristic'] as const;

const registryFields = {
  registry: text(255).describe('Registry.'),
  repository: text(255).describe('Repository in it.'),
};

const mediaType = text(128);

const imageSchema = z.object({
  ...registryFields,
  tag: text(TAG_MAX).optional().describe('Tag, if the reference has one.'),
  digest: text(DIGEST_MAX).optional().describe('Digest that the registry answered last.'),
  mediaType: mediaType.optional().describe('Media type of what the digest names.'),
  previousDigest: text(DIGEST_MAX).optional().describe('Digest before the tag moved.'),
  movedAt: time().optional().describe('When the tag was seen to have moved.'),
});

const tagSpecSchema = z.object({
  ...registryFields,
  tag: text(TAG_MAX).describe('Tag.'),
  mediaTypes: list(mediaType, 4).optional().describe('Media types of its manifest, if known.'),
  reference: text(512).describe('registry/repository:tag'),
});

const specPlatformSchema = z.object({
  os: text(32).describe('Operating system.'),
  architecture: text(32).describe('Architecture.'),
  variant: text(32).optional().describe('Variant.'),
});

const digestSpecSchema = z.object({
  ...registryFields,
  digest: text(DIGEST_MAX).describe('Digest.'),
  mediaType: mediaType.optional().describe('Media type of its manifest, if known.'),
  reference: text(512).describe('registry/repository@digest'),
  platform: specPlatformSchema.optional().describe('Platform, if it is not an index.'),
});

const pullInfoSchema = z.object({
  tagSpecs: list(tagSpecSchema, 4)
    .optional()
    .describe('Ways to pull it by tag; the first is as good as any.'),
  digestSpecs: list(digestSpecSchema, 17)
    .optional()
    .describe('Ways to pull it by digest, best manifest type first; the first is what we pull.'),
  mediaTypes: list(mediaType, 8).optional().describe('Media types of digestSpecs, in that order, each once.'),
  resolvedAt: time().optional().describe('When the registry was asked.'),
});

const platformEntrySchema = z.object({
  os: text(32).describe('Operating system.'),
  architecture: text(32).describe('Architecture, in the words of kubernetes.io/arch.'),
  variant: text(32).optional().describe('Variant, such as v7.'),
  digest: text(DIGEST_MAX).optional().describe('Digest of its manifest.'),
  mediaType: mediaType.optional().describe('Media type of its manifest.'),
  configDigest: text(DIGEST_MAX).optional().describe('Digest of its config.'),
  compressedSize: count().optional().describe('Compressed bytes of layers and config.'),
  sourceTags: list(text(TAG_MAX), 4).optional().describe('Tags that name this platform alone.'),
});

const resolvedSchema = z.object({
  cuda: z
    .object({
      fullVersion: text(16).describe('Full version.'),
      minDriverVersion: text(16).describe('Oldest driver that runs it.'),
    })
    .optional()
    .describe('Row of the CUDA version.'),
  hardware: z
    .object({
      minComputeCapability: text(16).describe('Lowest compute capability of the generation.'),
      maxComputeCapability: text(16).describe('First compute capability above it.'),
    })
    .optional()
    .describe('Row of the hardware generation.'),
  domainDescription: text(32).optional().describe('Long name of the domain.'),
  licenceURL: text(256).optional().describe('Text of the licence.'),
});

const claimSchema = z.object({
  reference: text(512).describe('What should be signed.'),
  digest: text(DIGEST_MAX).describe('Its digest.'),
  key: text(64).describe('Key that should have signed it.'),
  state: z.enum(CLAIM_STATES).describe('Present: a signature exists; it was not verified.'),
});

const signingStatusSchema = z.object({
  claims: list(claimSchema, 16)
    .optional()
    .describe('Signatures looked for: index and platforms times keys, at most 16.'),
  present: count().optional().describe('How many of all exist.'),
  missing: count().optional().describe('How many of all do not.'),
});

const sourceStatusSchema = z.object({
  isSource: z.boolean().describe('Whether the image holds source code only.'),
  confidence: z
    .enum(SOURCE_CONFIDENCES)
    .optional()
    .describe('Declared by spec.contentKind, or guessed from the image.'),
  forRecord: text(253).optional().describe('Record whose source code it is.'),
});

const operatorBundleSchema = z.object({
  package: text(128).optional().describe('Package of the bundle.'),
  channels: list(text(64), 16).optional().describe('Its channels.'),
  defaultChannel: text(64).optional().describe('Its default channel.'),
  mediaType: text(64).optional().describe('Format of the bundle.'),
  openshiftVersions: text(64).optional().describe('OpenShift versions it is made for.'),
  relatedImages: list(text(320), 32)
    .optional()
    .describe('Images that the operator uses, from its CSV, at most 32.'),
  relatedImageCount: count().optional().describe('How many it uses.'),
  missingImages: list(text(320), 8)
    .optional()
    .describe('Those of them that their registry does not have, at most 8.'),
});

const nodesStatusSchema = z.object({
  total: count().describe('Nodes of the cluster.'),
  eligible: count().describe('Nodes whose hardware and platform fit.'),
  names: list(text(253), 16).optional().describe('Some of the eligible nodes, sorted, at most 16.'),
  reasons: list(
    z.object({
      reason: text(64).describe('Why nodes do not fit.'),
      count: count().describe('How many.'),
    }),
    16,
  )
    .optional()
    .describe('Why the others do not fit.'),
});

const holderSchema = z.object({
  apiVersion: text(64).describe('API of the holder.'),
  kind: text(63).describe('Its kind.'),
  namespace: text(63).describe('Its namespace.'),
  name: text(253).describe('Its name.'),
  uid: text(36).optional().describe('Its uid.'),
  fieldPath: text(64).optional().describe('Where it names the record.'),
});

export const recordStatusSchema = z.object({
  ...commonStatusFields(10),
  pk: integer(1, Number.MAX_SAFE_INTEGER).optional().describe('Primary key, never reused, immutable.'),
  image: imageSchema.optional().describe('The image, resolved.'),
  pullInfo: pullInfoSchema.optional().describe('How to pull it, in order of preference.'),
  platforms: list(platformEntrySchema, 16).optional().describe('Runnable platforms of it, at most 16.'),
  labels: map(text(256), 32, 128)
    .optional()
    .describe(
      'Labels of the image that begin with operators.operatorframework., com.redhat. or org.opencontainers.image., at most 32.',
    ),
  resolved: resolvedSchema.optional().describe('Rows of the catalogue that spec names.'),
  signing: signingStatusSchema.optional().describe('Signatures that were looked for.'),
  source: sourceStatusSchema.optional().describe('Whether it is a source image.'),
  operatorBundle: operatorBundleSchema.optional().describe('What the image brings as an operator bundle.'),
  nodes: nodesStatusSchema.optional().describe('Nodes that can run it, and why others cannot.'),
  referenceCount: count().optional().describe('How many objects refer to the record.'),
  references: list(holderSchema, 64).optional().describe('The first 64 of them, sorted.'),
  truncated: z.boolean().optional().describe('Whether a list above is longer than shown.'),
});

/** One of status.references. */
export type RecordReference = Immutable<z.output<typeof holderSchema>>;
/** status.pullInfo. */
export type PullInfo = Immutable<z.output<typeof pullInfoSchema>>;
/** One of status.platforms. */
export type PlatformEntry = Immutable<z.output<typeof platformEntrySchema>>;
