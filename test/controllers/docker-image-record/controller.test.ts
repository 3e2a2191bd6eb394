import { describe, expect, it } from 'vitest';
import { DIGEST_A, prepulledImage } from '../../support/builders.ts';
import { PREPULLED_IMAGES } from '../fixtures.ts';
import { CONFIG_MAPS, RECORDS, RecordWorld } from './record-world.ts';

describe('a record', () => {
  it('has every condition after its first pass', async () => {
    await using world = await RecordWorld.start();
    await world.reconcile();
    expect(world.conditions()).toEqual({
      Ready: 'True/Succeeded',
      Accepted: 'True/Unique',
      Resolved: 'True/CatalogueComplete',
      CredentialsReady: 'True/NoCredentialsNeeded',
      Available: 'True/ManifestFound',
      InUse: 'False/NoReferences',
      DeletionBlocked: 'False/NotDeleting',
      Schedulable: 'True/NodesEligible',
    });
    expect(world.status()).toMatchObject({ pk: 1, observedGeneration: 1, referenceCount: 0 });
    expect(world.get().metadata.finalizers).toEqual(['larder.dev/reference-protection']);
  });

  it('costs no write and one HEAD when nothing has changed', async () => {
    await using world = await RecordWorld.start();
    await world.reconcile();
    const writes = world.server.count('apply') + world.server.count('patch');
    world.takeRequests();
    await world.later();
    expect(world.takeRequests()).toEqual(['HEAD 1']);
    expect(world.server.count('apply') + world.server.count('patch')).toBe(writes);
  });

  it('costs no request to the registry before its interval is over', async () => {
    await using world = await RecordWorld.start();
    await world.reconcile();
    world.takeRequests();
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 300_000 });
    expect(world.takeRequests()).toEqual([]);
  });

  it('is as before after a restart, for one HEAD', async () => {
    await using world = await RecordWorld.start();
    await world.reconcile();
    const before = world.status();
    await world.restart();
    world.takeRequests();
    await world.reconcile();
    expect(world.takeRequests()).toEqual(['HEAD 1']);
    expect(world.status()).toMatchObject({ ...before, conditions: expect.anything() as never });
    expect(world.conditions()).toMatchObject({
      Ready: 'True/Succeeded',
      Resolved: 'True/CatalogueUnavailable',
    });
  });

  it('that is suspended asks nothing, and its child rests with it', async () => {
    await using world = await RecordWorld.start({ prepull: {} });
    await world.reconcile();
    world.put('yolo', { prepull: {}, suspend: true });
    world.takeRequests();
    await world.reconcile();
    expect(world.takeRequests()).toEqual([]);
    expect(world.conditions()).toMatchObject({ Ready: 'False/Suspended', InUse: 'False/NoReferences' });
    expect(world.children.map(({ spec }) => spec.suspend)).toEqual([true]);
  });

  it('answers a request for an immediate pass', async () => {
    await using world = await RecordWorld.start();
    await world.reconcile();
    world.registry.putImage('ml/yolo', '1', { seed: 'moved' });
    const { metadata, ...rest } = world.get();
    const annotations = { 'larder.dev/reconcile-requested-at': 'now' };
    world.server.store.put(RECORDS, { ...rest, metadata: { ...metadata, annotations } });
    await world.reconcile();
    expect(world.status().lastHandledReconcileAt).toBe('now');
    expect(world.status().image?.previousDigest).toBeDefined();
  });
});

describe('labels', () => {
  it('are written after the status, and follow the spec', async () => {
    await using world = await RecordWorld.start();
    await world.reconcile();
    expect(world.get().metadata.labels).toEqual({
      'larder.dev/pk': '1',
      'larder.dev/domain': 'od',
      'larder.dev/framework': 'yolo-v5',
      'larder.dev/min-hardware': 'pascal',
      'larder.dev/licence': 'gpl3',
      'task.larder.dev/Train': '',
      'task.larder.dev/Predict': '',
    });
    world.put('yolo', {
      tasks: ['Predict'],
      licence: 'Apache 2.0',
      cpu: true,
      cuda: undefined,
      minHardwareGeneration: undefined,
    });
    await world.reconcile();
    expect(world.get().metadata.labels).toEqual({
      'larder.dev/pk': '1',
      'larder.dev/domain': 'od',
      'larder.dev/framework': 'yolo-v5',
      'larder.dev/licence': 'apache-2.0',
      'task.larder.dev/Predict': '',
    });
  });

  it('of other people stay', async () => {
    await using world = await RecordWorld.start();
    world.put('yolo', {}, { labels: { team: 'vision' } });
    await world.reconcile();
    expect(world.get().metadata.labels).toMatchObject({ team: 'vision', 'larder.dev/pk': '1' });
  });

  it('that somebody changed are put right; the key in the status counts', async () => {
    await using world = await RecordWorld.start();
    await world.reconcile();
    world.put('yolo', {}, { labels: { 'larder.dev/pk': '77', 'larder.dev/domain': 'ic' } });
    await world.reconcile();
    expect(world.get().metadata.labels).toMatchObject({ 'larder.dev/pk': '1', 'larder.dev/domain': 'od' });
    expect(world.status().pk).toBe(1);
  });
});

