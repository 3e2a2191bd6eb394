/** PrepulledImage: one image that must be on nodes. */
import * as z from 'zod';
import { commonSpecFields, commonStatusFields } from './common-fields.ts';
import { AGE_COLUMN, conditionPath, type KindDefinition } from './crd-definition.ts';
import {
  celString,
  count,
  integer,
  list,
  localReference,
  matching,
  text,
  time,
  withRules,
} from './fields.ts';
import { API_VERSION } from './group-version.ts';
import { imageDescriptionSchema } from './image-description.ts';
import type { Immutable, Parsed } from './immutable.ts';
import { metadataSchema } from './metadata.ts';
import { stockingFields } from './prepull.ts';
import { HAS_TAG_PATTERN, imageReference, tag } from './reference-fields.ts';
import { GRAMMARS } from './tag-rules.ts';

/** What is known about an image on a node that may lack it. */
export const NODE_STATES = ['Unknown', 'Pulling', 'Waiting', 'Failed', 'Skipped'] as const;
export type NodeState = (typeof NODE_STATES)[number];

/**
 * Who is to blame for a failed pull, and so what is held back. Image: wrong everywhere. Registry: wrong for every image
 * of it. Node: wrong there. Admission: the pod was refused.
 */
const FAILURE_CLASSES = ['Image', 'Registry', 'Node', 'Admission'] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];

const specFields = z.object({
  image: imageReference().describe(
    'Reference with a tag, a digest or both. Only a tag: it is resolved again every interval.',
  ),
  ...commonSpecFields,
  recordRef: localReference('DockerImageRecord')
    .optional()
    .describe('The catalogue entry that this image belongs to; counts as a reference to it.'),
  grammar: z.enum(GRAMMARS).optional().describe('Set by the source: how the tag is read.'),
  aliases: list(tag(), 16).optional().describe('Set by the source: other tags of the same image.'),
  aliasTarget: tag().optional().describe('Set by the source: the tag that this alias points to.'),
  ...stockingFields,
});

export const prepulledImageSpecSchema = withRules(specFields, [
  {
    rule: `self.pull.by == 'Digest' || self.image.matches(${celString(HAS_TAG_PATTERN)})`,
    message: 'pull.by Tag and Both need a tag in image',
    fieldPath: '.pull.by',
    check: ({ pull, image }) => pull.by === 'Digest' || new RegExp(HAS_TAG_PATTERN, 'u').test(image),
  },
]);

const nodeCountsSchema = z.object({
  eligible: count().describe('Nodes that want the image and could pull it now.'),
  present: count().describe('Eligible nodes that have it.'),
  unknown: count().describe('Eligible nodes of which it is not known.'),
  pulling: count().describe('Eligible nodes with a pull pod for it.'),
  waiting: count().describe('Eligible nodes whose turn has not come.'),
  failed: count().describe('Eligible nodes where the last attempt failed.'),
  skipped: count().describe('Nodes that want it and cannot have it now: cordoned, not ready, full, …'),
});

const notPresentSchema = z.object({
  node: text(253).describe('Name of the node.'),
  state: z.enum(NODE_STATES).describe('What is being done about it.'),
  reason: matching('^[A-Z][A-Za-z0-9]*$', 'must be CamelCase', 64).describe('Why, as one word.'),
  message: text(256).optional().describe('Why, as a sentence.'),
  attempts: integer(0, 2 ** 31 - 1)
    .optional()
    .describe('Attempts that failed in a row.'),
  lastAttempt: time().optional().describe('When the last one began.'),
});

const backoffSchema = z.object({
  class: z
    .enum(FAILURE_CLASSES)
    .describe('What is held back: the image, its registry, single nodes, or creating pods.'),
  attempts: integer(0, 2 ** 31 - 1).describe('Attempts that failed in a row.'),
  nextAttempt: time().describe('Nodes that are not listed try again no sooner than this.'),
});

