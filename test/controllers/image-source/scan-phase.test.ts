import { afterEach, describe, expect, it } from 'vitest';
import { shouldScan } from '../../../src/controllers/image-source/scan-decision.ts';
import type { SourceMemory } from '../../../src/controllers/image-source/scan-memory.ts';
import { toSelectionSpec } from '../../../src/controllers/image-source/selection-spec.ts';
import { compileSelection } from '../../../src/domain/selection.ts';
import { imageSource } from '../../support/builders.ts';
import { sendError } from '../../support/registry-exchange.ts';
import { SourceWorld } from './source-world.ts';

const TAGS = ['r29_0_1', 'w_2026_46', 'w_2026_47', 'd_2026_11_20', 'd_2026_11_21', 'recommended=w_2026_47'];
const HOUR = 3_600_000;

let world: SourceWorld;

describe('shouldScan', () => {
  const compiled = compileSelection(toSelectionSpec(imageSource().spec));
  if (!compiled.ok) throw new Error(compiled.error.message);
  const memory: SourceMemory = {
    uid: 'u',
    generation: 2,
    selection: compiled.value,
    scannedAt: 1_000,
    dueAt: 11_000,
  };
  const failed: SourceMemory = {
    ...memory,
    failure: { reason: 'RegistryUnreachable', message: '', retryAt: 31_000 },
  };
  const never: SourceMemory = { uid: 'u', generation: 2, selection: compiled.value };

  const at = (monotonic: number, requested = false) => ({ monotonic, requested });

  it.each([
    ['nothing is remembered', undefined, at(0), { scan: true, reason: 'FirstScan', afterMs: 0 }],
    ['it is not time yet', memory, at(4_000), { scan: false, afterMs: 7_000 }],
    ['it is time', memory, at(11_000), { scan: true, reason: 'IntervalElapsed', afterMs: 0 }],
    ['somebody asks', memory, at(4_000, true), { scan: true, reason: 'Requested', afterMs: 0 }],
    ['a failure is fresh', failed, at(30_999), { scan: false, afterMs: 1 }],
    ['a failure is old', failed, at(31_000), { scan: true, reason: 'RetryDue', afterMs: 0 }],
    ['somebody asks after one', failed, at(4_000, true), { scan: true, reason: 'Requested', afterMs: 0 }],
    ['no scan has ever ended', never, at(1), { scan: true, reason: 'IntervalElapsed', afterMs: 0 }],
  ])('when %s', (_case, remembered, moment, decision) => {
    expect(shouldScan(2, remembered, moment)).toEqual(decision);
  });

  it('at once for another generation, whatever else', () => {
    expect(shouldScan(3, failed, at(0))).toMatchObject({ scan: true, reason: 'SpecChanged' });
  });
});