describe('two records that claim the same', () => {
  const YOUNGER = { creationTimestamp: '2026-01-01T00:00:09Z', uid: 'a' };

  it('name and version: the older is served, and after it the younger', async () => {
    await using world = await RecordWorld.start({ name: 'same' });
    world.put('younger', { name: 'same' }, YOUNGER);
    await world.reconcile();
    await world.reconcile('younger');
    expect(world.conditions('younger')).toMatchObject({
      Accepted: 'False/DuplicateNameVersion',
      Ready: 'False/DuplicateNameVersion',
      Stalled: 'True/DuplicateNameVersion',
    });
    expect(world.message('Accepted', 'younger')).toContain(
      'Record yolo is same v5_2022-11-05_cuda11.1 already',
    );
    expect(world.status('younger')).not.toHaveProperty('pk');
    expect(world.conditions()).toMatchObject({ Ready: 'True/Succeeded' });
    world.erase();
    await world.reconcile();
    expect(world.find('yolo')).toBeUndefined();
    await world.reconcile('younger');
    expect(world.conditions('younger')).toMatchObject({ Ready: 'True/Succeeded', Accepted: 'True/Unique' });
    expect(world.status('younger').pk).toBe(2);
  });

  it('in another namespace are no matter', async () => {
    await using world = await RecordWorld.start({ name: 'same' });
    world.put('younger', { name: 'same' }, { ...YOUNGER, namespace: 'other' });
    await world.reconcile();
    expect(world.conditions()).toMatchObject({ Accepted: 'True/Unique' });
  });

  it('key: the one that has it in its status, else the older', async () => {
    await using world = await RecordWorld.start();
    world.put('yolo', {}, { labels: { 'larder.dev/pk': '5' } });
    world.put('younger', {}, { ...YOUNGER, labels: { 'larder.dev/pk': '5' } });
    await world.reconcile('younger');
    expect(world.conditions('younger')).toMatchObject({ Accepted: 'False/DuplicatePK' });
    expect(world.message('Accepted', 'younger')).toContain('Record yolo has the key 5 already');
    await world.reconcile();
    expect(world.status().pk).toBe(5);
    world.put('older', {}, { creationTimestamp: '2025-01-01T00:00:00Z', labels: { 'larder.dev/pk': '5' } });
    await world.reconcile('older');
    expect(world.conditions('older')).toMatchObject({ Accepted: 'False/DuplicatePK' });
  });

  it('a key is given up with the label', async () => {
    await using world = await RecordWorld.start();
    await world.reconcile();
    world.put('younger', {}, { ...YOUNGER, labels: { 'larder.dev/pk': '1' } });
    await world.reconcile('younger');
    world.put('younger', {}, { labels: {} });
    await world.reconcile('younger');
    expect(world.status('younger').pk).toBe(2);
  });
});

describe('keys', () => {
  it('are taken over from the label, and never given to another', async () => {
    await using world = await RecordWorld.start();
    world.put('yolo', {}, { labels: { 'larder.dev/pk': '41' } });
    await world.reconcile();
    expect(world.status().pk).toBe(41);
    world.put('next');
    await world.reconcile('next');
    expect(world.status('next').pk).toBe(42);
  });

  it('go on above those in use when the counter is lost', async () => {
    await using world = await RecordWorld.start();
    world.put('yolo', {}, { labels: { 'larder.dev/pk': '41' } });
    await world.reconcile();
    world.server.store.delete(CONFIG_MAPS, 'larder-system/larder-record-counters');
    world.put('next');
    await world.reconcile('next');
    expect(world.status('next').pk).toBe(42);
  });

  it('leave no gap when the status cannot be written', async () => {
    await using world = await RecordWorld.start();
    world.server.refuseStatus();
    await expect(world.reconcile()).rejects.toMatchObject({ reason: 'Conflict' });
    await world.reconcile();
    expect(world.status().pk).toBe(1);
  });

  it('do not change when another leader has written one meanwhile', async () => {
    await using world = await RecordWorld.start();
    world.server.refuseStatus();
    await expect(world.reconcile()).rejects.toMatchObject({ reason: 'Conflict' });
    world.server.store.put(RECORDS, { ...world.get(), status: { pk: 7 } });
    await world.reconcile();
    expect(world.status()).toMatchObject({ pk: 7, image: { tag: '1' } });
    expect(world.get().metadata.labels).toMatchObject({ 'larder.dev/pk': '7' });
  });
});

