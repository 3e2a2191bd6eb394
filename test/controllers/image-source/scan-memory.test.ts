import { afterEach, describe, expect, it } from 'vitest';
import { entries } from '../../../src/domain/source-images.ts';
import { sendError } from '../../support/registry-exchange.ts';
import { SourceWorld } from './source-world.ts';

const KEY = 'default/lab';
const TAGS = ['r29_0_1', 'w_2026_46', 'w_2026_47', 'exp_of_somebody', 'recommended=w_2026_47'];

let world: SourceWorld;

afterEach(() => world[Symbol.asyncDispose]());

describe('the listing of a source', () => {
  it('is the whole list with what is published of it, and stays while scans fail', async () => {
    world = await SourceWorld.start(TAGS);
    expect(world.memory.listing(KEY)).toBeUndefined();
    await world.reconcile();
    const listing = world.memory.listing(KEY);
    if (listing === undefined) throw new Error('no listing');
    const tags = [...entries(listing.images)].map((entry) =>
      'image' in entry ? entry.image.tag : entry.tag.tag,
    );
    expect(tags.sort()).toEqual(TAGS.map((tag) => tag.split('=')[0]).sort());
    expect(listing).toMatchObject({ uid: world.source.metadata.uid, generation: 1 });
    expect(listing.published?.images.map(({ tag }) => tag)).toEqual(
      world.status.images?.map(({ tag }) => tag),
    );
    world.registry.intercept = (_request, response) => {
      sendError(response, 404, 'NAME_UNKNOWN');
      return true;
    };
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.memory.listing(KEY)?.images).toBe(listing.images);
  });

  it('goes with its source', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    world.server.store.delete({ group: 'larder.dev', version: 'v1alpha1', plural: 'imagesources' }, KEY);
    await world.reconcile();
    expect(world.memory.listing(KEY)).toBeUndefined();
  });
});