describe('a scan', () => {
  afterEach(() => world[Symbol.asyncDispose]());

  it('reads all pages and asks for the digests of needed tags only', async () => {
    const old = Array.from({ length: 30 }, (_, index) => `w_2020_${String(index + 10)}`);
    world = await SourceWorld.start([...TAGS, ...old]);
    world.registry.maxPage = 10;
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 300_000 });
    expect(world.takeRequests()).toEqual([
      'GET list',
      'GET list',
      'GET list',
      'GET list',
      ...TAGS.map((tag) => `HEAD ${tag.split('=')[0] ?? ''}`).sort(),
    ]);
    expect(world.status.scan).toMatchObject({ tags: 36, pages: 4, requests: 10, headRequests: 6 });
    expect(world.status).toMatchObject({
      lastScanTime: '2026-01-01T00:00:00Z',
      nextScanTime: '2026-01-01T00:05:00Z',
    });
  });

  it('counts the tags of other cycles', async () => {
    const tags = ['w_2026_47_c0045.001', 'w_2026_46_c0046.002', 'w_2026_44'];
    world = await SourceWorld.start(tags, { tags: { grammar: 'RSP', cycle: 45 } });
    await world.reconcile();
    expect(world.status.scan).toMatchObject({ tags: 3, hiddenByCycle: 2 });
    expect(world.status.counts?.known).toBe(1);
  });

  it('is not made again before it is due', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    world.takeRequests();
    await world.clock.advance(299_999);
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 1 });
    expect(world.takeRequests()).toEqual([]);
  });

  it('asks for digests of releases, weeklies and dailies once, for others each time', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    world.takeRequests();
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.takeRequests()).toEqual(['GET list', 'HEAD recommended']);
  });

  it.each([
    ['SemVer', ['1', '1.2', '1.2.3'], ['HEAD 1', 'HEAD 1.2']],
    ['Docker', ['3.12-slim', '3.12.1-slim', 'v3'], ['HEAD 3.12-slim', 'HEAD v3']],
    ['CalVer', ['24.04', '2026.10.3', '20261003'], ['HEAD 24.04']],
  ] as const)(
    'of grammar %s asks each time for versions that stand for others',
    async (grammar, tags, heads) => {
      world = await SourceWorld.start(tags, {
        tags: { grammar },
        select: [{ name: 'all', tags: [...tags] }],
      });
      await world.reconcile();
      world.takeRequests();
      const digest = world.registry.putImage('sciplat/lab', tags[0], { seed: 'rebuilt' });
      await world.clock.advance(300_000);
      await world.reconcile();
      const asked = world.takeRequests();
      expect(asked).toEqual(['GET list', ...heads]);
      if (heads.some((head) => head === `HEAD ${tags[0]}`))
        expect(world.status.images?.find(({ tag }) => tag === tags[0])?.digest).toBe(digest);
    },
  );

  it('takes the digests of immutable tags from the status after a restart', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    const before = world.status.images;
    world.takeRequests();
    await world.restart();
    await world.reconcile();
    expect(world.takeRequests()).toEqual(['GET list', 'HEAD recommended']);
    expect(world.status.images).toEqual(before);
  });

  it.each(['in memory', 'in the status'])(
    'never takes a digest %s for a tag of another repository',
    async (place) => {
      world = await SourceWorld.start(TAGS);
      await world.reconcile();
      const digest = world.registry.putImage('mirror/lab', 'w_2026_47', { seed: 'rebuilt' });
      if (place === 'in the status') await world.restart();
      world.edit({ image: `${world.registry.host}/mirror/lab` });
      await world.reconcile();
      expect(world.status.images).toMatchObject([{ tag: 'w_2026_47', digest }]);
    },
  );

  it('warns about a tag that is gone between list and HEAD, and goes on', async () => {
    world = await SourceWorld.start(TAGS);
    world.registry.setTags('sciplat/lab', [...TAGS.map((tag) => tag.split('=')[0]), 'd_2026_11_22']);
    await world.reconcile();
    expect(world.status.scan?.warnings).toEqual(['tag d_2026_11_22 was listed but is gone']);
    expect(world.conditions).toEqual({
      CredentialsReady: 'True/NoCredentialsNeeded',
      Ready: 'True/Succeeded',
    });
    const gone = world.status.images?.find(({ tag }) => tag === 'd_2026_11_22');
    expect(gone).toMatchObject({ prepulled: false });
    expect(gone).not.toHaveProperty('digest');
  });

  it('begins at once when the spec changes or somebody asks, and answers who asked', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    world.takeRequests();
    world.annotate({ 'larder.dev/reconcile-requested-at': 'now' });
    await world.reconcile();
    expect(world.takeRequests()).toContain('GET list');
    expect(world.status.lastHandledReconcileAt).toBe('now');
    world.edit({ select: [{ name: 'weeklies', type: 'weekly', newest: 1 }] });
    await world.reconcile();
    expect(world.takeRequests()).toContain('GET list');
    expect(world.status.images?.map(({ tag }) => tag)).toEqual(['recommended', 'w_2026_47']);
  });

  it('begins anew for a successor of the same name', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    const { metadata, spec, apiVersion, kind } = world.source;
    const select = [{ name: 'release', type: 'release', newest: 1 }];
    const ref = { group: 'larder.dev', version: 'v1alpha1', plural: 'imagesources' };
    world.server.store.delete(ref, 'default/lab');
    world.server.store.put(ref, {
      apiVersion,
      kind,
      metadata: { name: 'lab', namespace: 'default', generation: metadata.generation },
      spec: { ...spec, select },
    });
    await world.reconcile();
    expect(world.status.images?.map(({ tag }) => tag)).toEqual(['recommended', 'r29_0_1']);
  });

  it('calls a pattern that no engine takes a matter for a person', async () => {
    world = await SourceWorld.start(TAGS);
    world.edit({ select: [{ name: 'odd', semver: 'newest please', dialect: 'npm' }] });
    await expect(world.reconcile()).rejects.toMatchObject({ name: 'TerminalError' });
    expect(world.conditions).toMatchObject({ Ready: 'False/InvalidPattern', Stalled: 'True/InvalidPattern' });
    const ready = world.status.conditions?.find(({ type }) => type === 'Ready');
    expect(ready?.message).toMatch(/^spec\.[a-z0-9.[\]]+: .+ \(at position \d+\)$/);
    expect(world.takeRequests()).toEqual([]);
  });
});

