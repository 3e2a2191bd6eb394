import { afterEach, describe, expect, it } from 'vitest';
import type { Json } from '../../support/fake-api-store.ts';
import { StockerWorld } from './stocker-world.ts';

let world: StockerWorld;

afterEach(() => world[Symbol.asyncDispose]());

describe('a pod that the API server refuses', () => {
  const QUOTA = 'pods "larder-x-1" is forbidden: exceeded quota: small';

  function refuse(code: number, times = 1): void {
    world.server.fail({
      when: ({ verb }) => verb === 'create',
      action: { kind: 'status', code, reason: code === 403 ? 'Forbidden' : 'Invalid', message: QUOTA },
      times,
    });
  }

  it.each([400, 403, 422])(
    '(%d) is a failure of these pairs, with backoff and the words of who refused',
    async (code) => {
      world = await StockerWorld.start(['n1']);
      const want = world.want('a');
      refuse(code, 2);
      await world.reconcile('n1');
      expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 30_000 });
      const failure = world.coverage.failure('n1', want.id);
      expect(failure).toMatchObject({ reason: 'PodRefused', attempts: 1 });
      expect(failure?.message).toContain('exceeded quota: small');
      expect(world.budget.taken('cluster')).toBe(0);
      await world.clock.advance(30_000);
      await world.reconcile('n1');
      expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 60_000 });
      await world.clock.advance(60_000);
      await world.reconcile('n1');
      expect(world.pods()).toHaveLength(1);
    },
  );

  it('by a quota that lets other nodes pull waits for them, and is no failure', async () => {
    world = await StockerWorld.start(['n1', 'n2', 'n3']);
    const want = world.want('a');
    await world.reconcile('n1');
    refuse(403);
    expect(await world.reconcile('n2')).toEqual({ requeueAfterMs: 2_000 });
    await world.clock.advance(2_000);
    await world.reconcile('n2');
    await world.reconcile('n3');
    expect(world.pods()).toHaveLength(1);
    expect(world.budget.shortage('n2')).toContain('as many as its quota lets through');
    expect([world.coverage.failure('n2', want.id), world.failures]).toEqual([undefined, []]);
    world.woken.length = 0;
    world.finish('n1');
    await world.reconcile('n1');
    expect(world.woken).toEqual(['n2']);
    await world.reconcile('n2');
    expect(world.pods('n2')).toHaveLength(1);
  });

  it('by a quota does not keep other namespaces of its node waiting', async () => {
    world = await StockerWorld.start(['n1', 'n2']);
    world.want('a', { bytes: 1 });
    await world.reconcile('n1');
    refuse(403);
    await world.reconcile('n2');
    world.want('b', { bytes: 2, namespace: 'other' });
    await world.clock.advance(2_000);
    await world.reconcile('n2');
    expect(world.pod('n2').metadata.namespace).toBe('other');
  });

  it('does not keep other namespaces waiting', async () => {
    world = await StockerWorld.start(['n1']);
    world.want('a', { bytes: 1 });
    world.want('b', { bytes: 2, namespace: 'other' });
    refuse(403);
    expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 1 });
    await world.reconcile('n1');
    expect(world.pod('n1').metadata.namespace).toBe('other');
  });

  it('is no pod at all if admission put other images into it', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    world.server.admit = (object) => {
      const { containers } = object['spec'] as { readonly containers: readonly Json[] };
      const spec = { containers: containers.map((own) => ({ ...own, image: 'mirror/a:1' })) };
      return { ...object, spec };
    };
    await world.reconcile('n1');
    expect(world.pods()).toEqual([]);
    expect(world.coverage.failure('n1', want.id)).toMatchObject({ reason: 'PodRefused', attempts: 1 });
    expect(world.coverage.failure('n1', want.id)?.message).toContain('replaced by mirror/a:1');
    expect(world.budget.taken('cluster')).toBe(0);
  });

  it('(500) is trouble of the server: tried again as any other', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    world.server.fail({
      when: ({ verb }) => verb === 'create',
      action: { kind: 'status', code: 500 },
      times: 9,
    });
    await expect(world.reconcile('n1')).rejects.toMatchObject({ status: 500 });
    expect(world.budget.taken('cluster')).toBe(0);
    expect(world.coverage.failure('n1', want.id)).toBeUndefined();
    world.server.clearFaults();
    await world.reconcile('n1');
    expect(world.pods()).toHaveLength(1);
  });

  it('gives its slot to the next in line', async () => {
    world = await StockerWorld.start(['n1', 'n2'], { slots: 1 });
    world.want('a');
    await world.reconcile('n1');
    await world.reconcile('n2');
    world.finish('n1');
    await world.reconcile('n1');
    refuse(403);
    await world.reconcile('n2');
    expect(world.budget.taken('cluster')).toBe(0);
  });
});
