/** The OpenAPI document, and that every answer is as it says. */

import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { imageSource, prepulledImage } from '../support/builders.ts';
import { readCaseFile } from '../support/case-tally.ts';
import { nodeOf, runService, type ServiceCase } from '../support/nublado-service.ts';
import { ReadingWorld, serveWorld } from '../support/reading-world.ts';

type Schema = z.core.JSONSchema.JSONSchema;

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: Schema;
  }[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
  readonly security: readonly unknown[];
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const { spawnerImages: CASES } = readCaseFile('nublado-cases.json') as {
  readonly spawnerImages: readonly ServiceCase[];
};

/** Something of everything. */
function fullWorld(): ReadingWorld {
  const row = CASES[0];
  if (row === undefined) throw new Error('there are no cases');
  const world = new ReadingWorld();
  world.setSources(imageSource({ spec: { image: 'lighthouse.ceres/library/sketchbook' } }));
  world.setImages(prepulledImage());
  world.setNodes(...row.nodes.map(nodeOf));
  world.listings.set('default/lab', { images: runService({ ...row, nodes: [] }), origin: 'Scan' });
  return world;
}

const PATHS: Readonly<Record<string, string>> = {
  '/openapi.json': '/openapi.json',
  '/spawner/v1/images': '/spawner/v1/images',
  '/spawner/v1/prepulls': '/spawner/v1/prepulls',
  '/v1/sources': '/v1/sources',
  '/v1/sources/{namespace}/{name}': '/v1/sources/default/lab',
  '/v1/sources/{namespace}/{name}/images': '/v1/sources/default/lab/images',
  '/v1/sources/{namespace}/{name}/menu': '/v1/sources/default/lab/menu',
  '/v1/images': '/v1/images',
  '/v1/images/{namespace}/{name}': '/v1/images/default/lab-w-2026-40',
  '/v1/coverage': '/v1/coverage',
  '/v1/resolve': '/v1/resolve?tag=w_2024_46',
};

let document: Document;

beforeAll(async () => {
  await using served = await serveWorld(fullWorld(), { anonymousRead: false });
  document = (await (await served.fetch('/openapi.json')).json()) as Document;
});

/** The schema with the components it refers to. */
function whole(schema: Schema): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as Schema);
}

describe('the OpenAPI document', () => {
  it('has every path that is served, and nothing else', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual(Object.keys(PATHS).sort());
  });

  it('names each operation once, and every part of its path', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, operation })),
    );
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      const inPath = operation.parameters.filter((parameter) => parameter.in === 'path');
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(inPath.every(({ required }) => required)).toBe(true);
    }
  });

  it('refers to nothing that is not there', () => {
    const references = JSON.stringify(document).match(/#\/components\/\w+\/\w+/g) ?? [];
    expect(references.length).toBeGreaterThan(10);
    for (const reference of new Set(references)) {
      const [, , kind = '', name = ''] = reference.split('/');
      expect(document.components).toHaveProperty([kind, name]);
    }
  });

  it('knows no bounds that only JavaScript has', () => {
    expect(JSON.stringify(document)).not.toContain('9007199254740991');
  });

  it('says that a token is needed, unless reading is open', async () => {
    expect(document.paths['/v1/sources']?.['get']?.security).toEqual([{ bearer: [] }]);
    await using open = await serveWorld(fullWorld());
    const { paths } = (await (await open.fetch('/openapi.json')).json()) as Document;
    expect(paths['/v1/sources']?.['get']?.security).toEqual([{}, { bearer: [] }]);
  });
});

describe('every answer', () => {
  it.each(Object.entries(PATHS))('of %s is as the document says', async (path, target) => {
    await using served = await serveWorld(fullWorld());
    const answer = await served.fetch(target);
    expect(answer.status).toBe(200);
    const content = document.paths[path]?.['get']?.responses['200']?.content?.['application/json'];
    if (content === undefined) throw new Error(`${path} has no schema for 200`);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(whole(content.schema).safeParse(await answer.json()).error).toBeUndefined();
  });

  it('that is a problem is one by the document, too', async () => {
    await using served = await serveWorld(fullWorld(), { anonymousRead: false });
    const problem = whole({ $ref: '#/$defs/Problem' });
    const targets = ['/v1/sources', '/v1/none', '/spawner/v1/images?x=1'];
    for (const target of targets) {
      for (const answer of [await served.fetch(target), await served.fetchAs('ann', target)]) {
        if (answer.status === 200) continue;
        expect(answer.headers.get('content-type')).toBe('application/problem+json');
        expect(problem.safeParse(await answer.json()).error).toBeUndefined();
      }
    }
  });
});
