import { afterEach, describe, expect, it } from 'vitest';
import { sendError } from '../../support/registry-exchange.ts';
import { REPOSITORY, SourceWorld } from './source-world.ts';

const TAGS = ['r29_0_1', 'w_2026_46', 'w_2026_47', 'recommended=w_2026_47'];
const INTERVAL = 300_000;

let world: SourceWorld;

afterEach(() => world[Symbol.asyncDispose]());

async function nextScan(): Promise<readonly string[]> {
  await world.clock.advance(INTERVAL);
  await world.reconcile();
  return world.events.splice(0);
}

async function start(tags: readonly string[] = TAGS): Promise<readonly string[]> {
  world = await SourceWorld.start(tags);
  await world.reconcile();
  return world.events.splice(0);
}

describe('events of a source', () => {
  it('tell once what the first scan selects, and that it succeeded', async () => {
    expect(await start()).toEqual([
      'Normal ImagesSelected: 4 images selected: recommended, r29_0_1, w_2026_47, w_2026_46',
      'Normal Succeeded: 4 of 4 tags are selected',
    ]);
    expect(await nextScan()).toEqual([]);
    await world.restart();
    expect(await nextScan()).toEqual([]);
  });

  it('tell what is selected and retired later, also after a restart', async () => {
    await start();
    world.push('w_2026_48');
    await world.restart();
    expect(await nextScan()).toEqual([
      'Normal ImagesSelected: 1 image selected: w_2026_48',
      'Normal ImagesRetired: 1 image no longer selected: w_2026_46',
    ]);
  });

  it('tell of another recommended image once, not as a moved tag as well', async () => {
    await start();
    world.push('recommended=w_2026_46');
    const [event, ...more] = await nextScan();
    expect(event).toMatch(
      /^Normal RecommendedChanged: recommended is now Recommended \(Weekly 2026_46\) \(sha256:[0-9a-f]{12}\); it was Recommended \(Weekly 2026_47\) \(sha256:[0-9a-f]{12}\)$/,
    );
    expect(more).toEqual([]);
  });

  it('tell of no other recommended image when the same one only gets another name', async () => {
    await start();
    world.edit({ digests: 'Selected', select: [{ name: 'releases', type: 'release', newest: 1 }] });
    await world.reconcile();
    expect(world.status.recommended?.name).toBe('Recommended');
    expect(world.events.splice(0)).toEqual([
      'Normal ImagesRetired: 2 images no longer selected: w_2026_47, w_2026_46',
    ]);
  });

  it('tell when nothing is recommended any more, and when something is again', async () => {
    await start();
    world.registry.setTags(REPOSITORY, ['r29_0_1', 'w_2026_46', 'w_2026_47']);
    const [gone, retired, ...more] = await nextScan();
    expect(gone).toMatch(
      /^Normal RecommendedChanged: no image is recommended any more; it was Recommended \(/,
    );
    expect(retired).toBe('Normal ImagesRetired: 1 image no longer selected: recommended');
    expect(more.map((event) => event.slice(0, 16))).toEqual([]);
    world.registry.setTags(REPOSITORY, ['r29_0_1', 'w_2026_46', 'w_2026_47', 'recommended']);
    const [back, selected] = await nextScan();
    expect(back).toMatch(
      /^Normal RecommendedChanged: recommended is now Recommended \(Weekly 2026_47\) \(sha256:\w{12}\)$/,
    );
    expect(selected).toBe('Normal ImagesSelected: 1 image selected: recommended');
  });

  it('tell of other tags that moved', async () => {
    await start(['nightly']);
    world.edit({ select: [{ name: 'nightly', tags: ['nightly'] }] });
    await nextScan();
    world.push('nightly=second');
    const [event, ...more] = await nextScan();
    expect(event).toMatch(/^Normal TagsMoved: 1 tag moved: nightly from sha256:\w{12} to sha256:\w{12}$/);
    expect(more).toEqual([]);
  });

  it('name the images of another repository in full when the source changes over', async () => {
    await start(['w_2026_47']);
    world.registry.putImage('mirror/lab', 'w_2026_47', { seed: 'rebuilt' });
    world.edit({ image: `${world.registry.host}/mirror/lab` });
    expect(await nextScan()).toEqual([
      'Normal ImagesSelected: 1 image selected: w_2026_47',
      `Normal ImagesRetired: 1 image no longer selected: ${world.registry.host}/${REPOSITORY}:w_2026_47`,
    ]);
  });

  it('name ten of many and count the rest', async () => {
    world = await SourceWorld.start(
      Array.from({ length: 60 }, (_, index) => `1.0.${String(index)}`),
      { tags: { grammar: 'SemVer' }, select: [{ name: 'all', semver: '*', newest: 60 }] },
    );
    await world.reconcile();
    expect(world.events[0]).toMatch(
      /^Normal ImagesSelected: 60 images selected: 1\.0\.59, .*1\.0\.50 and 50 more$/,
    );
    // The status shows fifty of them: a new process cannot tell what is new.
    await world.restart();
    world.events.length = 0;
    expect(await nextScan()).toEqual([]);
  });

  it('tell that scans fail, with the reason, and that they work again: once each', async () => {
    await start();
    world.registry.intercept = (_request, response) => {
      sendError(response, 404, 'NAME_UNKNOWN');
      return true;
    };
    const [event, ...more] = await nextScan();
    expect(event).toMatch(/^Warning RepositoryNotFound: listing tags of .*Check spec\.image/);
    expect(more).toEqual([]);
    expect(await nextScan()).toEqual([]);
    world.registry.intercept = undefined;
    expect(await nextScan()).toEqual(['Normal Succeeded: 4 of 4 tags are selected']);
  });

  it('tell that a list is not believed', async () => {
    await start();
    world.registry.setTags(REPOSITORY, ['r29_0_1']);
    const [event, ...more] = await nextScan();
    expect(event).toMatch(/^Warning ScanRejected: the list has lost 75 %/);
    expect(more).toEqual([]);
  });

  it('say nothing of a digest that cannot be asked for', async () => {
    await start();
    world.registry.intercept = ({ path }, response) => {
      if (!path.endsWith('/manifests/recommended')) return false;
      sendError(response, 403, 'DENIED');
      return true;
    };
    expect((await nextScan()).map((event) => event.slice(0, 25))).toEqual(['Normal DigestsIncomplete:']);
  });
});
