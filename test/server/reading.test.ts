/** The reading routes over HTTP; each answer is held to the schema that the OpenAPI document shows. */

import { beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { ImageSource } from '../../src/api/image-source.ts';
import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import { toSelectionSpec } from '../../src/controllers/image-source/selection-spec.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { runFold } from '../../src/domain/fold.ts';
import type { NodeFacts } from '../../src/domain/node.ts';
import { compileSelection, planSelection } from '../../src/domain/selection.ts';
import { concludeSelection, type SourceImages } from '../../src/domain/source-images.ts';
import * as answers from '../../src/server/answers.ts';
import { DIGEST_A, DIGEST_B, imageSource, type Overrides, prepulledImage } from '../support/builders.ts';
import type { ServedGroups } from '../support/http-server.ts';
import { nodeOf } from '../support/nublado-service.ts';
import { ReadingWorld, serveWorld } from '../support/reading-world.ts';

const IMAGE = 'registry.example.org/sciplat/lab';
const TAGS: readonly (readonly [tag: string, digest?: string])[] = [
  ['w_2026_47', DIGEST_A],
  ['recommended', DIGEST_A],
  ['w_2026_46', DIGEST_B],
  ['w_2026_45'],
  ['d_2026_11_20'],
  ['exp_d_2026_11_20_x'],
  ['w_2026_47-arm64'],
];

let world: ReadingWorld;

function node(name: string, overrides: Partial<NodeFacts> = {}): NodeFacts {
  return { ...nodeOf({ name, taints: [], images: [] }), ...overrides };
}

function having(digest: string): Pick<NodeFacts, 'images'> {
  return { images: [{ names: [`${IMAGE}@${digest}`], sizeBytes: 9_000_000_000 }] };
}

function source(overrides: Parameters<typeof imageSource>[0] = {}): ImageSource {
  const select = [{ name: 'weeklies', type: 'weekly' as const, newest: 2 }];
  return imageSource({ spec: { image: IMAGE, tags: { grammar: 'RSP' }, select, prepull: {} }, ...overrides });
}

function listed({ spec }: ImageSource): SourceImages {
  const compiled = compileSelection(toSelectionSpec(spec));
  if (!compiled.ok) throw new Error(compiled.error.message);
  const known = TAGS.flatMap(([tag, digest]) =>
    digest === undefined ? [] : [[tag, digest as Digest] as const],
  );
  const plan = runFold(
    planSelection(
      compiled.value,
      TAGS.map(([tag]) => tag),
      Date.UTC(2026, 10, 21),
    ),
  );
  const facts = {
    digests: new Map(known),
    eligibleNodes: new Set<string>(),
    presence: new Map<never, never>(),
  };
  return runFold(concludeSelection(compiled.value, plan, facts));
}

/** A child of the source that is where `status` says. */
function child(
  name: string,
  digest: string,
  status: Overrides<NonNullable<PrepulledImage['status']>> = {},
): PrepulledImage {
  const owner = {
    apiVersion: 'larder.dev/v1alpha1',
    kind: 'ImageSource',
    name: 'lab',
    uid: 'uid-of-lab',
    controller: true,
  };
  const time = '2026-11-21T12:00:00Z';
  const image = prepulledImage({ metadata: { name, ownerReferences: [owner] } });
  const condition = {
    type: 'Prepulled',
    status: 'False' as const,
    reason: 'Stocking',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: time,
  };
  const found = {
    reference: `${IMAGE}:${name}`,
    registry: 'registry.example.org',
    repository: 'sciplat/lab',
    tag: name,
    digest,
  };
  return {
    ...image,
    status: { conditions: [condition], image: found, coverageTime: time, ...(status as object) },
  };
}

beforeEach(() => {
  world = new ReadingWorld();
  const lab = source();
  world.setSources(lab);
  world.listings.set('default/lab', { images: listed(lab), origin: 'Scan' });
  world.setNodes(node('n1', having(DIGEST_A)), node('n2', having(DIGEST_A)));
});

async function get<T extends z.ZodType>(served: ServedGroups, path: string, schema: T): Promise<z.output<T>> {
  const answer = await served.fetch(path);
  expect(answer.status).toBe(200);
  return z
    .strictObject({})
    .or(schema)
    .parse(await answer.json()) as z.output<T>;
}

const images = (served: ServedGroups, query = '') =>
  get(served, `/v1/sources/default/lab/images${query}`, answers.imagePageSchema);

describe('GET /v1/sources', () => {
  it('lists what the caller may see', async () => {
    world.setSources(source(), source({ metadata: { name: 'hub', namespace: 'other' } }));
    await using served = await serveWorld(world, { anonymousRead: false });
    served.reviews.allow('ann', 'list larder.dev/imagesources other');
    const answer = await served.fetchAs('ann', '/v1/sources');
    const { items } = answers.sourceListSchema.parse(await answer.json());
    expect(items.map(({ namespace, name, isDefault }) => [namespace, name, isDefault])).toEqual([
      ['other', 'hub', false],
    ]);
  });

  it('tells of each how it is', async () => {
    const time = '2026-11-21T12:00:00Z';
    const ready = {
      type: 'Ready',
      status: 'True' as const,
      reason: 'Succeeded',
      message: 'fine',
      lastTransitionTime: time,
    };
    const counts = { known: 7, displayed: 6, selected: 3, prepulled: 2 };
    world.setSources({ ...source(), status: { conditions: [ready], lastScanTime: time, counts } });
    await using served = await serveWorld(world);
    const { items } = await get(served, '/v1/sources', answers.sourceListSchema);
    expect(items).toEqual([
      {
        namespace: 'default',
        name: 'lab',
        image: IMAGE,
        isDefault: true,
        suspended: false,
        ready: { status: 'True', reason: 'Succeeded', message: 'fine' },
        lastScanTime: time,
        counts,
        recommended: null,
      },
    ]);
  });
});

describe('GET /v1/sources/{namespace}/{name}', () => {
  it('is one of them, for who may get it', async () => {
    await using served = await serveWorld(world, { anonymousRead: false });
    served.reviews.allow('ann', 'get larder.dev/imagesources default/lab');
    served.reviews.allow('ann', 'get larder.dev/imagesources default/none');
    const answer = await served.fetchAs('ann', '/v1/sources/default/lab');
    expect(answers.sourceSchema.parse(await answer.json())).toMatchObject({ name: 'lab', isDefault: true });
    expect((await served.fetchAs('ann', '/v1/sources/default/none')).status).toBe(404);
    expect((await served.fetchAs('ann', '/v1/sources/other/lab')).status).toBe(403);
  });
});

describe('GET /v1/sources/{namespace}/{name}/images', () => {
  it('is the whole list, with what is known of each', async () => {
    await using served = await serveWorld(world);
    const { items, total, origin } = await images(served);
    expect([total, origin]).toEqual([6, 'Scan']);
    expect(items.map(({ tag }) => tag)).toEqual([
      'recommended',
      'w_2026_47',
      'w_2026_46',
      'w_2026_45',
      'd_2026_11_20',
      'exp_d_2026_11_20_x',
    ]);
    expect(items.find(({ tag }) => tag === 'w_2026_47')).toMatchObject({
      reference: `${IMAGE}:w_2026_47`,
      digest: DIGEST_A,
      aliases: ['recommended'],
      type: 'weekly',
      version: '2026.47.0',
      date: '2026-11-19T00:00:00Z',
      selected: true,
      rules: ['weeklies'],
      prepulled: true,
      nodes: 2,
    });
    expect(items.at(-1)).toMatchObject({ selected: false, rules: [], prepulled: false, nodes: 0 });
  });

  it.each([
    ['?type=weekly', ['w_2026_47', 'w_2026_46', 'w_2026_45']],
    ['?selected=true', ['recommended', 'w_2026_47', 'w_2026_46']],
    ['?selected=false&type=weekly', ['w_2026_45']],
    ['?prepulled=true', ['recommended', 'w_2026_47']],
    ['?prepulled=false&selected=true', ['w_2026_46']],
    ['?tag=11_20', ['d_2026_11_20', 'exp_d_2026_11_20_x']],
    ['?type=release', []],
  ])('finds by %s', async (query, tags) => {
    await using served = await serveWorld(world);
    expect((await images(served, query)).items.map(({ tag }) => tag)).toEqual(tags);
  });

  it('tells what is prepulled for the nodes that are named', async () => {
    world.setNodes(node('n1', having(DIGEST_A)), node('n2'));
    await using served = await serveWorld(world);
    const prepulled = async (query: string) =>
      (await images(served, `?prepulled=true&${query}`)).items.map(({ tag }) => tag);
    expect(await prepulled('')).toEqual([]);
    expect(await prepulled('nodes=n1')).toEqual(['recommended', 'w_2026_47']);
    expect(await prepulled('nodes=n1,n2')).toEqual([]);
    expect(await prepulled('nodes=n3')).toEqual([]);
  });

  it('comes in pages that miss nothing and repeat nothing while the list changes', async () => {
    await using served = await serveWorld(world);
    const first = await images(served, '?limit=2');
    expect(first.items.map(({ tag }) => tag)).toEqual(['recommended', 'w_2026_47']);
    const second = await images(served, `?limit=2&cursor=${first.next ?? ''}`);
    expect(second.items.map(({ tag }) => tag)).toEqual(['w_2026_46', 'w_2026_45']);
    const newer = source({
      spec: {
        image: IMAGE,
        tags: { grammar: 'RSP', exclude: ['^recommended$', '^w_2026_45$'] },
        select: [{ name: 'w', type: 'weekly', newest: 2 }],
      },
    });
    world.listings.set('default/lab', { images: listed(newer), origin: 'Scan' });
    const third = await images(served, `?limit=2&cursor=${second.next ?? ''}`);
    expect(third.items.map(({ tag }) => tag)).not.toContain('w_2026_46');
    const last = await images(served, '?limit=6');
    expect(last.next).toBeNull();
  });

  it.each([
    'limit=0',
    'limit=1001',
    'limit=x',
    'cursor=x',
    'cursor=bnVsbA',
    'type=yearly',
    'prepulled=yes',
    'nodes=',
    'tag=',
  ])('refuses ?%s and says which part', async (query) => {
    await using served = await serveWorld(world);
    const answer = await served.fetch(`/v1/sources/default/lab/images?${query}`);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { detail: string }).detail).toContain(
      `query.${query.split('=')[0] ?? ''}`,
    );
  });

  it.each([
    '/v1/sources/default/..%2flab/images',
    '/v1/sources/UPPER/lab/images',
    '/v1/sources/default/a%00b/images',
  ])('takes %s for no name', async (path) => {
    await using served = await serveWorld(world);
    expect((await served.fetch(path)).status).toBe(400);
  });
});

