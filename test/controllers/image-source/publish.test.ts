import { afterEach, describe, expect, it } from 'vitest';
import { sendError } from '../../support/registry-exchange.ts';
import { REPOSITORY, SourceWorld } from './source-world.ts';

let world: SourceWorld;

afterEach(() => world[Symbol.asyncDispose]());

const TAGS = [
  'r29_0_1',
  'w_2026_46',
  'w_2026_47',
  'd_2026_11_21',
  'exp_w_2026_47_fast',
  'recommended=w_2026_47',
];

describe('the published images', () => {
  it('are described as a menu needs them', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    const { images = [], recommended } = world.status;
    expect(images.map(({ tag }) => tag)).toEqual([
      'recommended',
      'r29_0_1',
      'w_2026_47',
      'w_2026_46',
      'd_2026_11_21',
    ]);
    const weekly = images.find(({ tag }) => tag === 'w_2026_47');
    expect(weekly).toEqual({
      reference: `${world.registry.host}/${REPOSITORY}:w_2026_47`,
      tag: 'w_2026_47',
      name: 'Weekly 2026_47',
      digest: recommended?.digest,
      aliases: ['recommended'],
      prepulled: false,
      type: 'weekly',
      version: '2026.47.0',
      date: '2026-11-19T00:00:00Z',
      rules: ['weeklies'],
    });
    expect(recommended).toMatchObject({ tag: 'recommended', aliases: ['w_2026_47'] });
    expect(world.status.latestWeekly?.tag).toBe('w_2026_47');
    expect(world.status.latestDaily?.tag).toBe('d_2026_11_21');
    expect(world.status.latestRelease?.tag).toBe('r29_0_1');
    expect(world.status.counts).toEqual({ known: 6, displayed: 6, selected: 5, prepulled: 0 });
    expect(world.status).not.toHaveProperty('truncated');
  });

  it('are prepulled as far as the children say, aliases included', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    world.report('w_2026_47', { prepulled: true });
    world.report('w_2026_46', { prepulled: false });
    await world.reconcile();
    const prepulled = world.status.images?.filter((image) => image.prepulled).map(({ tag }) => tag);
    expect(prepulled).toEqual(['recommended', 'w_2026_47']);
    expect(world.status.recommended?.prepulled).toBe(true);
    expect(world.status.counts?.prepulled).toBe(2);
    expect(world.takeRequests()).toHaveLength(6);
  });

  it('are prepulled as far as the children say, also where a new process cannot scan', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    world.report('w_2026_47', { prepulled: true });
    await world.reconcile();
    expect(world.status.counts?.prepulled).toBe(2);
    world.registry.intercept = (_request, response) => {
      sendError(response, 404, 'NAME_UNKNOWN');
      return true;
    };
    await world.restart();
    world.report('w_2026_47', { prepulled: false });
    world.report('w_2026_46', { prepulled: true });
    await world.reconcile();
    const prepulled = world.status.images?.filter((image) => image.prepulled).map(({ tag }) => tag);
    expect(prepulled).toEqual(['w_2026_46']);
    expect(world.status.recommended?.prepulled).toBe(false);
    expect(world.status.counts).toMatchObject({ selected: 5, prepulled: 1 });
  });

  it('are prepulled as far as the children say, also while a person must correct the spec', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    world.edit({ select: [{ name: 'odd', semver: 'newest please', dialect: 'npm' }] });
    world.report('w_2026_47', { prepulled: true });
    await expect(world.reconcile()).rejects.toMatchObject({ name: 'TerminalError' });
    expect(world.conditions['Stalled']).toBe('True/InvalidPattern');
    expect(world.status.latestWeekly?.prepulled).toBe(true);
    expect(world.status.counts?.prepulled).toBe(2);
  });

  it('are worked out once a scan, however often the children report', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    const first = world.memory.listing('default/lab')?.published;
    world.report('w_2026_47', { prepulled: true });
    await world.reconcile();
    expect(world.memory.listing('default/lab')?.published).toBe(first);
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.memory.listing('default/lab')?.published).not.toBe(first);
  });

  it('lose what the registry no longer has, where that is allowed', async () => {
    world = await SourceWorld.start(TAGS, { guard: { maxRemovedPercent: 100 }, allowDowngrade: true });
    await world.reconcile();
    world.registry.setTags(REPOSITORY, ['w_2026_47']);
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.status.images?.map(({ tag }) => tag)).toEqual(['w_2026_47']);
    expect(world.status).not.toHaveProperty('recommended');
    expect(world.status).not.toHaveProperty('latestDaily');
  });

  it('stay if the list loses more than guard allows', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    const before = world.status.images;
    world.registry.setTags(REPOSITORY, ['w_2026_47']);
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.status.images).toEqual(before);
    expect(world.status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ScanRejected',
    });
    expect(world.status.rejected).toMatchObject({ scans: 1, tags: 1 });
  });

  it('keep their headlines when an older list comes, and children are not retired', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    world.registry.setTags(
      REPOSITORY,
      TAGS.filter((tag) => tag !== 'w_2026_47'),
    );
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.status.latestWeekly?.tag).toBe('w_2026_47');
    expect(world.status.newestSeen).toMatchObject({ latestWeekly: 'w_2026_47' });
    expect(world.status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'DowngradeRefused',
    });
  });

  it('are at most fifty, with all of them counted', async () => {
    world = await SourceWorld.startBeyondStatus();
    await world.reconcile();
    expect(world.status.images).toHaveLength(50);
    expect(world.status).toMatchObject({ truncated: true, counts: { known: 60, selected: 60 } });
    expect(world.children).toHaveLength(60);
  });

  it('name at most eight aliases and four rules', async () => {
    const aliases = Array.from({ length: 16 }, (_, index) => `alias_${String(index).padStart(2, '0')}`);
    const rules = Array.from({ length: 6 }, (_, index) => ({
      name: `rule-${String(index)}`,
      tags: ['1.0.0'],
    }));
    world = await SourceWorld.start(['1.0.0', ...aliases.map((alias) => `${alias}=1.0.0`)], {
      tags: { grammar: 'SemVer', aliases },
      select: rules,
      prepull: {},
    });
    await world.reconcile();
    const [image] = world.status.images ?? [];
    expect(image?.aliases).toEqual(aliases.slice(0, 8));
    expect(image?.rules).toEqual(['rule-0', 'rule-1', 'rule-2', 'rule-3']);
    expect(world.status.truncated).toBe(true);
    expect(world.child('1.0.0').spec.aliases).toEqual(aliases);
  });
});

