/** /v1/sources: the ImageSources, the whole list of each, and the menu of a spawn form. */

import type { Hono } from 'hono';
import * as z from 'zod';
import type { ImageSource } from '../api/image-source.ts';
import { IMAGE_TYPES } from '../api/tag-rules.ts';
import { dropdownImages, menuImages } from '../domain/spawner.ts';
import { formatKey } from '../kube/resource.ts';
import { imagePageSchema, menuSchema, sourceListSchema, sourceSchema } from './answers.ts';
import { signalOf } from './client-signal.ts';
import { describeListed, findImages } from './listed-image.ts';
import { type Operation, readParams, readQuery } from './operation.ts';
import { pageOf, pageQuery } from './page.ts';
import {
  defaultSource,
  noQuery,
  objectParams,
  originHeader,
  type ReadingParts,
  readSource,
  SOURCES,
  toggle,
  viewSource,
} from './reading.ts';
import { respondJson } from './representation.ts';
import type { ServerEnv } from './route-group.ts';
import { describeReady } from './stocked-image.ts';

const MAX_NODES = 1_000;
/** Fits into the head of a request beside everything else. */
const MAX_NODES_LENGTH = 16_384;

const imagesQuery = z.strictObject({
  ...pageQuery,
  type: z.enum(IMAGE_TYPES).optional().describe('Only images of this type.'),
  tag: z.string().min(1).max(128).optional().describe('Only tags that contain this text.'),
  selected: toggle.optional().describe('Only images that are stocked, or only the others.'),
  prepulled: toggle.optional().describe('Only images that are prepulled, or only the others.'),
  nodes: z
    .string()
    .max(MAX_NODES_LENGTH)
    .regex(/^[-a-z0-9.,]*$/, 'must be names of nodes, comma-separated')
    .transform((text) => text.split(',').filter((node) => node !== ''))
    .refine((nodes) => nodes.length > 0 && nodes.length <= MAX_NODES, `must name 1 to ${MAX_NODES} nodes`)
    .optional()
    .describe('Names of nodes, comma-separated: `prepulled` then means on all of these.'),
});

export const SOURCE_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/sources',
    operationId: 'listSources',
    summary: 'The ImageSources that the caller may see.',
    tag: 'sources',
    query: noQuery,
    answers: { 200: { description: 'The sources.', schema: sourceListSchema } },
  },
  {
    method: 'get',
    path: '/v1/sources/{namespace}/{name}',
    operationId: 'getSource',
    summary: 'One ImageSource.',
    tag: 'sources',
    params: objectParams,
    query: noQuery,
    answers: { 200: { description: 'The source.', schema: sourceSchema } },
  },
  {
    method: 'get',
    path: '/v1/sources/{namespace}/{name}/images',
    operationId: 'listSourceImages',
    summary: 'The whole list of a source, page by page, without tags for one architecture.',
    tag: 'sources',
    params: objectParams,
    query: imagesQuery,
    answers: { 200: { description: 'One page.', schema: imagePageSchema } },
  },
  {
    method: 'get',
    path: '/v1/sources/{namespace}/{name}/menu',
    operationId: 'getMenu',
    summary: 'What a spawn form shows: the menu, and the dropdown with everything else.',
    tag: 'sources',
    params: objectParams,
    query: noQuery,
    answers: { 200: { description: 'Menu and dropdown.', schema: menuSchema } },
  },
];

export function addSourceRoutes(routes: Hono<ServerEnv>, parts: ReadingParts): void {
  routes.get('/sources', async (context) => {
    readQuery(context, noQuery);
    const all = parts.cluster.sources();
    const { caller } = context.get('exchange');
    const visible = await parts.authorizer.visible(caller, SOURCES, all, signalOf(context));
    const chosen = defaultSource(all);
    return respondJson(context, { items: visible.map((source) => describe(source, source === chosen)) });
  });
  routes.get('/sources/:namespace/:name', async (context) => {
    readQuery(context, noQuery);
    const source = await readSource(parts, context, readParams(context, objectParams));
    return respondJson(context, describe(source, source === defaultSource(parts.cluster.sources())));
  });
  routes.get('/sources/:namespace/:name/images', async (context) => {
    const query = readQuery(context, imagesQuery);
    const source = await readSource(parts, context, readParams(context, objectParams));
    const view = await viewSource(parts, context, source);
    const found = await findImages(view, query);
    const { items, next } = pageOf(found, ({ tag }) => tag, query);
    return respondJson(context, {
      source: formatKey(source.metadata),
      origin: view.origin,
      total: found.length,
      items: items.map((image) => describeListed(view, image, query.nodes)),
      next,
    });
  });
  routes.get('/sources/:namespace/:name/menu', async (context) => {
    readQuery(context, noQuery);
    const source = await readSource(parts, context, readParams(context, objectParams));
    const view = await viewSource(parts, context, source);
    const menu = menuImages(view.images);
    const dropdown = dropdownImages(view.images, parts.clock.now());
    const answer = { source: formatKey(source.metadata), origin: view.origin, menu, dropdown };
    return respondJson(context, answer, originHeader(view));
  });
}

function describe(
  { metadata, spec, status }: ImageSource,
  isDefault: boolean,
): z.output<typeof sourceSchema> {
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    image: spec.image,
    isDefault,
    suspended: spec.suspend,
    ready: describeReady(status),
    lastScanTime: status?.lastScanTime ?? null,
    counts: describeCounts(status?.counts),
    recommended: status?.recommended?.tag ?? null,
  };
}

type Counts = NonNullable<ImageSource['status']>['counts'];

function describeCounts(counts: Counts = {}): z.output<typeof sourceSchema>['counts'] {
  const { known = 0, displayed = 0, selected = 0, prepulled = 0 } = counts;
  return { known, displayed, selected, prepulled };
}