describe('what counts as prepulled', () => {
  const prepulledTags = async () => {
    await using served = await serveWorld(world);
    return (await images(served, '?prepulled=true')).items.map(({ tag }) => tag);
  };

  it('is what a child says where lists of nodes are cut short', async () => {
    world.setNodes(node('n1'), node('n2'));
    world.setImages(
      child('w-47', DIGEST_A, {
        prepulled: true,
        presentOn: ['n1', 'n2'],
        nodes: counts({ eligible: 2, present: 2 }),
      }),
    );
    expect(await prepulledTags()).toEqual(['recommended', 'w_2026_47']);
  });

  it('is not what lies on the nodes when the child says otherwise', async () => {
    world.setImages(
      child('w-47', DIGEST_A, { prepulled: false, nodes: counts({ eligible: 2, present: 0 }) }),
    );
    expect(await prepulledTags()).toEqual([]);
  });

  it('is nothing on any node for an identity that the registry refuses', async () => {
    const image = child('w-47', DIGEST_A, {
      presentOn: ['n1', 'n2'],
      nodes: counts({ eligible: 2, present: 2 }),
    });
    const refused = image.status?.conditions?.map((condition) => ({ ...condition, reason: 'Unauthorized' }));
    world.setImages({
      ...image,
      status: { ...image.status, prepulled: false, ...(refused && { conditions: refused }) },
    });
    expect(await prepulledTags()).toEqual([]);
    await using served = await serveWorld(world);
    expect((await images(served, '?prepulled=true&nodes=n1')).items).toEqual([]);
  });

  it('does not hang on nodes that the image is not for', async () => {
    world.setNodes(node('n1'), node('arm', { architecture: 'arm64' }));
    const image = child('w-47', DIGEST_A, {
      prepulled: true,
      presentOn: ['n1'],
      nodes: counts({ eligible: 1, present: 1, skipped: 1 }),
    });
    const platforms = [{ os: 'linux', architecture: 'amd64' }];
    const found = image.status?.image;
    if (found === undefined) throw new Error('the child has no image');
    world.setImages({ ...image, status: { ...image.status, image: { ...found, platforms } } });
    expect(await prepulledTags()).toEqual(['recommended', 'w_2026_47']);
    await using served = await serveWorld(world);
    expect((await images(served, '?prepulled=true&nodes=arm')).items).toEqual([]);
  });

  it('is not true of a node that has just come', async () => {
    world.setNodes(node('n1'), node('n2'), node('new'));
    world.setImages(
      child('w-47', DIGEST_A, {
        prepulled: true,
        presentOn: ['n1', 'n2'],
        nodes: counts({ eligible: 2, present: 2 }),
      }),
    );
    expect(await prepulledTags()).toEqual([]);
  });
});

