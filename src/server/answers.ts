/** The answers of the reading routes as schemas: the OpenAPI document is made of them, and tests hold answers to them. */

import * as z from 'zod';
import { IMAGE_TYPES } from '../api/tag-rules.ts';
import { NODE_STATES } from '../domain/stock-report.ts';

const name = (what: string) => z.string().max(253).describe(what);
const count = (what: string) => z.int().min(0).describe(what);

/** As in the SpawnerImages JSON; `digest` is left out while it is not known. */
const spawnerImageSchema = z
  .object({
    reference: z.string().describe('registry/repository:tag'),
    tag: z.string().describe('Tag, unmodified.'),
    name: z.string().describe('Tag formatted for people.'),
    digest: z.string().optional().describe('Digest, if it is known.'),
    aliases: z.array(z.string()).describe('Other tags of the same image, sorted.'),
    prepulled: z.boolean().describe('Whether every eligible node has it.'),
  })
  .meta({ id: 'SpawnerImage' });

export const spawnerImagesSchema = z
  .object({
    recommended: spawnerImageSchema.optional().describe('The recommended image.'),
    latest_weekly: spawnerImageSchema.optional().describe('The newest weekly among the selected images.'),
    latest_daily: spawnerImageSchema.optional().describe('The newest daily among the selected images.'),
    latest_release: spawnerImageSchema.optional().describe('The newest release among the selected images.'),
    all: z
      .array(spawnerImageSchema)
      .describe('Every image of the source, without tags for one architecture.'),
  })
  .meta({ id: 'SpawnerImages' });

const nodeImageSchema = z
  .object({
    reference: z.string().describe('registry/repository:tag'),
    tag: z.string(),
    name: z.string(),
    digest: z.string().nullable(),
    size: z.int().nullable().describe('Bytes, as the last node reports them.'),
    nodes: z.array(z.string()).describe('Nodes that have it, sorted.'),
    missing: z.array(z.string()).describe('Eligible nodes without it, sorted.'),
  })
  .meta({ id: 'NodeImage' });

export const prepullsSchema = z
  .object({
    config: z
      .object({
        source: z.object({ type: z.literal('docker'), registry: z.string(), repository: z.string() }),
        recommended_tag: z.string(),
        num_releases: z.int().nullable().describe('null: no limit'),
        num_weeklies: z.int().nullable().describe('null: no limit'),
        num_dailies: z.int().nullable().describe('null: no limit'),
        cycle: z.int().nullable(),
        pin: z.array(z.string()),
        alias_tags: z.array(z.string()),
      })
      .describe('The source in the words of the original.'),
    images: z.object({
      prepulled: z.array(nodeImageSchema).describe('Selected images that every eligible node has.'),
      pending: z.array(nodeImageSchema).describe('Selected images that an eligible node lacks.'),
    }),
    nodes: z.array(
      z.object({
        name: name('Name of the node.'),
        eligible: z.boolean(),
        comment: z.string().nullable().describe('Why it is not eligible.'),
        cached: z.array(z.string()).describe('Selected images that it has.'),
      }),
    ),
  })
  .meta({ id: 'PrepullerStatus' });

export const conditionSchema = z
  .object({
    status: z.enum(['True', 'False', 'Unknown']),
    reason: z.string(),
    message: z.string(),
  })
  .meta({ id: 'Condition' });

const originSchema = z
  .enum(['Scan', 'Status'])
  .describe(
    'Scan: the whole list. Status: only the selected images, because the registry does not answer this replica.',
  );

export const sourceSchema = z
  .object({
    namespace: name('Namespace of the ImageSource.'),
    name: name('Its name.'),
    image: z.string().describe('registry/repository'),
    isDefault: z.boolean().describe('Whether /spawner/v1 answers for it when no source is named.'),
    suspended: z.boolean(),
    ready: conditionSchema.nullable().describe('Condition Ready; null before the first pass.'),
    lastScanTime: z.string().nullable(),
    counts: z.object({
      known: count('Tags.'),
      displayed: count('Tags that the dropdown shows.'),
      selected: count('Images that are stocked.'),
      prepulled: count('Of them, those on every eligible node.'),
    }),
    recommended: z.string().nullable().describe('Tag of the recommended image.'),
  })
  .meta({ id: 'Source' });

export const sourceListSchema = z.object({ items: z.array(sourceSchema) }).meta({ id: 'SourceList' });

