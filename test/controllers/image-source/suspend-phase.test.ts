import { afterEach, describe, expect, it } from 'vitest';
import { sendError } from '../../support/registry-exchange.ts';
import { PREPULLED_IMAGES } from '../fixtures.ts';
import { SourceWorld } from './source-world.ts';

const TAGS = ['r29_0_1', 'w_2026_46', 'w_2026_47'];

let world: SourceWorld;

afterEach(() => world[Symbol.asyncDispose]());

function suspensions(): readonly boolean[] {
  return world.children.map(({ spec }) => spec.suspend);
}

async function startSuspended(): Promise<void> {
  world = await SourceWorld.start(TAGS, { prepull: {} });
  await world.reconcile();
  world.takeRequests();
  world.edit({ suspend: true });
  await world.reconcile();
}

describe('a suspended source', () => {
  it('suspends its children, touches nothing else of them, and says so', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    const before = world.children.map(({ spec }) => spec);
    world.edit({ suspend: true });
    expect(await world.reconcile()).toEqual({});
    expect(world.children.map(({ spec }) => spec)).toEqual(
      before.map((spec) => ({ ...spec, suspend: true })),
    );
    expect(world.conditions).toMatchObject({ Ready: 'False/Suspended' });
    expect(world.status).not.toHaveProperty('nextScanTime');
    expect(world.status.images).toHaveLength(3);
  });

  it('asks the registry nothing, retires nothing, and writes once', async () => {
    await startSuspended();
    world.push('w_2026_48');
    const patches = world.server.count('patch', 'prepulledimages');
    const { resourceVersion } = world.source.metadata;
    await world.clock.advance(3_600_000);
    await world.reconcile();
    expect(world.takeRequests()).toEqual([]);
    expect(world.childTags).toEqual(TAGS);
    expect(world.server.count('patch', 'prepulledimages')).toBe(patches);
    expect(world.source.metadata.resourceVersion).toBe(resourceVersion);
  });

  it('suspends again a child that somebody releases, also in a new process', async () => {
    await startSuspended();
    await world.restart();
    const [child] = world.children;
    if (child === undefined) throw new Error('no child');
    world.server.store.put(PREPULLED_IMAGES, { ...child, spec: { ...child.spec, suspend: false } });
    await world.reconcile();
    expect(suspensions()).toEqual([true, true, true]);
  });

  it('answers who asks for a pass', async () => {
    await startSuspended();
    world.annotate({ 'larder.dev/reconcile-requested-at': 'now' });
    await world.reconcile();
    expect(world.status.lastHandledReconcileAt).toBe('now');
  });

  it('does not mind a child that is gone meanwhile', async () => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    await world.reconcile();
    world.edit({ suspend: true });
    world.server.fail({
      when: ({ verb, plural }) => verb === 'patch' && plural === 'prepulledimages',
      action: { kind: 'status', code: 404, reason: 'NotFound' },
    });
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('False/Suspended');
  });
});

describe('a source that is released', () => {
  it('scans at once and releases its children', async () => {
    await startSuspended();
    world.push('w_2026_48');
    world.edit({ suspend: false });
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('True/Succeeded');
    expect(world.childTags).toEqual(['r29_0_1', 'w_2026_47', 'w_2026_48']);
    expect(suspensions()).toEqual([false, false, false]);
  });

  it('releases its children also while the registry is down and nothing is remembered', async () => {
    await startSuspended();
    await world.restart();
    world.registry.intercept = (_request, response) => {
      sendError(response, 404, 'NAME_UNKNOWN');
      return true;
    };
    world.edit({ suspend: false });
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('False/RepositoryNotFound');
    expect(suspensions()).toEqual([false, false, false]);
  });
});
