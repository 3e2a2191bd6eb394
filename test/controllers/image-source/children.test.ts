import { afterEach, describe, expect, it } from 'vitest';
import type { ImageSource } from '../../../src/api/image-source.ts';
import { childNameOf } from '../../../src/controllers/image-source/child-identity.ts';
import { type Image, makeImage } from '../../../src/domain/image.ts';
import { createGrammar } from '../../../src/domain/tag/grammar.ts';
import { imageSource } from '../../support/builders.ts';
import { IMAGE_SOURCES, PREPULLED_IMAGES } from '../fixtures.ts';
import { REPOSITORY, SourceWorld } from './source-world.ts';

const TAGS = ['r29_0_1', 'w_2026_46', 'w_2026_47', 'latest_weekly=w_2026_47'];
const STOCK = ['r29_0_1', 'w_2026_46', 'w_2026_47'];
const NIGHT = 300_000;

let world: SourceWorld;

afterEach(() => world[Symbol.asyncDispose]());

function start(
  tags: readonly string[] = TAGS,
  spec: Partial<ImageSource['spec']> = {},
): Promise<SourceWorld> {
  return SourceWorld.start(tags, {
    tags: { grammar: 'RSP', aliases: ['latest_weekly'] },
    prepull: {},
    ...spec,
  });
}

/** The next scan, after its time has come. */
async function nextScan(): Promise<void> {
  await world.clock.advance(NIGHT);
  await world.reconcile();
}

function uids(): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(world.children.map(({ metadata }) => [metadata.name, metadata.uid]));
}

