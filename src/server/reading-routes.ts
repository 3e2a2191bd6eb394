/** /v1: everything that is read about sources and images, and the OpenAPI document of the whole server. */

import { Hono } from 'hono';
import * as z from 'zod';
import { addImageRoutes, IMAGE_OPERATIONS } from './images.ts';
import { openApiDocument } from './openapi.ts';
import type { Operation } from './operation.ts';
import type { ReadingParts } from './reading.ts';
import { representationOf, respond } from './representation.ts';
import { addResolveRoutes, RESOLVE_OPERATIONS } from './resolve.ts';
import type { RouteGroup, ServerEnv } from './route-group.ts';
import { addSourceRoutes, SOURCE_OPERATIONS } from './sources.ts';

export function readingRoutes(parts: ReadingParts): RouteGroup {
  const routes = new Hono<ServerEnv>();
  addSourceRoutes(routes, parts);
  addImageRoutes(routes, parts);
  addResolveRoutes(routes, parts);
  return {
    name: 'reading',
    basePath: '/v1',
    routes,
    authentication: 'Bearer',
    operations: [...SOURCE_OPERATIONS, ...IMAGE_OPERATIONS, ...RESOLVE_OPERATIONS],
  };
}

const DOCUMENT_OPERATION: Operation = {
  method: 'get',
  path: '/openapi.json',
  operationId: 'getOpenApi',
  summary: 'This document.',
  tag: 'meta',
  answers: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
};

/** What may be asked is no secret: the document needs no token. */
export function documentRoutes(
  groups: readonly RouteGroup[],
  options: { readonly version: string; readonly anonymousRead: boolean },
): RouteGroup {
  const operations = [DOCUMENT_OPERATION, ...groups.flatMap((group) => group.operations ?? [])];
  const document = representationOf(`${JSON.stringify(openApiDocument(operations, options))}\n`);
  const routes = new Hono<ServerEnv>();
  routes.get('/', (context) => respond(context, document, { 'cache-control': 'public, max-age=60' }));
  return { name: 'openapi', basePath: '/openapi.json', routes, authentication: 'Own' };
}
