/** ImageSource: one repository to watch, and what of it matters. */
import * as z from 'zod';
import type { DigestScope } from '../domain/selection-spec.ts';
import { commonSpecFields, commonStatusFields } from './common-fields.ts';
import { AGE_COLUMN, conditionPath, type KindDefinition } from './crd-definition.ts';
import { count, duration, integer, list, localReference, map, text, time, withRules } from './fields.ts';
import { API_VERSION } from './group-version.ts';
import type { Immutable, Parsed } from './immutable.ts';
import { metadataSchema } from './metadata.ts';
import { prepullTemplateSchema } from './prepull.ts';
import { digest, repositoryReference, TAG_MAX, tag } from './reference-fields.ts';
import { displaySchema, IMAGE_TYPES, selectSchema, tagsSchema } from './tag-rules.ts';

const DIGEST_SCOPES = ['Selected', 'Named', 'All'] as const satisfies readonly DigestScope[];
const RETIRE_POLICIES = ['Delete', 'Keep'] as const;

const guardSchema = z.object({
  maxTags: integer(1, 1_000_000).default(100_000).describe('A longer tag list is refused.'),
  maxRemovedPercent: integer(0, 100)
    .default(50)
    .describe(
      'A scan that loses more of the known tags than this is not believed until three equal scans over an hour, or a reconcile request.',
    ),
});

const webhookSchema = z.object({
  enabled: z
    .boolean()
    .default(false)
    .describe('Accept push events of the registry; status.webhookPath says where.'),
  secretRef: localReference('Secret')
    .optional()
    .describe('Secret with key token, the signature or shared secret of the events. Without: one is made.'),
});

export const imageSourceSpecSchema = z.object({
  image: repositoryReference().describe(
    'Registry and repository to watch, such as registry.example.org/sciplat/lab; no tag, no digest, no scheme.',
  ),
  ...commonSpecFields,
  timeout: duration('1s').default('1m').describe('Time for one whole scan.'),
  tags: tagsSchema.prefault({}).describe('How tags are read.'),
  select: selectSchema
    .optional()
    .describe(
      'Which images are stocked: a tag is selected if any rule keeps it; earlier rules have priority. Without: for grammar RSP release 1, weekly 2, daily 3, else the newest stable version. An empty list selects only the recommended image.',
    ),
  display: displaySchema
    .optional()
    .describe(
      'What the dropdown of the menu shows. Without: everything. The list "all" of the spawner API ignores it.',
    ),
  digests: z
    .enum(DIGEST_SCOPES)
    .default('Named')
    .describe(
      'Whose digests are asked for: Selected tags only, Named: and of tags.aliases, All: of every displayed tag.',
    ),
  prepull: prepullTemplateSchema
    .optional()
    .describe('Template of the PrepulledImages that stock the nodes. Without: watch and publish only.'),
  retire: z
    .enum(RETIRE_POLICIES)
    .default('Delete')
    .describe(
      'What becomes of a PrepulledImage that is no longer selected; Keep only removes the owner reference.',
    ),
  guard: guardSchema.prefault({}).describe('When a scan is not believed.'),
  allowDowngrade: z
    .boolean()
    .default(false)
    .describe(
      'Whether an older list, as after an outage of the registry, may move recommended and latest back.',
    ),
  webhook: webhookSchema.prefault({}).describe('Push events of the registry.'),
});

const namedImageFields = {
  reference: text(330).describe('registry/repository:tag'),
  tag: tag().describe('Tag of the image.'),
  name: text(256).describe('Tag formatted for people.'),
  digest: digest().optional().describe('Digest, if known.'),
  aliases: list(text(TAG_MAX), 8).optional().describe('Other tags of the same image, at most 8.'),
  prepulled: z.boolean().describe('Whether every eligible node has it.'),
};

/** One image in the words of the spawner API. */
export const namedImageSchema = z.object(namedImageFields);

const selectedImageSchema = z.object({
  ...namedImageFields,
  type: z.enum(IMAGE_TYPES).describe('Type that the grammar found.'),
  version: text(TAG_MAX).optional().describe('Version, if the tag has one.'),
  date: time().optional().describe('Date, if the tag says one.'),
  rules: list(text(32), 4).optional().describe('Names of the rules that keep it, at most 4.'),
});

const scanSchema = z.object({
  tags: count().optional().describe('Tags in the list.'),
  pages: count().optional().describe('Pages it came in.'),
  requests: count().optional().describe('All requests of the scan.'),
  headRequests: count().optional().describe('Those of them that asked for a digest.'),
  durationMs: count().optional().describe('Milliseconds it took.'),
  listRevision: text(128).optional().describe('Changes when the list does.'),
  hiddenByArchitecture: count().optional().describe('Tags hidden because they end in an architecture.'),
  hiddenByCycle: count().optional().describe('Tags hidden because their cycle is another.'),
  ignored: count().optional().describe('Entries of the list that are no tags.'),
  failedDigests: count()
    .optional()
    .describe('Tags whose digest could not be asked for; those seen before keep their last one.'),
  warnings: list(text(256), 8).optional().describe('What went wrong with single tags.'),
});