describe('a scan that fails', () => {
  afterEach(() => world[Symbol.asyncDispose]());

  it('leaves the last result and says why until it succeeds', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    const { images, lastScanTime } = world.status;
    const { children } = world;
    world.registry.intercept = (_request, response) => {
      sendError(response, 404, 'NAME_UNKNOWN');
      return true;
    };
    await world.clock.advance(300_000);
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 30_000 });
    expect(world.conditions).toEqual({
      CredentialsReady: 'True/NoCredentialsNeeded',
      Ready: 'False/RepositoryNotFound',
      Reconciling: 'True/ProgressingWithRetry',
    });
    expect(world.status).toMatchObject({ images, lastScanTime });
    expect(world.children).toEqual(children);
    world.registry.intercept = undefined;
    await world.clock.advance(30_000);
    await world.reconcile();
    expect(world.conditions).toEqual({
      CredentialsReady: 'True/NoCredentialsNeeded',
      Ready: 'True/Succeeded',
    });
  });

  it('is tried again no sooner than the registry said', async () => {
    world = await SourceWorld.start(TAGS, { interval: '10s' });
    world.registry.intercept = (_request, response) => {
      response.setHeader('retry-after', '7200');
      sendError(response, 429, 'TOOMANYREQUESTS');
      return true;
    };
    const { requeueAfterMs = 0 } = await world.reconcileThroughRetries();
    expect(world.conditions['Ready']).toBe('False/TooManyRequests');
    expect(requeueAfterMs).toBeGreaterThan(1.9 * HOUR);
    world.takeRequests();
    await world.clock.advance(HOUR);
    await world.reconcile();
    expect(world.takeRequests()).toEqual([]);
  });

  it('ends at spec.timeout, however little the registry says', async () => {
    world = await SourceWorld.start(TAGS, { timeout: '20s' });
    world.registry.intercept = () => true;
    const pass = world.reconcile();
    await world.clock.advanceUntil(() => world.registry.log.length > 0, { stepMs: 1 });
    await world.clock.advance(20_000);
    await pass;
    expect(world.conditions['Ready']).toBe('False/RegistryTimeout');
    const ready = world.status.conditions?.find(({ type }) => type === 'Ready');
    expect(ready?.message).toContain('not finished within spec.timeout (20s)');
  });

  it.each([
    ['20s', 'says nothing', 'True/Succeeded'],
    ['40s', 'says nothing', 'False/RegistryTimeout'],
    ['40s', 'tells its tags and no digest', 'True/Succeeded'],
  ])('after %s in which the registry %s, tells other sources: %s', async (timeout, says, ready) => {
    world = await SourceWorld.start(TAGS, { timeout });
    world.registry.intercept = ({ method }) => says === 'says nothing' || method === 'HEAD';
    await world.reconcileThroughRetries();
    expect(world.conditions['Ready']).not.toBe('True/Succeeded');
    world.registry.intercept = undefined;
    // An edited source is as good as another one.
    world.edit({ timeout: '1m' });
    await world.reconcile();
    expect(world.conditions['Ready']).toBe(ready);
  });

  it('still lets an edited template reach the children', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    world.registry.intercept = (_request, response) => {
      sendError(response, 404, 'NAME_UNKNOWN');
      return true;
    };
    const { prepull } = world.source.spec;
    if (prepull === undefined) throw new Error('no template');
    world.edit({ prepull: { ...prepull, minReady: '50%' } });
    await world.reconcile();
    expect(world.children.map(({ spec }) => spec.minReady)).toEqual(world.children.map(() => '50%'));
  });

  it('shows nothing of an old repository as the stock of a new one', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    const { children } = world;
    world.edit({ image: `${world.registry.host}/no/such` });
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('False/RepositoryNotFound');
    expect(world.children).toEqual(children);
  });

  it('leaves no timer behind', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('is a matter of credentials if a Secret is missing', async () => {
    world = await SourceWorld.start(TAGS);
    world.edit({ access: { plainHTTP: true, provider: 'None', pullSecretRefs: [{ name: 'regcred' }] } });
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 30_000 });
    expect(world.conditions).toMatchObject({
      CredentialsReady: 'False/SecretNotFound',
      Ready: 'False/SecretNotFound',
    });
    expect(world.takeRequests()).toEqual([]);
  });

  it('is tried again after twice the time, says when and how often, and answers who asks', async () => {
    world = await SourceWorld.start(TAGS);
    world.registry.intercept = (_request, response) => {
      sendError(response, 404, 'NAME_UNKNOWN');
      return true;
    };
    const seen: unknown[] = [];
    for (const waitMs of [0, 30_000, 60_000, 120_000, 240_000, 300_000]) {
      await world.clock.advance(waitMs);
      const { requeueAfterMs } = await world.reconcile();
      const { failedScans, nextScanTime = '' } = world.status;
      seen.push([failedScans, requeueAfterMs]);
      expect(Date.parse(nextScanTime) - world.clock.now()).toBe(requeueAfterMs);
    }
    expect(seen).toEqual([
      [1, 30_000],
      [2, 60_000],
      [3, 120_000],
      [4, 240_000],
      [5, 300_000],
      [6, 300_000],
    ]);
    world.annotate({ 'larder.dev/reconcile-requested-at': 'now' });
    await world.reconcile();
    expect(world.status).toMatchObject({ lastHandledReconcileAt: 'now', failedScans: 7 });
    await world.restart();
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 300_000 });
    world.registry.intercept = undefined;
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.status).not.toHaveProperty('failedScans');
  });

  it('answers who asks also where the spec cannot be scanned, and promises no scan', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    world.edit({ select: [{ name: 'odd', semver: 'newest please', dialect: 'npm' }] });
    world.annotate({ 'larder.dev/reconcile-requested-at': 'now' });
    await expect(world.reconcile()).rejects.toMatchObject({ name: 'TerminalError' });
    expect(world.status.lastHandledReconcileAt).toBe('now');
    expect(world.status).not.toHaveProperty('nextScanTime');
  });
});