describe('the end of a record', () => {
  function refer(name: string): void {
    world.server.store.put(
      PREPULLED_IMAGES,
      prepulledImage({
        metadata: { name, creationTimestamp: '2026-01-01T00:00:00Z' },
        spec: { recordRef: { name: 'yolo' } },
      }),
    );
  }
  let world: RecordWorld;

  it('waits for those who refer to it, and says who they are', async () => {
    await using started = await RecordWorld.start();
    world = started;
    refer('by-hand');
    await world.reconcile();
    expect(world.conditions()).toMatchObject({ InUse: 'True/Referenced', Ready: 'True/Succeeded' });
    expect(world.message('InUse')).toBe('PrepulledImage default/by-hand');
    world.erase();
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 10_000 });
    expect(world.conditions()).toMatchObject({
      DeletionBlocked: 'True/Referenced',
      InUse: 'True/Referenced',
    });
    expect(world.message('DeletionBlocked')).toBe('Held by PrepulledImage default/by-hand');
    expect(world.events).toContain('Warning DeletionBlocked: Held by PrepulledImage default/by-hand');
    world.server.store.delete(PREPULLED_IMAGES, 'default/by-hand');
    await world.restart();
    expect(await world.reconcile()).toEqual({});
    expect(world.find('yolo')).toBeUndefined();
  });

  it('counts live before it lets go: what the caches have not seen yet holds it too', async () => {
    await using started = await RecordWorld.start();
    world = started;
    await world.reconcile();
    const annotations = { 'larder.dev/record': 'yolo' };
    const pod = { metadata: { name: 'late', namespace: 'default', annotations } };
    world.server.store.put({ group: '', version: 'v1', plural: 'pods' }, pod);
    world.erase();
    await world.reconcile();
    expect(world.message('DeletionBlocked')).toBe('Held by Pod default/late');
  });

  it('does not come while nobody can tell who refers to it', async () => {
    await using started = await RecordWorld.start();
    world = started;
    await world.reconcile();
    world.erase();
    world.server.fail({
      when: ({ verb, plural }) => verb === 'list' && plural === 'deployments',
      action: { kind: 'status', code: 403, reason: 'Forbidden', message: 'may not list deployments' },
    });
    await expect(world.reconcile()).rejects.toMatchObject({ status: 403 });
    expect(world.find('yolo')?.metadata.finalizers).toEqual(['larder.dev/reference-protection']);
  });

  it('is at once with Orphan, and needs no operator for it', async () => {
    await using started = await RecordWorld.start({ deletionPolicy: 'Orphan' });
    world = started;
    refer('by-hand');
    await world.reconcile();
    expect(world.get().metadata.finalizers).toBeUndefined();
    world.erase();
    expect(world.find('yolo')).toBeUndefined();
  });

  it('comes when Protect becomes Orphan', async () => {
    await using started = await RecordWorld.start();
    world = started;
    refer('by-hand');
    await world.reconcile();
    world.erase();
    await world.reconcile();
    world.put('yolo', { deletionPolicy: 'Orphan' });
    await world.reconcile();
    expect(world.find('yolo')).toBeUndefined();
  });
});

describe('references', () => {
  it('that cannot be listed make InUse unknown, and are asked for again', async () => {
    await using world = await RecordWorld.start();
    world.server.fail({
      when: ({ verb, plural }) => verb === 'list' && plural === 'cronjobs',
      action: { kind: 'status', code: 403, reason: 'Forbidden', message: 'may not list cronjobs' },
    });
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 60_000 });
    expect(world.conditions()).toMatchObject({ InUse: 'Unknown/ReferencesUnknown', Ready: 'True/Succeeded' });
    expect(world.message('InUse')).toContain('may not list cronjobs');
    const lists = world.server.count('list');
    await world.reconcile();
    expect(world.server.count('list')).toBe(lists);
    await world.clock.advance(60_000);
    await world.reconcile();
    expect(world.conditions()).toMatchObject({ InUse: 'False/NoReferences' });
  });

  it('are shown up to 64, and counted in full', async () => {
    await using world = await RecordWorld.start();
    for (let index = 0; index < 70; index += 1) {
      const metadata = { name: `image-${String(index).padStart(2, '0')}` };
      const image = prepulledImage({
        metadata,
        spec: { image: `r.io/a@${DIGEST_A}`, recordRef: { name: 'yolo' } },
      });
      world.server.store.put(PREPULLED_IMAGES, image);
    }
    await world.reconcile();
    const { references = [], referenceCount, truncated } = world.status();
    expect([references.length, referenceCount, truncated]).toEqual([64, 70, true]);
    expect(world.message('InUse')).toMatch(/image-00.*\(and 67 more\)$/);
  });
});
