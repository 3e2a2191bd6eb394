import { afterEach, describe, expect, it } from 'vitest';
import { sendError } from '../../support/registry-exchange.ts';
import { REPOSITORY, SourceWorld } from './source-world.ts';

const TAGS = ['r29_0_1', 'w_2026_46', 'w_2026_47', 'recommended=w_2026_47'];
const NIGHT = 300_000;

let world: SourceWorld;

afterEach(() => world[Symbol.asyncDispose]());

/** One pass whose status somebody else keeps from being written, such as by an annotation in the same moment. */
async function unwritten(): Promise<void> {
  world.server.refuseStatus();
  await expect(world.reconcile()).rejects.toMatchObject({ status: 409 });
  world.takeRequests();
  await world.clock.advance(1_000);
  await world.reconcile();
}

describe('what could not be written', () => {
  it('of a scan is in the status with the next pass, without another scan', async () => {
    world = await SourceWorld.start(TAGS);
    await unwritten();
    expect(world.takeRequests()).toEqual([]);
    expect(world.status).toMatchObject({
      lastScanTime: '2026-01-01T00:00:00Z',
      nextScanTime: '2026-01-01T00:05:00Z',
      scan: { tags: 4, headRequests: 4 },
    });
    expect(world.conditions).toEqual({
      CredentialsReady: 'True/NoCredentialsNeeded',
      Ready: 'True/Succeeded',
    });
  });

  it('of failures is counted all the same', async () => {
    world = await SourceWorld.start(TAGS);
    world.registry.intercept = (_request, response) => {
      sendError(response, 404, 'NAME_UNKNOWN');
      return true;
    };
    await unwritten();
    expect(world.status.failedScans).toBe(1);
    await world.clock.advance(29_000);
    await unwritten();
    expect(world.status.failedScans).toBe(2);
  });

  it('of a list that is not believed is counted all the same, and forgotten when it is', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    world.registry.setTags(REPOSITORY, ['r29_0_1']);
    await world.clock.advance(NIGHT);
    await unwritten();
    expect(world.status.rejected).toMatchObject({ scans: 1 });
    world.annotate({ 'larder.dev/reconcile-requested-at': 'now' });
    await unwritten();
    expect(world.conditions['Ready']).toBe('False/DowngradeRefused');
    expect(world.status).not.toHaveProperty('rejected');
  });

  it('of an update by a push event is answered without asking again', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    await world.clock.advance(60_000);
    world.push('w_2026_48');
    world.annotate({ 'larder.dev/pushed-tags': 'r1 w_2026_48' });
    await unwritten();
    expect(world.takeRequests()).toEqual([]);
    expect(world.status.lastHandledPush).toBe('r1');
    expect(world.status.latestWeekly?.tag).toBe('w_2026_48');
  });

  it('is none of a successor of the same name', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    const { spec, apiVersion, kind } = world.source;
    const ref = { group: 'larder.dev', version: 'v1alpha1', plural: 'imagesources' };
    world.server.store.delete(ref, 'default/lab');
    const metadata = { name: 'lab', namespace: 'default' };
    const select = [{ name: 'odd', semver: 'newest please' }];
    world.server.store.put(ref, { apiVersion, kind, metadata, spec: { ...spec, select } });
    await expect(world.reconcile()).rejects.toMatchObject({ name: 'TerminalError' });
    expect(world.status).not.toHaveProperty('lastScanTime');
  });
});