const rejectedSchema = z.object({
  listRevision: text(128).describe('The list that was not believed.'),
  scans: count().describe('How often in a row it was seen.'),
  since: time().describe('When it was seen first.'),
  tags: count().optional().describe('Its length.'),
  removedPercent: integer(0, 100).optional().describe('Share of the known tags it lacks.'),
});

const countsSchema = z.object({
  known: count().optional().describe('Tags of the source, after include and exclude.'),
  displayed: count().optional().describe('Tags that the dropdown shows.'),
  selected: count().optional().describe('Images that are selected.'),
  prepulled: count().optional().describe('Selected images that every eligible node has.'),
});

export const imageSourceStatusSchema = z.object({
  ...commonStatusFields(6),
  lastScanTime: time().optional().describe('End of the last scan that succeeded.'),
  nextScanTime: time().optional().describe('When the next one is due; later and later while scans fail.'),
  failedScans: count().optional().describe('Scans in a row that failed; absent if the last one succeeded.'),
  scan: scanSchema.optional().describe('The last scan that succeeded.'),
  rejected: rejectedSchema.optional().describe('A list that guard did not believe yet.'),
  webhookPath: text(256).optional().describe('Path of the server to send push events to.'),
  lastHandledPush: text(64)
    .optional()
    .describe('Revision of the annotation larder.dev/pushed-tags that was answered last.'),
  recommended: namedImageSchema.optional().describe('The recommended image.'),
  latestWeekly: namedImageSchema.optional().describe('The newest weekly among the selected images.'),
  latestDaily: namedImageSchema.optional().describe('The newest daily among the selected images.'),
  latestRelease: namedImageSchema.optional().describe('The newest release among the selected images.'),
  images: list(selectedImageSchema, 50)
    .optional()
    .describe('The selected images, in the order of the menu; at most 50.'),
  truncated: z
    .boolean()
    .optional()
    .describe('Whether a list above is longer than shown; the HTTP API serves all.'),
  counts: countsSchema.optional().describe('How many images there are.'),
  newestSeen: map(text(TAG_MAX), 16, 64)
    .optional()
    .describe('Newest tag ever seen, per series; an older list does not move it back.'),
});

export const imageSourceSchema = withRules(
  z.object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('ImageSource'),
    metadata: metadataSchema,
    spec: imageSourceSpecSchema.describe('What to watch, and what of it matters.'),
    status: imageSourceStatusSchema.optional().describe('What was found; written by Larder only.'),
  }),
  [
    {
      rule: 'size(self.metadata.name) <= 63',
      message:
        'the name of an ImageSource has at most 63 characters, because it becomes a label of its children',
      check: ({ metadata }) => metadata.name.length <= 63,
    },
  ],
);

/** An ImageSource with all defaults filled in, as the API server returns it. */
export interface ImageSource extends Immutable<Omit<z.output<typeof imageSourceSchema>, 'spec'>> {
  readonly spec: ImageSourceSpec;
}
/** Defaults filled in, as the API server returns it. */
export type ImageSourceSpec = Parsed<z.output<typeof imageSourceSpecSchema>>;
/** Absent as a whole until the first pass. */
export type ImageSourceStatus = Immutable<z.output<typeof imageSourceStatusSchema>>;
/** An ImageSource as a person writes it, defaults left out. */
export type ImageSourceManifest = Immutable<z.input<typeof imageSourceSchema>>;
/** One of status.recommended, latestWeekly, … */
export type NamedImage = Immutable<z.output<typeof namedImageSchema>>;
/** One of status.images. */
export type SelectedImage = Immutable<z.output<typeof selectedImageSchema>>;

export const imageSourceDefinition: KindDefinition = {
  kind: 'ImageSource',
  singular: 'imagesource',
  shortName: 'imgsrc',
  description: 'ImageSource watches one repository and decides which of its images are stocked.',
  schema: imageSourceSchema,
  printerColumns: [
    { name: 'Image', type: 'string', jsonPath: '.spec.image', description: 'Registry and repository.' },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: conditionPath('Ready', 'status'),
      description: 'Whether the last scan can be trusted.',
    },
    {
      name: 'Recommended',
      type: 'string',
      jsonPath: '.status.recommended.tag',
      description: 'Tag of the recommended image.',
    },
    { name: 'Images', type: 'integer', jsonPath: '.status.counts.selected', description: 'Selected images.' },
    {
      name: 'Prepulled',
      type: 'integer',
      jsonPath: '.status.counts.prepulled',
      description: 'Selected images that every eligible node has.',
    },
    AGE_COLUMN,
    {
      name: 'Last Scan',
      type: 'date',
      jsonPath: '.status.lastScanTime',
      description: 'Time since the last scan that succeeded.',
      priority: 1,
    },
    {
      name: 'Next Scan',
      type: 'string',
      jsonPath: '.status.nextScanTime',
      description: 'When the next scan is due.',
      priority: 1,
    },
    {
      name: 'Tags',
      type: 'integer',
      jsonPath: '.status.scan.tags',
      description: 'Tags in the list of the registry.',
      priority: 1,
    },
    {
      name: 'Status',
      type: 'string',
      jsonPath: conditionPath('Ready', 'message'),
      description: 'Why it is ready or not.',
      priority: 1,
    },
  ],
  selectableFields: [],
};
