import { afterEach, describe, expect, it } from 'vitest';
import { MAX_PUSHED_TAGS, notePushes } from '../../../src/domain/pushed-tags.ts';
import { sendError } from '../../support/registry-exchange.ts';
import { REPOSITORY, SourceWorld } from './source-world.ts';

const TAGS = ['r29_0_1', 'w_2026_46', 'w_2026_47', 'recommended=w_2026_47'];

let world: SourceWorld;
let revision = 0;

afterEach(() => world[Symbol.asyncDispose]());

async function start(tags: readonly string[] = TAGS): Promise<void> {
  world = await SourceWorld.start(tags, { prepull: {} });
  await world.reconcile();
  world.takeRequests();
  await world.clock.advance(60_000);
}

/** What a replica writes for the events it was sent. */
function announce(...tags: readonly string[]): void {
  revision += 1;
  const text = world.source.metadata.annotations?.['larder.dev/pushed-tags'];
  const answered = world.status.lastHandledPush;
  const pushed = tags.map((tag) => ({ tag }));
  const note = notePushes({ text, answered, pushed, revision: `r${String(revision)}` }) ?? '';
  world.annotate({ 'larder.dev/pushed-tags': note });
}

function answered(): boolean {
  return world.status.lastHandledPush === `r${String(revision)}`;
}

function digestOf(tag: string): string | undefined {
  return world.status.images?.find((image) => image.tag === tag)?.digest;
}

describe('a pushed tag', () => {
  it('that moved costs one HEAD, and its child follows', async () => {
    await start();
    const { lastScanTime, nextScanTime } = world.status;
    const digest = world.registry.putImage(REPOSITORY, 'w_2026_46', { seed: 'rebuilt' });
    announce('w_2026_46');
    const { requeueAfterMs } = await world.reconcile();
    expect(world.takeRequests()).toEqual(['HEAD w_2026_46']);
    expect(digestOf('w_2026_46')).toBe(digest);
    expect(world.children.some(({ spec }) => spec.image.endsWith(`:w_2026_46@${digest}`))).toBe(true);
    expect(answered()).toBe(true);
    expect(world.status).toMatchObject({ lastScanTime, nextScanTime });
    expect(requeueAfterMs).toBe(240_000);
  });

  it('that is new joins without the list being read', async () => {
    await start();
    world.push('w_2026_48');
    announce('w_2026_48');
    await world.reconcile();
    expect(world.takeRequests()).toEqual(['HEAD w_2026_48']);
    expect(world.status.latestWeekly?.tag).toBe('w_2026_48');
    expect(world.childTags).toEqual(['r29_0_1', 'w_2026_47', 'w_2026_48']);
    expect(world.status.counts?.known).toBe(5);
  });

  it('that nobody wants costs nothing', async () => {
    await start();
    announce('exp_of_somebody');
    await world.reconcile();
    expect(world.takeRequests()).toEqual([]);
    expect(answered()).toBe(true);
  });

  it('whose digest is known already costs nothing', async () => {
    await start();
    const digest = digestOf('w_2026_46') ?? '';
    world.annotate({ 'larder.dev/pushed-tags': `r0 w_2026_46@${digest}` });
    await world.reconcile();
    expect(world.takeRequests()).toEqual([]);
    expect(world.status.lastHandledPush).toBe('r0');
  });

  it('is answered once', async () => {
    await start();
    announce('recommended');
    await world.reconcile();
    world.takeRequests();
    await world.clock.advance(5_000);
    await world.reconcile();
    expect(world.takeRequests()).toEqual([]);
  });

  it('is answered by the first scan of a new leader, which does not believe the old digest', async () => {
    await start();
    const digest = world.registry.putImage(REPOSITORY, 'w_2026_46', { seed: 'rebuilt' });
    announce('w_2026_46');
    await world.restart();
    await world.reconcile();
    expect(world.takeRequests()).toEqual(['GET list', 'HEAD recommended', 'HEAD w_2026_46']);
    expect(digestOf('w_2026_46')).toBe(digest);
    expect(answered()).toBe(true);
  });
});

