import { afterEach, describe, expect, it } from 'vitest';
import { type Attempt, shouldResolve } from '../../../src/controllers/prepulled-image/resolve.ts';
import { prepulledImage } from '../../support/builders.ts';
import { sendError } from '../../support/registry-exchange.ts';
import { steppedThrough } from '../../support/registry-failure.ts';
import { digestOf } from '../fixtures.ts';
import { REPOSITORY, StockWorld } from './stock-world.ts';

describe('shouldResolve', () => {
  const image = prepulledImage({ metadata: { generation: 2 } });
  const { uid } = image.metadata;
  const last: Attempt = { uid, generation: 2, dueAt: 10_000, failed: false, permittedAt: 0 };

  it.each([
    ['never before', undefined, 0, false, 'FirstTime'],
    ['for a predecessor of the name', { ...last, uid: 'other' }, 0, false, 'FirstTime'],
    ['for an older generation', { ...last, generation: 1 }, 0, false, 'SpecChanged'],
    ['just now', last, 9_999, false, undefined],
    ['just now, but somebody asks', last, 9_999, true, 'Requested'],
    ['an interval ago', last, 10_000, false, 'IntervalElapsed'],
    ['in vain just now', { ...last, failed: true }, 9_999, false, undefined],
    ['in vain a while ago', { ...last, failed: true }, 10_000, false, 'RetryDue'],
  ] as const)('after an attempt %s', (...[, attempt, monotonic, requested, reason]) => {
    expect(shouldResolve(image, attempt, { requested, monotonic })).toBe(reason);
  });
});