describe('children', () => {
  it('are one per digest, owned by the source, and say all it wants', async () => {
    world = await start();
    await world.reconcile();
    expect(world.childTags).toEqual(STOCK);
    const { metadata, spec } = world.child('w_2026_47');
    expect(metadata.name).toMatch(/^lab-w-2026-47-[0-9a-f]{8}$/);
    expect(metadata.labels).toEqual({ 'larder.dev/source': 'lab' });
    expect(metadata.ownerReferences).toEqual([
      {
        apiVersion: 'larder.dev/v1alpha1',
        kind: 'ImageSource',
        name: 'lab',
        uid: world.source.metadata.uid,
        controller: true,
      },
    ]);
    expect(spec).toMatchObject({
      image: expect.stringMatching(`^${world.registry.host}/${REPOSITORY}:w_2026_47@sha256:`) as string,
      access: { plainHTTP: true },
      grammar: 'RSP',
      aliases: ['latest_weekly'],
      ...world.source.spec.prepull,
    });
  });

  it('are written once while nothing changes', async () => {
    world = await start();
    await world.reconcile();
    const before = world.server.count('apply', 'prepulledimages');
    await nextScan();
    await world.restart();
    await world.reconcile();
    expect(before).toBe(3);
    expect(world.server.count('apply', 'prepulledimages')).toBe(3);
  });

  it('are none without a template, and go when it is taken away', async () => {
    world = await start();
    await world.reconcile();
    const spec = { ...world.source.spec, prepull: undefined };
    const { metadata, ...rest } = world.source;
    world.server.store.put(IMAGE_SOURCES, { ...rest, spec, metadata: { ...metadata, generation: 2 } });
    await world.reconcile();
    expect(world.children).toEqual([]);
    expect(world.status.images?.map(({ tag }) => tag)).toContain('w_2026_47');
  });

  it('keep their name when an alias joins, leaves or becomes the primary tag', async () => {
    world = await start();
    await world.reconcile();
    const before = uids();
    world.push('recommended=w_2026_47');
    await nextScan();
    expect(uids()).toEqual(before);
    expect(world.child('w_2026_47').spec.aliases).toEqual(['latest_weekly', 'recommended']);
    // w_2026_47 is pushed once more under a release tag, which ranks first.
    world.registry.setTags(REPOSITORY, ['r29_0_1', 'w_2026_46', 'latest_weekly', 'recommended']);
    await nextScan();
    expect(uids()).toEqual(before);
    expect(world.childTags).toEqual(['r29_0_1', 'recommended', 'w_2026_46']);
  });

  it('follow the template', async () => {
    world = await start();
    await world.reconcile();
    const { prepull } = world.source.spec;
    if (prepull === undefined) throw new Error('no template');
    const nodes = { nodeSelector: { pool: 'notebooks' } };
    world.edit({ prepull: { ...prepull, nodes, keepWarm: true } });
    await world.reconcile();
    for (const { spec } of world.children) expect(spec).toMatchObject({ nodes, keepWarm: true });
    world.edit({ prepull });
    await world.reconcile();
    for (const { spec } of world.children) expect(spec).not.toHaveProperty('nodes');
  });

  it('are corrected when somebody edits what is ours, in spec and labels', async () => {
    world = await start();
    await world.reconcile();
    const child = world.child('r29_0_1');
    const { metadata, spec } = child;
    world.server.store.put(PREPULLED_IMAGES, {
      ...child,
      spec: { ...spec, pull: { ...spec.pull, priority: 99 }, minReady: '1%' },
      metadata: { ...metadata, labels: { 'larder.dev/source': 'other', team: 'a' } },
    });
    await world.reconcile();
    expect(world.child('r29_0_1').spec).toEqual(spec);
    expect(world.child('r29_0_1').metadata.labels).toEqual({ 'larder.dev/source': 'lab', team: 'a' });
  });

  it('are left alone where another manager has added fields of its own, also nested ones', async () => {
    world = await start();
    await world.reconcile();
    const child = world.child('r29_0_1');
    const { metadata, spec } = child;
    world.server.store.put(PREPULLED_IMAGES, {
      ...child,
      spec: { ...spec, recordRef: { name: 'theirs' }, pull: { ...spec.pull, maxConcurrentNodes: 3 } },
      metadata: { ...metadata, generation: 2 },
    });
    await world.reconcile();
    const applies = world.server.count('apply', 'prepulledimages');
    for (let pass = 0; pass < 3; pass += 1) await nextScan();
    expect(world.server.count('apply', 'prepulledimages')).toBe(applies);
    world.server.store.put(PREPULLED_IMAGES, {
      ...world.child('r29_0_1'),
      spec: { ...world.child('r29_0_1').spec, minReady: '1%' },
      metadata: { ...world.child('r29_0_1').metadata, generation: 9 },
    });
    await world.reconcile();
    expect(world.child('r29_0_1').spec.minReady).toBe('100%');
  });

  it('come back when somebody deletes one', async () => {
    world = await start();
    await world.reconcile();
    const { name } = world.child('r29_0_1').metadata;
    world.server.store.delete(PREPULLED_IMAGES, `default/${name}`);
    await world.reconcile();
    expect(world.child('r29_0_1').metadata.name).toBe(name);
  });

  it('are made only where the digest is known', async () => {
    world = await start();
    world.registry.setTags(REPOSITORY, [...STOCK, 'r30_0_0', 'latest_weekly']);
    await world.reconcile();
    expect(world.childTags).toEqual(['w_2026_46', 'w_2026_47']);
  });
});

describe('an object that has the name of a child', () => {
  async function occupy(metadata: Readonly<Record<string, unknown>>): Promise<void> {
    world = await start();
    await world.reconcile();
    const child = world.child('r29_0_1');
    const { name, namespace } = child.metadata;
    const foreign = { ...child, spec: { ...child.spec, minReady: '7%' } };
    world.server.store.delete(PREPULLED_IMAGES, `default/${name}`);
    world.server.store.put(PREPULLED_IMAGES, { ...foreign, metadata: { name, namespace, ...metadata } });
    world.push('w_2026_48');
    await world.clock.advance(NIGHT);
  }

  it.each([
    [
      'of another controller',
      { ownerReferences: [{ uid: 'x', kind: 'Other', name: 'x', controller: true }] },
      'Other x',
    ],
    ['that a person has made', {}, 'somebody else'],
  ])('%s is left alone, and holds up no other child', async (_whose, metadata, owner) => {
    await occupy(metadata);
    await expect(world.reconcile()).rejects.toMatchObject({
      reason: 'ChildConflict',
      message: expect.stringMatching(
        `^PrepulledImage lab-r29-0-1-[0-9a-f]{8} belongs to ${owner}; `,
      ) as string,
      requeueAfterMs: 60_000,
    });
    expect(world.conditions['Ready']).toBe('False/ChildConflict');
    expect(world.child('r29_0_1').spec.minReady).toBe('7%');
    expect(world.childTags).toEqual(['r29_0_1', 'w_2026_47', 'w_2026_48']);
  });

  it('comes home if it is a child of ours that was kept', async () => {
    await occupy({ labels: { 'larder.dev/source': 'lab' } });
    await world.reconcile();
    expect(world.child('r29_0_1').spec.minReady).toBe('100%');
    expect(world.child('r29_0_1').metadata.ownerReferences).toHaveLength(1);
    expect(world.conditions['Ready']).toBe('True/Succeeded');
  });
});