describe('a storm', () => {
  it('becomes one update in two seconds', async () => {
    await start();
    announce('recommended');
    await world.reconcile();
    world.takeRequests();
    for (const tag of ['w_2026_46', 'w_2026_47', 'w_2026_46']) {
      announce(tag);
      await world.clock.advance(100);
      expect((await world.reconcile()).requeueAfterMs).toBeLessThanOrEqual(2_000);
    }
    expect(world.takeRequests()).toEqual([]);
    await world.clock.advance(2_000);
    await world.reconcile();
    expect(world.takeRequests()).toEqual(['HEAD w_2026_46', 'HEAD w_2026_47']);
    expect(answered()).toBe(true);
  });

  it('of more tags than the annotation holds becomes one scan, soon', async () => {
    await start();
    announce(...Array.from({ length: MAX_PUSHED_TAGS + 1 }, (_, index) => `w_2025_${String(index)}`));
    await world.reconcile();
    expect(answered()).toBe(false);
    await world.clock.advance(1);
    await world.reconcile();
    // Any of the selected ones may have been among them.
    const selected = ['HEAD r29_0_1', 'HEAD recommended', 'HEAD w_2026_46', 'HEAD w_2026_47'];
    expect(world.takeRequests()).toEqual(['GET list', ...selected]);
    expect(answered()).toBe(true);
  });

  it('of deleted tags does not make one scan each', async () => {
    await start();
    for (const tag of ['w_2026_46', 'w_2026_47']) {
      world.registry.deleteManifest(REPOSITORY, digestOf(tag) ?? '');
      announce(tag);
      await world.reconcile();
      await world.clock.advance(1);
      await world.reconcile();
    }
    expect(world.takeRequests().filter((request) => request === 'GET list')).toHaveLength(1);
    await world.clock.advance(10_000);
    await world.reconcile();
    expect(world.takeRequests()).toContain('GET list');
    expect(answered()).toBe(true);
  });
});

describe('events that nobody can check', () => {
  it('do not make the next list look as if it had lost tags', async () => {
    await start();
    for (const series of ['a', 'b']) {
      announce(...Array.from({ length: 20 }, (_, index) => `bogus_${series}_${String(index)}`));
      await world.reconcile();
      await world.clock.advance(2_000);
    }
    expect(world.status.counts?.known).toBe(44);
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('True/Succeeded');
    expect(world.status.counts?.known).toBe(4);
  });

  it('do not make the list longer than the guard allows', async () => {
    await start();
    world.edit({ guard: { maxTags: 5, maxRemovedPercent: 50 } });
    await world.reconcile();
    world.takeRequests();
    announce('bogus_1', 'bogus_2');
    await world.reconcile();
    expect(world.status.counts?.known).toBe(4);
    expect(answered()).toBe(false);
    await world.clock.advance(10_000);
    await world.reconcile();
    expect(answered()).toBe(true);
  });
});

describe('a registry in trouble', () => {
  it.each([
    [403, 'DENIED'],
    [429, 'TOOMANYREQUESTS'],
  ])('(%d) is asked for the list instead, with the last result kept meanwhile', async (status, code) => {
    await start();
    const before = world.status.images;
    world.registry.intercept = ({ method }, response) => {
      if (method !== 'HEAD') return false;
      sendError(response, status, code);
      return true;
    };
    announce('w_2026_46');
    await world.reconcileThroughRetries();
    expect(answered()).toBe(false);
    expect(world.status.images).toEqual(before);
    world.registry.intercept = undefined;
    await world.clock.advance(1);
    await world.reconcileThroughRetries();
    expect(world.takeRequests()).toContain('GET list');
    expect(answered()).toBe(true);
  });

  it('at a single pushed tag makes each scan ask for it again, until it tells', async () => {
    await start();
    const digest = world.registry.putImage(REPOSITORY, 'w_2026_46', { seed: 'rebuilt' });
    world.registry.intercept = ({ method, path }, response) => {
      if (method !== 'HEAD' || !path.endsWith('w_2026_46')) return false;
      sendError(response, 403, 'DENIED');
      return true;
    };
    announce('w_2026_46');
    await world.reconcile();
    await world.clock.advance(1);
    await world.reconcile();
    expect(world.status.scan?.failedDigests).toBe(1);
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.status.scan?.failedDigests).toBe(1);
    world.registry.intercept = undefined;
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(digestOf('w_2026_46')).toBe(digest);
    expect(world.status.scan?.failedDigests).toBeUndefined();
  });

  it('is over for a tag that a push event finds', async () => {
    await start();
    world.registry.intercept = ({ method, path }, response) => {
      if (method !== 'HEAD' || !path.endsWith('recommended')) return false;
      sendError(response, 403, 'DENIED');
      return true;
    };
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('True/DigestsIncomplete');
    world.registry.intercept = undefined;
    announce('recommended');
    await world.reconcile();
    expect(world.takeRequests().at(-1)).toBe('HEAD recommended');
    expect(world.conditions['Ready']).toBe('True/Succeeded');
  });

  it('that does not even list answers at the next scan that succeeds', async () => {
    await start();
    world.registry.intercept = (_request, response) => {
      sendError(response, 404, 'NAME_UNKNOWN');
      return true;
    };
    await world.clock.advance(300_000);
    await world.reconcile();
    world.takeRequests();
    announce('w_2026_46');
    await world.reconcile();
    expect(world.takeRequests()).toEqual([]);
    world.registry.intercept = undefined;
    await world.clock.advance(30_000);
    await world.reconcile();
    expect(answered()).toBe(true);
  });
});