export const listedImageSchema = spawnerImageSchema
  .extend({
    type: z.enum(IMAGE_TYPES).describe('Type that the grammar found.'),
    version: z.string().nullable(),
    date: z.string().nullable().describe('RFC 3339, as close as the tag tells.'),
    aliasTarget: z.string().nullable(),
    size: z.int().nullable().describe('Bytes, as far as a list or a node tells.'),
    selected: z.boolean().describe('Whether it is stocked.'),
    rules: z.array(z.string()).describe('Names of the rules that keep it.'),
    nodes: count('Nodes that are known to have it.'),
  })
  .meta({ id: 'ListedImage' });

export const imagePageSchema = z
  .object({
    source: z.string().describe('namespace/name'),
    origin: originSchema,
    total: count('Images that fit the filters.'),
    items: z.array(listedImageSchema),
    next: z.string().nullable().describe('Cursor of the next page; null on the last one.'),
  })
  .meta({ id: 'ImagePage' });

const menuImageSchema = z
  .object({ reference: z.string().describe('With the digest if it is known.'), name: z.string() })
  .meta({ id: 'MenuImage' });

export const menuSchema = z
  .object({
    source: z.string().describe('namespace/name'),
    origin: originSchema,
    menu: z
      .array(menuImageSchema)
      .describe('Selected images on every eligible node; the recommended one first.'),
    dropdown: z.array(menuImageSchema).describe('The whole list through spec.display.'),
  })
  .meta({ id: 'Menu' });

export const resolvedImageSchema = listedImageSchema
  .extend({
    source: z.string().describe('namespace/name of the ImageSource it was found in.'),
    referenceWithDigest: z.string(),
    digest: z.string().nullable(),
  })
  .meta({ id: 'ResolvedImage' });

const countsSchema = z.object({
  eligible: count('Nodes that should have it now.'),
  present: count('Of them, nodes that have it.'),
  pulling: count('Nodes that pull it.'),
  waiting: count('Nodes whose turn has not come.'),
  failed: count('Nodes whose last attempt failed.'),
  unknown: count('Nodes of which nobody can tell.'),
  skipped: count('Nodes that cannot have it as they are.'),
});

export const stockedImageSchema = z
  .object({
    namespace: name('Namespace of the PrepulledImage.'),
    name: name('Its name.'),
    source: z.string().nullable().describe('namespace/name of the ImageSource that made it.'),
    image: z.string().describe('As in spec.image.'),
    tag: z.string().nullable(),
    digest: z.string().nullable(),
    displayName: z.string().nullable(),
    type: z.enum(IMAGE_TYPES).nullable(),
    size: z.int().nullable().describe('Compressed bytes of the largest platform.'),
    priority: z.int(),
    suspended: z.boolean(),
    prepulled: z.boolean(),
    ready: conditionSchema.nullable(),
    counts: countsSchema,
  })
  .meta({ id: 'StockedImage' });

export const lackingSchema = z
  .object({
    node: name('Name of the node.'),
    state: z.enum(NODE_STATES),
    reason: z.string(),
    message: z.string(),
    attempts: count('Attempts since the last success or change.'),
    lastAttempt: z.string().nullable(),
  })
  .meta({ id: 'LackingNode' });

export const imageCoverageSchema = stockedImageSchema
  .extend({
    on: z.array(z.string()).describe('Eligible nodes that have it, sorted.'),
    lacking: z.array(lackingSchema).describe('Nodes that have not, worst first.'),
  })
  .meta({ id: 'ImageCoverage' });

export const stockedImagePageSchema = z
  .object({
    total: count('Images that fit the filters.'),
    items: z.array(stockedImageSchema),
    next: z.string().nullable().describe('Cursor of the next page; null on the last one.'),
  })
  .meta({ id: 'StockedImagePage' });

export const coverageSchema = z
  .object({
    ratio: z.number().min(0).max(1).describe('Present pairs of eligible pairs; 1 if there is none.'),
    pairs: countsSchema.describe('Pairs of image and node in each state.'),
    nodes: z.array(
      z.object({
        name: name('Name of the node.'),
        present: count('Images that it has.'),
        lacking: count('Eligible images that it has not.'),
        skipped: count('Images that it cannot have as it is.'),
      }),
    ),
    images: z.array(imageCoverageSchema),
  })
  .meta({ id: 'Coverage' });
