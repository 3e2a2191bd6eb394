/** The list that a replica serves: the leader's, its own, or what the status tells. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ImageSource } from '../../src/api/image-source.ts';
import { AccessReader } from '../../src/controllers/access.ts';
import { ScanMemory } from '../../src/controllers/image-source/scan-memory.ts';
import { entries } from '../../src/domain/source-images.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { SourceListings } from '../../src/operator/source-listings.ts';
import { RegistryClient } from '../../src/registry/client.ts';
import type { SourceListing } from '../../src/server/cluster.ts';
import { SourceWorld } from '../controllers/image-source/source-world.ts';
import { steppedThrough } from '../support/registry-failure.ts';

const SIGNAL = new AbortController().signal;
const WEEKLIES = ['w_2026_44', 'w_2026_45', 'w_2026_46', 'w_2026_47', 'recommended=w_2026_46'];

let world: SourceWorld;
let registry: RegistryClient;

beforeEach(async () => {
  world = await SourceWorld.start(WEEKLIES);
  registry = new RegistryClient({ clock: world.clock });
  await world.reconcile();
  world.registry.log.length = 0;
});

afterEach(async () => {
  await registry.close();
  await world[Symbol.asyncDispose]();
});

/** A replica that does not lead, unless it is handed the leader's memory. */
function replica(memory = new ScanMemory()): SourceListings {
  const access = new AccessReader(world.server.connect(world.clock).client);
  return new SourceListings({ memory, registry, access, clock: world.clock, log: silentLogger });
}

function read(listings: SourceListings, source: ImageSource = world.source): Promise<SourceListing> {
  return steppedThrough(listings.read(source, SIGNAL), world.clock);
}

function tagsOf({ images }: SourceListing): readonly string[] {
  return [...entries(images)].map((entry) => ('image' in entry ? entry.image.tag : entry.tag.tag));
}

describe('the leader', () => {
  it('serves what its scans have found, and asks the registry nothing', async () => {
    const listings = replica(world.memory);
    const listing = await read(listings);
    expect([listing.origin, tagsOf(listing).length]).toEqual(['Scan', WEEKLIES.length]);
    expect(await read(listings)).toBe(listing);
    expect(world.registry.log).toEqual([]);
  });

  it('does not serve the list of a deleted source of the same name', async () => {
    const { source } = world;
    const successor = { ...source, metadata: { ...source.metadata, uid: 'other' }, status: undefined };
    expect(tagsOf(await read(replica(world.memory), successor))).toEqual([]);
  });
});

describe('another replica', () => {
  it('scans when it is asked, once for all who ask, and not again while nothing changes', async () => {
    const listings = replica();
    const answers = await Promise.all(Array.from({ length: 5 }, () => read(listings)));
    for (const listing of answers)
      expect([listing.origin, tagsOf(listing).length]).toEqual(['Scan', WEEKLIES.length]);
    const requests = world.registry.apiRequests.length;
    expect(await read(listings)).toBe(answers[0]);
    expect(world.registry.apiRequests).toHaveLength(requests);
    expect(world.registry.apiRequests.filter(({ path }) => path.endsWith('/tags/list'))).toHaveLength(1);
  });

  it('asks for no digest that the status tells for good', async () => {
    await read(replica());
    const heads = world.registry.apiRequests
      .filter(({ method }) => method === 'HEAD')
      .map(({ path }) => path);
    expect(heads.filter((path) => path.includes('w_2026'))).toEqual([]);
  });

  it('scans again when the leader has found another list', async () => {
    const listings = replica();
    await read(listings);
    world.push('w_2026_48');
    await world.clock.advance(600_000);
    expect(tagsOf(await read(listings))).not.toContain('w_2026_48');
    await world.reconcile();
    expect(tagsOf(await read(listings))).toContain('w_2026_48');
  });

  it('scans again now and then, because tags that nobody has selected may have moved', async () => {
    const listings = replica();
    const first = await read(listings);
    await world.clock.advance(3_700_000);
    expect(await read(listings)).not.toBe(first);
  });

  it('serves the last list while the registry is down, and leaves it alone for a while', async () => {
    const listings = replica();
    const first = await read(listings);
    world.registry.intercept = (_request, response) => {
      response.writeHead(500).end();
      return true;
    };
    await world.clock.advance(3_700_000);
    world.registry.log.length = 0;
    expect(await read(listings)).toBe(first);
    const asked = world.registry.log.length;
    expect(asked).toBeGreaterThan(0);
    expect(await read(listings)).toBe(first);
    expect(world.registry.log).toHaveLength(asked);
  });

  it('serves the status, and says so, if it has never had a list', async () => {
    world.registry.intercept = (_request, response) => {
      response.writeHead(500).end();
      return true;
    };
    const listings = replica();
    const listing = await read(listings);
    expect(listing.origin).toBe('Status');
    expect(tagsOf(listing).toSorted()).toEqual(['recommended', 'w_2026_46', 'w_2026_47']);
    expect(listing.images.selected.imageForTag('recommended')?.displayName).toBe(
      'Recommended (Weekly 2026_46)',
    );
    expect(await read(listings)).toBe(listing);
    world.registry.intercept = undefined;
    await world.clock.advance(30_000);
    expect((await read(listings)).origin).toBe('Scan');
  });

  it('does not keep a request waiting for a registry that is slow', async () => {
    const gate = Promise.withResolvers<undefined>();
    world.registry.intercept = (_request, response) => {
      void gate.promise.then(() => response.writeHead(500).end());
      return true;
    };
    const reading = replica().read(world.source, SIGNAL);
    await world.clock.advance(3_000);
    expect((await reading).origin).toBe('Status');
    gate.resolve(undefined);
  });

  it('does not believe a list that the leader does not believe', async () => {
    const listings = replica();
    world.registry.setTags('sciplat/lab', ['w_2026_44']);
    await world.clock.advance(600_000);
    await world.reconcile();
    expect(world.source.status?.rejected?.tags).toBe(1);
    expect((await read(listings)).origin).toBe('Status');
  });

  it('scans nothing that is suspended or has never been scanned', async () => {
    const { source } = world;
    await read(replica(), { ...source, spec: { ...source.spec, suspend: true } });
    await read(replica(), { ...source, status: {} });
    expect(world.registry.log).toEqual([]);
  });
});

describe('findDigest', () => {
  it('asks the registry, and is null if that does not tell', async () => {
    const listings = replica();
    expect(await listings.findDigest(world.source, 'w_2026_44', SIGNAL)).toMatch(/^sha256:/);
    expect(await listings.findDigest(world.source, 'none', SIGNAL)).toBeNull();
  });

  it('asks the registry once in a while, however many want to know', async () => {
    const listings = replica();
    const ask = () => listings.findDigest(world.source, 'w_2026_44', SIGNAL);
    await Promise.all(Array.from({ length: 20 }, ask));
    await ask();
    const heads = () =>
      world.registry.log.filter((line) => JSON.stringify(line).includes('w_2026_44')).length;
    expect(heads()).toBe(1);
    await world.clock.advance(30_000);
    await ask();
    expect(heads()).toBe(2);
  });
});