describe('a Secret that the kubelet ignores', () => {
  const access = { plainHTTP: true, provider: 'None' as const, pullSecretRefs: [{ name: 'regcred' }] };

  afterEach(() => world[Symbol.asyncDispose]());

  async function start(spec: { readonly prepull?: object }): Promise<void> {
    world = await SourceWorld.start(TAGS, { ...spec, access });
    const data = Object.fromEntries(
      ['username', 'password'].map((key) => [key, Buffer.from(key).toString('base64')]),
    );
    const ref = { group: '', version: 'v1', plural: 'secrets' };
    const metadata = { name: 'regcred', namespace: 'default' };
    world.server.store.put(ref, { metadata, type: 'kubernetes.io/basic-auth', data });
    await world.reconcile();
  }

  it('is said where nodes are to pull with it, and the scan goes on', async () => {
    await start({ prepull: {} });
    expect(world.conditions).toMatchObject({
      CredentialsReady: 'False/SecretTypeUnusableByKubelet',
      Ready: 'False/SecretTypeUnusableByKubelet',
    });
    expect(world.status.images).toHaveLength(6);
  });

  it('is good enough for a source that only watches', async () => {
    await start({});
    expect(world.conditions).toEqual({ CredentialsReady: 'True/CredentialsFound', Ready: 'True/Succeeded' });
  });
});