const GRAMMAR = createGrammar({ name: 'Plain', recommended: '', aliases: [], architectures: [] });

describe('sources whose names read alike', () => {
  const image = (tag: string): Image =>
    makeImage({ registry: 'r.example.org', repository: 'a' }, GRAMMAR.read(tag), {
      digest: `sha256:${'a'.repeat(64)}`,
    });
  const name = (source: string, tag: string): string =>
    childNameOf(imageSource({ metadata: { name: source } }), image(tag), new Map());

  it.each([
    ['a.b', '1.0', 'a-b', '1.0'],
    ['a', 'b-1', 'a-b', '1'],
    [`${'x'.repeat(62)}1`, '1.0', `${'x'.repeat(62)}2`, '1.0'],
  ])('%s with %s and %s with %s do not want children of one name', (one, oneTag, other, otherTag) => {
    expect(name(one, oneTag)).not.toBe(name(other, otherTag));
    expect(name(one, oneTag).slice(0, -8)).toBe(name(other, otherTag).slice(0, -8));
  });
});

describe('a name that the cache believes to be free', () => {
  function forces(): readonly (string | null)[] {
    const applies = world.server.requests.filter(
      ({ verb, plural }) => verb === 'apply' && plural === 'prepulledimages',
    );
    return applies.map(({ query }) => query.get('force'));
  }

  it('is not taken by force: the server refuses, and the next pass sees whose it is', async () => {
    world = await start();
    world.server.fail({
      when: ({ verb, plural }) => verb === 'apply' && plural === 'prepulledimages',
      action: { kind: 'status', code: 409, reason: 'Conflict' },
      times: 3,
    });
    await expect(world.reconcile()).rejects.toMatchObject({ status: 409 });
    expect(forces()).toEqual(['false', 'false', 'false']);
    expect(world.status).toEqual({});
    await world.reconcile();
    expect(world.childTags).toEqual(STOCK);
  });

  it('is another matter than a child of ours, whose fields are ours', async () => {
    world = await start();
    await world.reconcile();
    const { prepull } = world.source.spec;
    if (prepull === undefined) throw new Error('no template');
    world.edit({ prepull: { ...prepull, keepWarm: true } });
    await world.reconcile();
    expect(forces().slice(3)).toEqual(['true', 'true', 'true']);
  });
});

