/** The spawner API over HTTP: every case of the original, held to the advised readings. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { ANNOTATIONS } from '../../src/api/group-version.ts';
import type { ImageSource } from '../../src/api/image-source.ts';
import { systemClock } from '../../src/clock.ts';
import type { SpawnerImages } from '../../src/domain/spawner.ts';
import { imageSource } from '../support/builders.ts';
import { readCaseFile } from '../support/case-tally.ts';
import { nodeOf, runService, type ServiceCase } from '../support/nublado-service.ts';
import { ReadingWorld, serveWorld } from '../support/reading-world.ts';

interface Row extends ServiceCase {
  readonly json: unknown;
  readonly prepulls: { readonly images: unknown; readonly nodes: readonly unknown[] };
  readonly menu: unknown;
  readonly dropdown: unknown;
  readonly imageForClass: Readonly<Record<string, { readonly reference?: string; readonly error?: string }>>;
  readonly lookups: readonly {
    readonly tag?: string;
    readonly reference?: string;
    readonly result?: { readonly reference: string; readonly name: string };
    readonly error?: string;
  }[];
  readonly advised?: Readonly<Record<string, unknown>>;
}

const { spawnerImages: CASES } = readCaseFile('nublado-cases.json') as {
  readonly spawnerImages: readonly Row[];
};
const SCHEMA_FILE = join(import.meta.dirname, '..', 'vectors', 'spawner-images.schema.json');
/** Of the original, word for word. */
const ORIGINAL_SCHEMA = z.fromJSONSchema(
  JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')) as z.core.JSONSchema.JSONSchema,
);

function advised(row: Row): Row {
  return { ...row, ...row.advised };
}

/** The case as a source of ours, its list, and the nodes. */
function worldOf(row: Row): ReadingWorld {
  const world = new ReadingWorld();
  const images = runService({ ...row, nodes: [] });
  const { registry, repository } = images.selection.spec.image;
  const spec = {
    image: `${registry}/${repository}`,
    prepull: { nodes: { tolerations: [...row.tolerations] } },
  };
  world.setSources(imageSource({ spec }));
  world.setNodes(...row.nodes.map(nodeOf));
  world.listings.set('default/lab', { images, origin: 'Scan' });
  for (const { tag, digest } of images.plan.listing.listed.values())
    if (digest !== undefined) world.digests.set(tag, digest);
  return world;
}

/** A service whose clock shows the time of the case. */
function serveCase(row: Row) {
  return serveWorld(worldOf(row), { clock: { ...systemClock, now: () => Date.parse(row.now) } });
}

describe('GET /spawner/v1/images', () => {
  it.each(CASES.map((row) => [row.id, advised(row)] as const))('is as in %s', async (_id, row) => {
    await using served = await serveCase(row);
    const answer: unknown = await (await served.fetch('/spawner/v1/images')).json();
    expect(answer).toEqual(row.json);
    expect(ORIGINAL_SCHEMA.safeParse(answer).error).toBeUndefined();
  });
});

describe('GET /spawner/v1/prepulls', () => {
  it.each(CASES.map((row) => [row.id, advised(row)] as const))('is as in %s', async (_id, row) => {
    await using served = await serveCase(row);
    const { images, nodes } = (await (await served.fetch('/spawner/v1/prepulls')).json()) as Row['prepulls'];
    expect({ images, nodes }).toEqual(row.prepulls);
  });

  it('tells the configuration in the words of the original', async () => {
    const world = new ReadingWorld();
    const row = advised(CASES[0] as Row);
    world.listings.set('default/lab', { images: runService(row), origin: 'Scan' });
    const select = [
      { name: 'w', type: 'weekly' as const, newest: 4 },
      { name: 'd', type: 'daily' as const },
      { name: 'p', tags: ['w_2024_01'] },
    ];
    const tags = { grammar: 'RSP' as const, cycle: 45, aliases: ['latest'], recommended: 'best' };
    world.setSources(imageSource({ spec: { image: 'lighthouse.ceres/library/sketchbook', select, tags } }));
    await using served = await serveWorld(world);
    expect(await (await served.fetch('/spawner/v1/prepulls')).json()).toMatchObject({
      config: {
        source: { type: 'docker', registry: 'lighthouse.ceres', repository: 'library/sketchbook' },
        recommended_tag: 'best',
        num_releases: 0,
        num_weeklies: 4,
        num_dailies: null,
        cycle: 45,
        pin: ['w_2024_01'],
        alias_tags: ['latest'],
      },
    });
  });

  it.each([
    ['RSP', { num_releases: 1, num_weeklies: 2, num_dailies: 3 }],
    ['SemVer', { num_releases: 1, num_weeklies: 0, num_dailies: 0 }],
  ] as const)('tells what a source without rules selects of the grammar %s', async (grammar, config) => {
    const world = new ReadingWorld();
    world.listings.set('default/lab', { images: runService(advised(CASES[0] as Row)), origin: 'Scan' });
    world.setSources(imageSource({ spec: { image: 'example.com/lab', tags: { grammar } } }));
    await using served = await serveWorld(world);
    expect(await (await served.fetch('/spawner/v1/prepulls')).json()).toMatchObject({ config });
  });
});