describe('the whole source', () => {
  it('says what it has found, once', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    const ready = world.status.conditions?.find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({ message: '5 of 6 tags are selected', observedGeneration: 1 });
    expect(world.status.observedGeneration).toBe(1);
    await world.reconcile();
    expect(world.server.count('apply', 'imagesources')).toBe(1);
  });

  it('says that its own filters leave nothing to select', async () => {
    world = await SourceWorld.start(['r29_0_1', 'w_2026_46'], { tags: { grammar: 'RSP', cycle: 3 } });
    await world.reconcile();
    const ready = world.status.conditions?.find(({ type }) => type === 'Ready');
    const message = '0 of 0 tags are selected; spec.tags leaves out the other 2 of the repository';
    expect(ready).toMatchObject({ status: 'True', message });
  });

  it('says which tag it was told to select and cannot', async () => {
    const select = [
      { name: 'releases', type: 'release', newest: 1 },
      { name: 'pinned', tags: ['w_2026_4O', 'r29_0_1', 'w_2001_01'] },
    ] as const;
    world = await SourceWorld.start(['r29_0_1'], { select });
    await world.reconcile();
    const ready = world.status.conditions?.find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({
      status: 'True',
      message:
        '1 of 1 tags are selected, but not w_2026_4O (rule pinned): there is no such tag, and 1 more that rules name',
    });
  });

  it('does nothing while suspended, and scans when it is released', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {}, suspend: true });
    expect(await world.reconcile()).toEqual({});
    expect(world.conditions).toEqual({ Ready: 'False/Suspended' });
    expect(world.takeRequests()).toEqual([]);
    expect(world.children).toEqual([]);
    world.edit({ suspend: false });
    await world.reconcile();
    expect(world.conditions).toEqual({
      CredentialsReady: 'True/NoCredentialsNeeded',
      Ready: 'True/Succeeded',
    });
    expect(world.children).not.toEqual([]);
  });

  it('forgets a source that is gone', async () => {
    world = await SourceWorld.start(TAGS);
    await world.reconcile();
    const source = world.source;
    const ref = { group: 'larder.dev', version: 'v1alpha1', plural: 'imagesources' };
    world.server.store.delete(ref, 'default/lab');
    expect(await world.reconcile()).toEqual({});
    world.takeRequests();
    world.server.store.put(ref, source);
    await world.reconcile();
    expect(world.takeRequests()).toContain('GET list');
  });
});