function counts(given: Partial<Record<'eligible' | 'present' | 'skipped', number>>) {
  return { eligible: 0, present: 0, unknown: 0, pulling: 0, waiting: 0, failed: 0, skipped: 0, ...given };
}

describe('GET /v1/images', () => {
  beforeEach(() => {
    const failed = {
      node: 'n2',
      state: 'Failed' as const,
      reason: 'ImagePullFailed',
      message: 'no space',
      attempts: 3,
    };
    world.setImages(
      child('w-47', DIGEST_A, {
        prepulled: true,
        presentOn: ['n1', 'n2'],
        nodes: counts({ eligible: 2, present: 2 }),
      }),
      child('w-46', DIGEST_B, {
        prepulled: false,
        presentOn: ['n1'],
        notPresent: [failed],
        nodes: counts({ eligible: 2, present: 1 }),
      }),
    );
  });

  it('lists by name, page by page', async () => {
    await using served = await serveWorld(world);
    const page = await get(served, '/v1/images?limit=1', answers.stockedImagePageSchema);
    expect([page.total, page.items.map(({ name }) => name)]).toEqual([2, ['w-46']]);
    const rest = await get(
      served,
      `/v1/images?limit=1&cursor=${page.next ?? ''}`,
      answers.stockedImagePageSchema,
    );
    expect([rest.items.map(({ name }) => name), rest.next]).toEqual([['w-47'], null]);
    const waiting = await get(served, '/v1/images?prepulled=false', answers.stockedImagePageSchema);
    expect(waiting.items).toMatchObject([
      { name: 'w-46', source: 'default/lab', counts: { present: 1, failed: 1 } },
    ]);
  });

  it('shows one with every node', async () => {
    await using served = await serveWorld(world);
    const image = await get(served, '/v1/images/default/w-46', answers.imageCoverageSchema);
    expect(image.on).toEqual(['n1']);
    expect(image.lacking).toEqual([
      {
        node: 'n2',
        state: 'Failed',
        reason: 'ImagePullFailed',
        message: 'no space',
        attempts: 3,
        lastAttempt: null,
      },
    ]);
    expect((await served.fetch('/v1/images/default/none')).status).toBe(404);
  });

  it('hides images of others, from the list and one by one', async () => {
    await using served = await serveWorld(world, { anonymousRead: false });
    served.reviews.allow('ann', 'get larder.dev/prepulledimages default/w-47');
    const list = answers.stockedImagePageSchema.parse(
      await (await served.fetchAs('ann', '/v1/images')).json(),
    );
    expect(list.items.map(({ name }) => name)).toEqual(['w-47']);
    expect((await served.fetchAs('ann', '/v1/images/default/w-47')).status).toBe(200);
    expect((await served.fetchAs('ann', '/v1/images/default/w-46')).status).toBe(403);
    expect((await served.fetchAs('ann', '/v1/images/default/none')).status).toBe(403);
  });

  it('covers every pair', async () => {
    await using served = await serveWorld(world);
    const coverage = await get(served, '/v1/coverage', answers.coverageSchema);
    expect(coverage.ratio).toBe(0.75);
    expect(coverage.pairs).toMatchObject({ eligible: 4, present: 3, failed: 1 });
    expect(coverage.nodes).toEqual([
      { name: 'n1', present: 2, lacking: 0, skipped: 0 },
      { name: 'n2', present: 1, lacking: 1, skipped: 0 },
    ]);
    const missing = await get(served, '/v1/coverage?missing=true', answers.coverageSchema);
    expect(missing.images.map(({ name }) => name)).toEqual(['w-46']);
    const one = await get(served, '/v1/coverage?node=n2', answers.coverageSchema);
    expect([one.ratio, one.nodes.length, one.images.map(({ prepulled }) => prepulled)]).toEqual([
      0.5,
      1,
      [false, true],
    ]);
    expect((await get(served, '/v1/coverage?source=default/none', answers.coverageSchema)).ratio).toBe(1);
    expect((await served.fetch('/v1/coverage?node=none')).status).toBe(404);
  });
});