describe('the menu and what is looked up', () => {
  it.each(CASES.map((row) => [row.id, advised(row)] as const))('are as in %s', async (_id, row) => {
    await using served = await serveCase(row);
    const menu = (await (await served.fetch('/v1/sources/default/lab/menu')).json()) as Pick<
      Row,
      'menu' | 'dropdown'
    >;
    expect(menu.menu).toEqual(row.menu);
    expect(menu.dropdown).toEqual(row.dropdown);
    for (const [keyword, expected] of Object.entries(row.imageForClass)) {
      const answer = await served.fetch(`/v1/resolve?class=${keyword}`);
      if (expected.error !== undefined) expect(answer.status).toBe(404);
      else expect(await answer.json()).toMatchObject({ referenceWithDigest: expected.reference });
    }
    for (const { tag, reference = '', result, error } of row.lookups) {
      const query = tag === undefined ? `reference=${encodeURIComponent(reference)}` : `tag=${tag}`;
      const answer = await served.fetch(`/v1/resolve?source=default/lab&${query}`);
      if (result === undefined)
        expect(answer.status).toBe(error === 'InvalidDockerReferenceError' ? 400 : 404);
      else
        expect(await answer.json()).toMatchObject({
          referenceWithDigest: result.reference,
          name: result.name,
        });
    }
  });
});

describe('the source that answers', () => {
  const row = advised(CASES[0] as Row);

  function worldWith(...sources: readonly ImageSource[]): ReadingWorld {
    const world = new ReadingWorld();
    world.setSources(...sources);
    const images = runService(row);
    for (const { metadata } of sources)
      world.listings.set(`default/${metadata.name}`, { images, origin: 'Scan' });
    return world;
  }

  const mark = (value: string) => ({ annotations: { [ANNOTATIONS.defaultSource]: value } });

  it.each([
    ['the only one', [imageSource()], 200],
    [
      'the one that is marked',
      [imageSource(), imageSource({ metadata: { name: 'hub', ...mark('true') } })],
      200,
    ],
    ['nobody, of two', [imageSource(), imageSource({ metadata: { name: 'hub', ...mark('false') } })], 400],
    [
      'nobody, of two that are marked',
      [imageSource({ metadata: mark('') }), imageSource({ metadata: { name: 'hub', ...mark('') } })],
      400,
    ],
    ['nobody, of none', [], 404],
  ])('is %s', async (_who, sources, status) => {
    await using served = await serveWorld(worldWith(...sources));
    const answer = await served.fetch('/spawner/v1/images');
    expect(answer.status).toBe(status);
    if (status === 400) expect(await answer.text()).toContain('?source=');
  });

  it('is the one that is named', async () => {
    await using served = await serveWorld(
      worldWith(imageSource(), imageSource({ metadata: { name: 'hub' } })),
    );
    expect((await served.fetch('/spawner/v1/images?source=default/hub')).status).toBe(200);
    expect((await served.fetch('/spawner/v1/images?source=default/none')).status).toBe(404);
    expect((await served.fetch('/spawner/v1/images?source=none')).status).toBe(400);
    expect((await served.fetch('/spawner/v1/images?sauce=default/hub')).status).toBe(400);
    expect((await served.fetch('/spawner/v1/images?source=default/hub&source=default/lab')).status).toBe(400);
  });

  it('needs the right to get it, and says nothing about whether it exists before', async () => {
    await using served = await serveWorld(worldWith(imageSource()), { anonymousRead: false });
    expect((await served.fetch('/spawner/v1/images')).status).toBe(401);
    const refused = await served.fetchAs('ann', '/spawner/v1/images');
    expect(refused.status).toBe(403);
    expect(await refused.text()).not.toContain('lab');
    expect((await served.fetchAs('ann', '/spawner/v1/images?source=default/none')).status).toBe(403);
    served.reviews.allow('bob', 'get larder.dev/imagesources default/lab');
    expect((await served.fetchAs('bob', '/spawner/v1/images')).status).toBe(200);
    expect((await served.fetchAs('bob', '/spawner/v1/prepulls')).status).toBe(403);
    served.reviews.allow('cat', 'get larder.dev/imagesources default/lab');
    served.reviews.allow('cat', 'list /nodes');
    expect((await served.fetchAs('cat', '/spawner/v1/prepulls')).status).toBe(200);
  });
});

describe('the answer', () => {
  const row = advised(CASES[0] as Row);

  it('is 304 until something changes, and says how whole the list is', async () => {
    const world = worldOf(row);
    await using served = await serveWorld(world);
    const first = await served.fetch('/spawner/v1/images');
    expect(first.headers.get('larder-list')).toBe('Scan');
    const etag = first.headers.get('etag') ?? '';
    const again = (headers = { 'if-none-match': etag }) => served.fetch('/spawner/v1/images', { headers });
    expect((await again()).status).toBe(304);
    world.setNodes();
    const changed = await again();
    expect(changed.status).toBe(200);
    expect(((await changed.json()) as SpawnerImages).all.some(({ prepulled }) => prepulled)).toBe(true);
    world.listings.set('default/lab', { images: runService(row), origin: 'Status' });
    expect((await again()).headers.get('larder-list')).toBe('Status');
  });

  it('keeps headlines that a list which lost tags would move back', async () => {
    const world = worldOf(row);
    const [source] = world.sources();
    const held = {
      reference: 'lighthouse.ceres/library/sketchbook:w_2099_01',
      tag: 'w_2099_01',
      name: 'Weekly 2099_01',
      aliases: [],
      prepulled: true,
    };
    const time = '2026-01-01T00:00:00Z';
    const condition = {
      type: 'Ready',
      status: 'False' as const,
      reason: 'DowngradeRefused',
      message: '',
      lastTransitionTime: time,
    };
    if (source !== undefined)
      world.setSources({ ...source, status: { conditions: [condition], latestWeekly: held } });
    await using served = await serveWorld(world);
    const answer = (await (await served.fetch('/spawner/v1/images')).json()) as SpawnerImages;
    expect(answer.latest_weekly).toEqual(held);
    expect(answer.latest_daily).toEqual((row.json as SpawnerImages).latest_daily);
  });
});