describe('a child that is no longer selected', () => {
  it('is deleted, with its uid as precondition', async () => {
    world = await start();
    await world.reconcile();
    world.push('w_2026_48');
    await nextScan();
    expect(world.childTags).toEqual(['r29_0_1', 'w_2026_47', 'w_2026_48']);
  });

  it("stays as nobody's with retire: Keep, and returns when its tag is selected again", async () => {
    world = await start(TAGS, { retire: 'Keep' });
    await world.reconcile();
    const { name, uid } = world.child('w_2026_46').metadata;
    world.push('w_2026_48');
    await nextScan();
    expect(world.childTags).toEqual(['r29_0_1', 'w_2026_46', 'w_2026_47', 'w_2026_48']);
    expect(world.child('w_2026_46').metadata.ownerReferences).toEqual([]);
    world.registry.setTags(
      REPOSITORY,
      TAGS.map((tag) => tag.split('=')[0]),
    );
    await nextScan();
    expect(world.child('w_2026_46').metadata).toMatchObject({ name, uid });
    expect(world.child('w_2026_46').metadata.ownerReferences).toHaveLength(1);
  });

  it('and was kept returns also when another tag of its image is selected', async () => {
    world = await start(TAGS, { retire: 'Keep' });
    await world.reconcile();
    const { name, uid } = world.child('w_2026_46').metadata;
    world.push('w_2026_48');
    await nextScan();
    world.push('r30_0_0=w_2026_46');
    await nextScan();
    expect(world.child('r30_0_0').metadata).toMatchObject({ name, uid });
    expect(world.child('r30_0_0').metadata.ownerReferences).toHaveLength(1);
    expect(world.childTags).toEqual(['r29_0_1', 'r30_0_0', 'w_2026_47', 'w_2026_48']);
  });

  it('and was copied by a person, with its label, does not return as that copy', async () => {
    world = await start();
    await world.reconcile();
    const child = world.child('w_2026_46');
    const { labels, namespace } = child.metadata;
    world.push('w_2026_48');
    await nextScan();
    world.server.store.put(PREPULLED_IMAGES, { ...child, metadata: { name: 'my-copy', namespace, labels } });
    world.push('r30_0_0=w_2026_46');
    await nextScan();
    expect(world.child('w_2026_46').metadata.name).toBe('my-copy');
    expect(world.child('w_2026_46').metadata.ownerReferences).toBeUndefined();
    expect(world.child('r30_0_0').metadata.ownerReferences).toHaveLength(1);
  });

  it.each([404, 409])('may be gone or changed meanwhile (%d)', async (code) => {
    world = await start();
    await world.reconcile();
    world.push('w_2026_48');
    const reason = code === 404 ? 'NotFound' : 'Conflict';
    world.server.fail({ when: ({ verb }) => verb === 'delete', action: { kind: 'status', code, reason } });
    await nextScan();
    expect(world.conditions['Ready']).toBe('True/Succeeded');
  });

  it('is tried again after any other trouble, and is never lost by a failed write', async () => {
    world = await start();
    await world.reconcile();
    const before = uids();
    const { prepull } = world.source.spec;
    if (prepull === undefined) throw new Error('no template');
    world.edit({ prepull: { ...prepull, keepWarm: true } });
    world.server.fail({
      when: ({ verb, plural }) => verb === 'apply' && plural === 'prepulledimages',
      action: { kind: 'status', code: 422, reason: 'Invalid' },
      times: 3,
    });
    await expect(world.reconcile()).rejects.toMatchObject({ status: 422 });
    expect(uids()).toEqual(before);
    await world.reconcile();
    for (const { spec } of world.children) expect(spec.keepWarm).toBe(true);
  });
});

describe('a tag that has moved', () => {
  const moved = {
    nodes: { eligible: 2, present: 1, unknown: 0, pulling: 0, waiting: 1, failed: 0, skipped: 0 },
  };

  /** `nightly` is on the nodes and is then pushed again. */
  async function moveTag(): Promise<string> {
    world = await SourceWorld.start(['nightly'], {
      tags: { grammar: 'Plain' },
      select: [{ name: 'nightly', tags: ['nightly'] }],
      prepull: {},
    });
    await world.reconcile();
    const old = world.child('nightly').metadata.name;
    world.push('nightly=second');
    await nextScan();
    return old;
  }

  function names(): readonly string[] {
    return world.children.map(({ metadata }) => metadata.name);
  }

  it('keeps its old image until the new one is on the nodes', async () => {
    const old = await moveTag();
    expect(names()).toHaveLength(2);
    const [successor] = world.children.filter(({ metadata }) => metadata.name !== old);
    if (successor === undefined) throw new Error('no successor');
    for (const status of [moved, { ...moved, prepulled: false }]) {
      world.server.store.put(PREPULLED_IMAGES, { ...successor, status });
      await world.reconcile();
      expect(names()).toContain(old);
    }
    world.server.store.put(PREPULLED_IMAGES, { ...successor, status: { ...moved, prepulled: true } });
    await world.reconcile();
    expect(names()).toEqual([successor.metadata.name]);
  });

  it('does not wait where no node wants the image', async () => {
    const old = await moveTag();
    const [successor] = world.children.filter(({ metadata }) => metadata.name !== old);
    if (successor === undefined) throw new Error('no successor');
    const nodes = { ...moved.nodes, eligible: 0, present: 0, waiting: 0 };
    world.server.store.put(PREPULLED_IMAGES, { ...successor, status: { nodes, prepulled: false } });
    await world.reconcile();
    expect(names()).toEqual([successor.metadata.name]);
  });
});