describe('GET /v1/coverage without the right to list nodes', () => {
  it('names no node but those that visible images name', async () => {
    world.setImages(child('w-47', DIGEST_A, { presentOn: ['n1'] }));
    await using served = await serveWorld(world, { anonymousRead: false });
    const coverage = async (who: string) =>
      answers.coverageSchema.parse(await (await served.fetchAs(who, '/v1/coverage')).json());
    expect((await coverage('stranger')).nodes).toEqual([]);
    expect((await served.fetchAs('stranger', '/v1/coverage?node=n1')).status).toBe(404);
    served.reviews.allow('ann', 'list larder.dev/prepulledimages default');
    expect((await coverage('ann')).nodes.map(({ name }) => name)).toEqual(['n1', 'n2']);
    served.reviews.allow('ops', 'list /nodes');
    expect((await coverage('ops')).nodes.map(({ name }) => name)).toEqual(['n1', 'n2']);
  });
});

describe('GET /v1/resolve', () => {
  it('finds by reference, tag and keyword', async () => {
    await using served = await serveWorld(world);
    const resolve = (query: string) => get(served, `/v1/resolve?${query}`, answers.resolvedImageSchema);
    const byDigest = await resolve(`reference=${encodeURIComponent(`${IMAGE}@${DIGEST_B}`)}`);
    expect(byDigest).toMatchObject({ tag: 'w_2026_46', source: 'default/lab' });
    expect(await resolve('tag=recommended')).toMatchObject({ aliasTarget: 'w_2026_47', digest: DIGEST_A });
    expect(await resolve('class=latest-weekly')).toMatchObject({ tag: 'w_2026_47' });
  });

  it('asks the registry for a digest that nobody has asked for', async () => {
    world.digests.set('w_2026_45', DIGEST_B);
    await using served = await serveWorld(world);
    const known = await get(served, '/v1/resolve?tag=w_2026_45', answers.resolvedImageSchema);
    expect(known).toMatchObject({ digest: DIGEST_B, referenceWithDigest: `${IMAGE}:w_2026_45@${DIGEST_B}` });
    const silent = await get(served, '/v1/resolve?tag=d_2026_11_20', answers.resolvedImageSchema);
    expect(silent).toMatchObject({ digest: null, referenceWithDigest: `${IMAGE}:d_2026_11_20` });
  });

  it.each([
    ['', 400],
    ['tag=w_2026_46&class=recommended', 400],
    ['class=newest', 400],
    ['tag=a/b', 400],
    ['reference=%00', 400],
    ['tag=none', 404],
    ['class=latest-daily', 404],
    ['reference=other.example.org/a:b', 404],
    [`reference=${IMAGE}@sha256:${'0'.repeat(64)}`, 400],
  ])('answers ?%s with %d', async (query, status) => {
    await using served = await serveWorld(world);
    expect((await served.fetch(`/v1/resolve?${query}`)).status).toBe(status);
  });
});
