import { afterEach, describe, expect, it } from 'vitest';
import { sendError } from '../../support/registry-exchange.ts';
import { REPOSITORY, SourceWorld } from './source-world.ts';

const TAGS = ['r29_0_1', 'w_2026_46', 'w_2026_47', 'recommended=w_2026_47'];
const INTERVAL = 300_000;

let world: SourceWorld;

afterEach(() => world[Symbol.asyncDispose]());

async function nextScan(): Promise<void> {
  await world.clock.advance(INTERVAL);
  await world.reconcile();
}

function lose(): void {
  world.registry.setTags(REPOSITORY, ['r29_0_1']);
}

describe('a list that has lost too much', () => {
  it('is not believed, and the last result stays, children included', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    const { images, counts } = world.status;
    const { children } = world;
    lose();
    await nextScan();
    expect(world.conditions['Ready']).toBe('False/ScanRejected');
    expect(world.status).toMatchObject({
      images,
      counts,
      rejected: { scans: 1, tags: 1, removedPercent: 75 },
    });
    expect(world.children).toEqual(children);
  });

  it('is not believed after a restart either, however often it comes within the hour', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    lose();
    await world.restart();
    for (let scan = 0; scan < 5; scan += 1) await nextScan();
    expect(world.conditions['Ready']).toBe('False/ScanRejected');
    expect(world.childTags).toEqual(['r29_0_1', 'w_2026_46', 'w_2026_47']);
    expect(world.status.rejected?.scans).toBe(5);
  });

  it('is not believed after a restart during an outage', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    await world.restart();
    world.registry.intercept = (_request, response) => {
      sendError(response, 404, 'NAME_UNKNOWN');
      return true;
    };
    await nextScan();
    world.registry.intercept = undefined;
    lose();
    await nextScan();
    expect(world.conditions['Ready']).toBe('False/ScanRejected');
  });

  it('is not believed after a restart with an edit that is none of the image', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    world.edit({ interval: '5m', timeout: '30s' });
    lose();
    await world.restart();
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('False/ScanRejected');
  });

  it('of another repository is no loss, also after a restart', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    world.registry.putImage('mirror/lab', 'w_2026_40');
    world.edit({ image: `${world.registry.host}/mirror/lab` });
    await world.restart();
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('True/Succeeded');
  });

  it('is believed after three equal scans over an hour', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    lose();
    for (let scan = 0; scan < 12; scan += 1) await nextScan();
    expect(world.conditions['Ready']).toBe('False/ScanRejected');
    await nextScan();
    expect(world.status.images?.map(({ tag }) => tag)).toEqual(['r29_0_1']);
    expect(world.status).not.toHaveProperty('rejected');
  });

  it('is believed when somebody asks', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    lose();
    world.annotate({ 'larder.dev/reconcile-requested-at': 'now' });
    await world.reconcile();
    expect(world.status.images?.map(({ tag }) => tag)).toEqual(['r29_0_1']);
  });
});

describe('a headline', () => {
  it('does not move back because the list is older, and Ready says so', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    world.registry.setTags(REPOSITORY, ['r29_0_1', 'w_2026_46']);
    await nextScan();
    expect(world.status.latestWeekly?.tag).toBe('w_2026_47');
    expect(world.conditions['Ready']).toBe('False/DowngradeRefused');
    world.edit({ allowDowngrade: true });
    await world.reconcile();
    expect(world.status.latestWeekly?.tag).toBe('w_2026_46');
    expect(world.conditions['Ready']).toBe('True/Succeeded');
  });

  it('moves back when the spec leaves the newest tag out: the list still has it', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    world.registry.putImage(REPOSITORY, 'recommended', { seed: 'w_2026_46' });
    world.edit({ tags: { ...world.source.spec.tags, exclude: ['^w_2026_47$'] } });
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('True/Succeeded');
    expect(world.status.latestWeekly?.tag).toBe('w_2026_46');
    expect(world.childTags).toEqual(['r29_0_1', 'w_2026_46']);
  });

  it('may outlive the other tags of its image', async () => {
    const tags = ['r29_0_1', 'w_2026_45', 'w_2026_46', 'w_2026_47'];
    world = await SourceWorld.start([...tags, 'recommended=w_2026_45'], {
      select: [{ name: 'weeklies', type: 'weekly', newest: 3 }],
      prepull: {},
    });
    await world.reconcile();
    expect(world.status.newestSeen).toMatchObject({ recommended: 'w_2026_45' });
    const digest = world.status.recommended?.digest;
    world.push('w_2026_48');
    await nextScan();
    world.registry.setTags(REPOSITORY, ['r29_0_1', 'w_2026_46', 'w_2026_47', 'w_2026_48', 'recommended']);
    await nextScan();
    expect(world.conditions['Ready']).toBe('True/Succeeded');
    expect(world.status.recommended).toMatchObject({ digest, name: 'Recommended', aliases: [] });
    expect(world.childTags).toEqual(['recommended', 'w_2026_46', 'w_2026_47', 'w_2026_48']);
  });

  it('of one repository says nothing about another', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    world.registry.putImage('mirror/lab', 'w_2026_40');
    world.edit({ image: `${world.registry.host}/mirror/lab` });
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('True/Succeeded');
    expect(world.status.latestWeekly?.reference).toBe(`${world.registry.host}/mirror/lab:w_2026_40`);
    expect(world.status).not.toHaveProperty('recommended');
    expect(world.status.newestSeen).toEqual({ latestWeekly: 'w_2026_40' });
  });
});