describe('resolving', () => {
  let world: StockWorld;

  afterEach(() => world[Symbol.asyncDispose]());

  function refuse(status: number, code: string, headers: Readonly<Record<string, string>> = {}): void {
    world.registry.intercept = (_request, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      sendError(response, status, code);
      return true;
    };
  }

  function messageOf(type: string): string | undefined {
    return world.status.conditions?.find((condition) => condition.type === type)?.message;
  }

  it('finds digest, platforms and size of a tag, and describes it', async () => {
    world = await StockWorld.start({ grammar: 'RSP', aliases: ['recommended'] });
    const digest = world.registry.putIndex(REPOSITORY, 'w_2026_47', {
      platforms: [{ layerSize: 5_000_000 }, { architecture: 'arm64', layerSize: 3_000_000 }],
    });
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 300_000 });
    expect(world.conditions).toMatchObject({
      CredentialsReady: 'True/NoCredentialsNeeded',
      Resolved: 'True/TagResolved',
    });
    expect(world.status.size).toBe('4.8 MiB');
    expect(world.status.image).toMatchObject({
      reference: world.reference('w_2026_47'),
      referenceWithDigest: `${world.reference('w_2026_47')}@${digest}`,
      registry: world.registry.host,
      repository: REPOSITORY,
      tag: 'w_2026_47',
      digest,
      platforms: [
        { os: 'linux', architecture: 'amd64' },
        { os: 'linux', architecture: 'arm64' },
      ],
      type: 'weekly',
      displayName: 'Weekly 2026_47',
      version: '2026.47.0',
      date: '2026-11-19T00:00:00Z',
      aliases: ['recommended'],
      possibleAlias: false,
    });
  });

  it('reads an alias by its target', async () => {
    world = await StockWorld.start({ grammar: 'RSP', aliasTarget: 'w_2026_47' });
    world.registry.putImage(REPOSITORY, 'latest_weekly', { seed: 'w_2026_47' });
    world.edit({ image: world.reference('latest_weekly') });
    await world.reconcile();
    expect(world.status.image).toMatchObject({
      tag: 'latest_weekly',
      aliasTarget: 'w_2026_47',
      aliases: ['w_2026_47'],
      displayName: 'Latest Weekly (Weekly 2026_47)',
      possibleAlias: true,
    });
  });

  it('describes an image that has only a digest', async () => {
    world = await StockWorld.start();
    const digest = world.registry.putImage(REPOSITORY, undefined, { seed: 'nameless' });
    const reference = `${world.registry.host}/${REPOSITORY}@${digest}`;
    world.edit({ image: reference });
    await world.reconcile();
    expect(world.conditions['Resolved']).toBe('True/DigestGiven');
    expect(world.status.image).toMatchObject({ reference, referenceWithDigest: reference, digest });
    expect(world.status.image).not.toHaveProperty('tag');
  });

  it('asks again at the interval, follows a moved tag, and asks nothing in between', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    const before = world.status.image?.digest;
    world.takeRequests();
    const moved = world.registry.putImage(REPOSITORY, 'w_2026_47', { seed: 'rebuilt' });
    await world.clock.advance(299_000);
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 1_000 });
    expect(world.takeRequests()).toEqual([]);
    expect(world.status.image?.digest).toBe(before);
    await world.clock.advance(1_000);
    await world.reconcile();
    expect(world.status.image?.digest).toBe(moved);
  });

  it('is False while a tag cannot be found, with the last good answer kept', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    const { image, size } = world.status;
    refuse(404, 'MANIFEST_UNKNOWN');
    await world.clock.advance(300_000);
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 30_000 });
    expect(world.conditions).toMatchObject({
      Resolved: 'False/ManifestUnknown',
      Ready: 'False/ManifestUnknown',
    });
    expect(world.status).toMatchObject({ image, size });
    expect(messageOf('Ready')).toBe(
      `reading manifest ${world.reference('w_2026_47')}: the registry has no such manifest (404). ` +
        'Check the reference, or push the image.',
    );
    world.registry.intercept = undefined;
    await world.clock.advance(30_000);
    await world.reconcile();
    expect(world.conditions['Resolved']).toBe('True/TagResolved');
  });

  it('is Unknown while the registry does not answer for a digest, and the nodes are stocked all the same', async () => {
    world = await StockWorld.start();
    const image = `${world.reference('w_2026_47')}@${digestOf('a')}`;
    world.edit({ image });
    refuse(404, 'NAME_UNKNOWN');
    await world.reconcile();
    expect(world.conditions).toMatchObject({
      Resolved: 'Unknown/RepositoryNotFound',
      Prepulled: 'False/NodesMissing',
      Ready: 'False/Stocking',
    });
    expect(messageOf('Resolved')).toMatch(/may not read\. With a digest, nodes pull all the same\.$/);
    expect(world.status.image).toMatchObject({ referenceWithDigest: image, digest: digestOf('a') });
    expect(world.want).toMatchObject({ sizeBytes: 0, platforms: [] });
  });

  it('leaves a registry alone after a failure, however often the coverage changes', async () => {
    world = await StockWorld.start({ interval: '10m' });
    refuse(404, 'NAME_UNKNOWN');
    await world.reconcile();
    world.takeRequests();
    await world.clock.advance(10_000);
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 20_000 });
    expect(world.takeRequests()).toEqual([]);
    world.edit({ minReady: '50%' });
    await world.reconcile();
    expect(world.takeRequests()).not.toEqual([]);
  });

  it('tries again at the interval, if that is short', async () => {
    world = await StockWorld.start({ interval: '10s' });
    refuse(404, 'NAME_UNKNOWN');
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 10_000 });
  });

  it('tries again later and later, and anew after an edit', async () => {
    world = await StockWorld.start({ interval: '1h' });
    refuse(401, 'UNAUTHORIZED');
    const pauses: unknown[] = [];
    for (const waitMs of [0, 30_000, 60_000, 120_000]) {
      await world.clock.advance(waitMs);
      pauses.push((await world.reconcile()).requeueAfterMs);
    }
    expect(pauses).toEqual([30_000, 60_000, 120_000, 240_000]);
    world.edit({ minReady: '50%' });
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 30_000 });
    world.registry.intercept = undefined;
    await world.clock.advance(30_000);
    await world.reconcile();
    expect(world.conditions['Resolved']).toBe('True/TagResolved');
  });

  it.each(['an answer', 'a moved tag', 'a failure'])(
    'says %s again that could not be written',
    async (what) => {
      world = await StockWorld.start();
      if (what !== 'an answer') await world.reconcile();
      const moved = world.registry.putImage(REPOSITORY, 'w_2026_47', { seed: 'rebuilt' });
      if (what === 'a failure') refuse(404, 'MANIFEST_UNKNOWN');
      await world.clock.advance(300_000);
      world.server.refuseStatus();
      await expect(world.reconcile()).rejects.toMatchObject({ status: 409 });
      world.takeRequests();
      await world.clock.advance(1_000);
      await world.reconcile();
      expect(world.takeRequests()).toEqual([]);
      expect(world.conditions).toMatchObject({
        CredentialsReady: 'True/NoCredentialsNeeded',
        Resolved: what === 'a failure' ? 'False/ManifestUnknown' : 'True/TagResolved',
      });
      if (what !== 'a failure') expect(world.status.image?.digest).toBe(moved);
      expect(world.status.image?.tag).toBe('w_2026_47');
      expect(world.events.filter((event) => event.includes('TagMoved'))).toHaveLength(
        what === 'a moved tag' ? 1 : 0,
      );
    },
  );

  it('waits a minute for a registry that says nothing, then stocks the digest all the same', async () => {
    world = await StockWorld.start();
    world.edit({ image: `${world.reference('w_2026_47')}@${digestOf('a')}` });
    world.registry.intercept = () => true;
    const pass = steppedThrough(world.reconcile(), world.clock);
    await pass;
    expect(world.clock.monotonic()).toBeLessThanOrEqual(61_000);
    expect(world.conditions).toMatchObject({ Resolved: 'Unknown/RegistryTimeout', Ready: 'False/Stocking' });
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('tries again no sooner than the registry said', async () => {
    world = await StockWorld.start({ interval: '10s' });
    refuse(429, 'TOOMANYREQUESTS', { 'retry-after': '7200' });
    const { requeueAfterMs } = await steppedThrough(world.reconcile(), world.clock);
    expect(world.conditions['Resolved']).toBe('False/TooManyRequests');
    expect(requeueAfterMs).toBeGreaterThan(7_000_000);
  });

  it('takes nothing that was found for another repository', async () => {
    world = await StockWorld.start();
    const digest = world.registry.putImage(REPOSITORY, 'w_2026_47');
    await world.reconcile();
    refuse(404, 'NAME_UNKNOWN');
    const image = `${world.registry.host}/mirror/lab:w_2026_47@${digest}`;
    world.edit({ image });
    await world.reconcile();
    expect(world.status.image).toMatchObject({ repository: 'mirror/lab', referenceWithDigest: image });
    expect(world.status).not.toHaveProperty('size');
    expect(world.want.pulls).toMatchObject([{ key: digest }]);
  });

  it('begins anew for a successor of the same name', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    const { apiVersion, kind, spec } = world.object;
    const ref = { group: 'larder.dev', version: 'v1alpha1', plural: 'prepulledimages' };
    world.registry.putImage(REPOSITORY, 'w_2026_48');
    world.server.store.delete(ref, 'default/lab');
    world.server.store.put(ref, {
      apiVersion,
      kind,
      metadata: { name: 'lab', namespace: 'default' },
      spec: { ...spec, image: world.reference('w_2026_48') },
    });
    await world.reconcile();
    expect(world.status.image?.tag).toBe('w_2026_48');
  });

  describe('with credentials', () => {
    const SECRETS = { group: '', version: 'v1', plural: 'secrets' };
    const access = { plainHTTP: true, provider: 'None', pullSecretRefs: [{ name: 'regcred' }] } as const;

    it('says that they are there', async () => {
      world = await StockWorld.start({}, { auth: 'basic', username: 'u', password: 'p' });
      const auths = { [world.registry.host]: { username: 'u', password: 'p' } };
      const config = Buffer.from(JSON.stringify({ auths })).toString('base64');
      world.server.store.put(SECRETS, {
        metadata: { name: 'regcred', namespace: 'default' },
        type: 'kubernetes.io/dockerconfigjson',
        data: { '.dockerconfigjson': config },
      });
      world.edit({ access });
      await world.reconcile();
      expect(world.conditions).toMatchObject({
        CredentialsReady: 'True/CredentialsFound',
        Resolved: 'True/TagResolved',
      });
    });

    it('says what is missing, and asks the registry nothing', async () => {
      world = await StockWorld.start();
      world.edit({ access });
      expect(await world.reconcile()).toEqual({ requeueAfterMs: 30_000 });
      expect(world.conditions).toMatchObject({
        CredentialsReady: 'False/SecretNotFound',
        Resolved: 'False/SecretNotFound',
        Ready: 'False/SecretNotFound',
      });
      expect(world.takeRequests()).toEqual([]);
    });

    it('says that the registry refuses them', async () => {
      world = await StockWorld.start({}, { auth: 'basic', username: 'u', password: 'p' });
      await world.reconcile();
      expect(world.conditions['Ready']).toBe('False/Unauthorized');
    });
  });
});
