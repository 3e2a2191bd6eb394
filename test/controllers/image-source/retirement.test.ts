import { afterEach, describe, expect, it } from 'vitest';
import type { PrepulledImage } from '../../../src/api/prepulled-image.ts';
import { childrenByDigest } from '../../../src/controllers/image-source/child-identity.ts';
import { childrenToRetire } from '../../../src/controllers/image-source/retirement.ts';
import { prepulledImage } from '../../support/builders.ts';
import { sendError } from '../../support/registry-exchange.ts';
import { IMAGE_SOURCES, PREPULLED_IMAGES } from '../fixtures.ts';
import { REPOSITORY, SIXTY_VERSIONS, SourceWorld } from './source-world.ts';

const TAGS = ['r29_0_1', 'w_2026_46', 'w_2026_47', 'recommended=w_2026_47'];
const NIGHT = 300_000;

let world: SourceWorld;

afterEach(() => world[Symbol.asyncDispose]());

async function nextScan(): Promise<void> {
  await world.clock.advance(NIGHT);
  await world.reconcile();
}

function removeTemplate(): void {
  const { metadata, spec, ...rest } = world.source;
  const generation = (metadata.generation ?? 0) + 1;
  const bare = { ...spec, prepull: undefined };
  world.server.store.put(IMAGE_SOURCES, { ...rest, spec: bare, metadata: { ...metadata, generation } });
}

function goDown(): void {
  world.registry.intercept = (_request, response) => {
    sendError(response, 404, 'NAME_UNKNOWN');
    return true;
  };
}

describe('a tag that moves every night while one node can pull nothing', () => {
  const nodes = { eligible: 10, unknown: 0, pulling: 0, waiting: 0, failed: 1, skipped: 0 };

  function report(child: PrepulledImage, present: number): void {
    const status = { nodes: { ...nodes, present }, prepulled: present === 10 };
    world.server.store.put(PREPULLED_IMAGES, { ...child, status });
  }

  it('keeps one image of the past, on as many nodes as possible', async () => {
    world = await SourceWorld.start(['nightly'], {
      tags: { grammar: 'Plain' },
      select: [{ name: 'nightly', tags: ['nightly'] }],
      prepull: {},
    });
    await world.reconcile();
    const [first] = world.children;
    if (first === undefined) throw new Error('no child');
    report(first, 9);
    for (let night = 1; night <= 5; night += 1) {
      world.push(`nightly=${String(night)}`);
      await nextScan();
      expect(world.children.length).toBeLessThanOrEqual(2);
      expect(world.children.map(({ metadata }) => metadata.uid)).toContain(first.metadata.uid);
    }
    const newest = world.children.find(({ metadata }) => metadata.uid !== first.metadata.uid);
    if (newest === undefined) throw new Error('no successor');
    report(newest, 10);
    await world.reconcile();
    expect(world.children.map(({ metadata }) => metadata.uid)).toEqual([newest.metadata.uid]);
  });
});

describe('a child whose tag cannot be asked for', () => {
  it('stays, although nothing is remembered of it', async () => {
    world = await SourceWorld.startBeyondStatus();
    await world.reconcile();
    expect(world.childTags).toHaveLength(60);
    // The status has room for fifty.
    const beyond = '1.0.0';
    world.registry.intercept = ({ path }, response) => {
      if (!path.endsWith(`/manifests/${beyond}`)) return false;
      sendError(response, 403, 'DENIED');
      return true;
    };
    await world.restart();
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('False/DigestsIncomplete');
    expect(world.childTags).toContain(beyond);
    world.registry.setTags(
      REPOSITORY,
      SIXTY_VERSIONS.filter((tag) => tag !== beyond),
    );
    await nextScan();
    expect(world.childTags).toHaveLength(59);
  });
});

describe('children without a template', () => {
  it('go although an older list takes nothing away', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    world.registry.setTags(REPOSITORY, ['r29_0_1', 'w_2026_46']);
    await nextScan();
    expect(world.conditions['Ready']).toBe('False/DowngradeRefused');
    expect(world.childTags).toEqual(['r29_0_1', 'w_2026_46', 'w_2026_47']);
    removeTemplate();
    await world.reconcile();
    expect(world.children).toEqual([]);
  });

  it.each([
    ['Delete', 0],
    ['Keep', 3],
  ] as const)('go (%s) although a new process cannot scan', async (retire, left) => {
    world = await SourceWorld.start(TAGS, { prepull: {}, retire });
    await world.reconcile();
    goDown();
    removeTemplate();
    await world.restart();
    await world.reconcile();
    expect(world.children).toHaveLength(left);
    expect(world.children.flatMap(({ metadata }) => metadata.ownerReferences ?? [])).toEqual([]);
  });
});

describe('many children', () => {
  it('are placed and retired in a time that grows as they do', () => {
    const digest = (n: number) => `sha256:${String(n).padStart(64, '0')}`;
    const existing = Array.from({ length: 20_000 }, (_, n) =>
      prepulledImage({
        metadata: { name: `c${String(n)}` },
        spec: { image: `registry.example.org/a:t${String(n)}@${digest(n)}` },
      }),
    );
    const started = performance.now();
    expect(childrenByDigest(existing).size).toBe(20_000);
    const names = new Set(existing.slice(0, 10_000).map(({ metadata }) => metadata.name));
    expect(childrenToRetire({ existing, wanted: [], names, failed: [] })).toHaveLength(10_000);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