/** Whether all nodes are held back, and not only single ones, each for its own reason. */
export function isHeldBackEverywhere(backoff: { readonly class: FailureClass } | undefined): boolean {
  return backoff?.class === 'Image' || backoff?.class === 'Registry';
}

export const prepulledImageStatusSchema = z.object({
  ...commonStatusFields(8),
  stockedGeneration: count()
    .optional()
    .describe(
      'Last generation that was on minReady of its nodes; nodes that join later do not count at once.',
    ),
  coverageTime: time()
    .optional()
    .describe(
      'When the figures below were true. An eligible node older than this, not in an untruncated notPresent, has the image.',
    ),
  image: imageDescriptionSchema.optional().describe('What the image is.'),
  nodes: nodeCountsSchema.optional().describe('How many nodes are in which state.'),
  ready: text(32).optional().describe('Present of eligible nodes, such as 10/12.'),
  size: text(32).optional().describe('Compressed size of the largest platform for people, such as 9.8 GiB.'),
  prepulled: z.boolean().optional().describe('Whether every eligible node has it; false if there is none.'),
  presentOn: list(text(253), 100).optional().describe('Nodes that have it, sorted, at most 100.'),
  notPresent: list(notPresentSchema, 32)
    .optional()
    .describe('Nodes that want it and lack it, worst first, at most 32.'),
  truncated: z.boolean().optional().describe('Whether notPresent is longer than shown.'),
  backoff: backoffSchema.optional().describe('Why and until when attempts are held back.'),
});

export const prepulledImageSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('PrepulledImage'),
  metadata: metadataSchema,
  spec: prepulledImageSpecSchema.describe('Which image, and which nodes want it.'),
  status: prepulledImageStatusSchema.optional().describe('Where it is; written by Larder only.'),
});

/** A PrepulledImage with all defaults filled in, as the API server returns it. */
export interface PrepulledImage extends Immutable<Omit<z.output<typeof prepulledImageSchema>, 'spec'>> {
  readonly spec: PrepulledImageSpec;
}
export type PrepulledImageSpec = Parsed<z.output<typeof prepulledImageSpecSchema>>;
export type PrepulledImageStatus = Immutable<z.output<typeof prepulledImageStatusSchema>>;
/** A PrepulledImage as a person writes it, defaults left out. */
export type PrepulledImageManifest = Immutable<z.input<typeof prepulledImageSchema>>;
/** One of status.notPresent. */
export type NotPresent = Immutable<z.output<typeof notPresentSchema>>;

export const prepulledImageDefinition: KindDefinition = {
  kind: 'PrepulledImage',
  singular: 'prepulledimage',
  shortName: 'ppi',
  description: 'PrepulledImage is one image that must be on nodes before anybody asks for it.',
  schema: prepulledImageSchema,
  printerColumns: [
    {
      name: 'Image',
      type: 'string',
      jsonPath: '.status.image.repository',
      description: 'Repository of the image.',
    },
    { name: 'Tag', type: 'string', jsonPath: '.status.image.tag', description: 'Its tag.' },
    {
      name: 'Type',
      type: 'string',
      jsonPath: '.status.image.type',
      description: 'Type that the grammar found.',
    },
    { name: 'Ready', type: 'string', jsonPath: '.status.ready', description: 'Present of eligible nodes.' },
    {
      name: 'Prepulled',
      type: 'boolean',
      jsonPath: '.status.prepulled',
      description: 'Whether every eligible node has it.',
    },
    { name: 'Size', type: 'string', jsonPath: '.status.size', description: 'Compressed size.' },
    AGE_COLUMN,
    {
      name: 'Digest',
      type: 'string',
      jsonPath: '.status.image.digest',
      description: 'Its digest.',
      priority: 1,
    },
    {
      name: 'Aliases',
      type: 'string',
      jsonPath: '.status.image.aliases',
      description: 'Other tags of the same image.',
      priority: 1,
    },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: conditionPath('Ready', 'reason'),
      description: 'Why it is ready or not.',
      priority: 1,
    },
  ],
  selectableFields: ['.spec.recordRef.name', '.status.prepulled'],
};
