import { afterEach, describe, expect, it } from 'vitest';
import { pullPodName } from '../../../src/controllers/node-stocker/pull-pod.ts';
import { PODS } from '../fixtures.ts';
import { StockerWorld } from './stocker-world.ts';

const MINUTE = 60_000;
const N1 = { name: 'n1', uid: 'uid-of-n1' };
const UNKNOWN = 'manifest unknown';

let world: StockerWorld;

afterEach(() => world[Symbol.asyncDispose]());

describe('stocking a node', () => {
  it('makes one pod for all that is missing, and no second one while it is at work', async () => {
    world = await StockerWorld.start(['n1']);
    world.want('b', { bytes: 2_000 });
    world.want('a', { bytes: 3_000 });
    await world.reconcile('n1');
    expect(world.pulls(world.pod('n1'))).toEqual(['b', 'a']);
    expect(world.pod('n1').metadata).toMatchObject({ name: pullPodName(N1, 1), namespace: 'default' });
    world.want('c');
    await world.reconcile('n1');
    world.begin('n1');
    await world.reconcile('n1');
    expect(world.pods()).toHaveLength(1);
    expect(world.coverage.pullState('n1', world.want('a', { bytes: 3_000 }))).toMatchObject({
      reason: 'Pulling',
    });
  });

  it('pulls up to twenty images at a time, then the rest', async () => {
    world = await StockerWorld.start(['n1']);
    const names = Array.from({ length: 25 }, (_, index) => `i${String(index).padStart(2, '0')}`);
    for (const name of names) world.want(name);
    await world.reconcile('n1');
    expect(world.pulls(world.pod('n1'))).toEqual(names.slice(0, 20));
    world.finish('n1');
    await world.reconcile('n1');
    const [, second] = world.pods('n1');
    expect(second && world.pulls(second)).toEqual(names.slice(20));
    expect(second?.metadata.name).toBe(pullPodName(N1, 2));
  });

  it('pulls a large image alone, after the small ones and the important ones', async () => {
    world = await StockerWorld.start(['n1']);
    world.want('huge', { bytes: 3 * 2 ** 30 });
    world.want('small');
    world.want('urgent', { bytes: 5 * 2 ** 20, spec: { pull: { priority: 90 } } });
    await world.reconcile('n1');
    expect(world.pulls(world.pod('n1'))).toEqual(['urgent', 'small']);
    world.finish('n1');
    await world.reconcile('n1');
    expect(
      world
        .pods('n1')
        .slice(1)
        .map((pod) => world.pulls(pod)),
    ).toEqual([['huge']]);
  });

  it('never mixes namespaces or pull identities in a pod', async () => {
    world = await StockerWorld.start(['n1']);
    world.want('a', { bytes: 1 });
    world.want('b', { bytes: 2, namespace: 'other' });
    world.want('c', { bytes: 3, spec: { access: { pullSecretRefs: [{ name: 'regcred' }] } } });
    for (let round = 0; round < 3; round += 1) {
      await world.reconcile('n1');
      world.finish('n1');
    }
    const pods = world.pods('n1').map((pod) => [pod.metadata.namespace, world.pulls(pod)]);
    expect(pods).toEqual([
      ['default', ['a']],
      ['default', ['c']],
      ['other', ['b']],
    ]);
  });

  it('pulls an image once, however many ask for it in one namespace', async () => {
    world = await StockerWorld.start(['n1']);
    world.want('a', { seed: 'same' });
    world.want('b', { seed: 'same' });
    await world.reconcile('n1');
    expect(world.pulls(world.pod('n1'))).toEqual(['same']);
    world.finish('n1');
    await world.reconcile('n1');
    expect(world.pods()).toHaveLength(1);
  });

  it.each([
    [
      'has it already',
      { images: [{ names: [`registry.example.org/lab@sha256:${'61'.padEnd(64, '0')}`], sizeBytes: 1 }] },
    ],
    ['is cordoned', { unschedulable: true }],
    ['is not ready', { ready: false }],
    ['has a taint that is not tolerated', { taints: [{ key: 'gpu', effect: 'NoSchedule' }] }],
  ] as const)('does nothing where the node %s', async (_why, facts) => {
    world = await StockerWorld.start([]);
    world.setNode('n1', facts);
    world.want('a');
    expect(await world.reconcile('n1')).toEqual({});
    expect(world.pods()).toEqual([]);
    expect(world.budget.taken('cluster')).toBe(0);
  });

  it('tolerates what the images of the pod tolerate, each once', async () => {
    world = await StockerWorld.start([]);
    world.setNode('n1', { taints: [{ key: 'gpu', effect: 'NoSchedule' }] });
    const tolerations = [{ key: 'gpu', operator: 'Exists' as const }];
    for (const name of ['a', 'b']) world.want(name, { spec: { nodes: { tolerations } } });
    await world.reconcile('n1');
    const stored = world.server.store.list(PODS)[0]?.['spec'] as { tolerations: readonly { key: string }[] };
    expect(stored.tolerations.filter(({ key }) => key === 'gpu')).toEqual(tolerations);
  });

  it('waits while wants are still coming in', async () => {
    world = await StockerWorld.start(['n1']);
    world.isSettled = false;
    world.want('a');
    await world.reconcile('n1');
    expect(world.pods()).toEqual([]);
    world.isSettled = true;
    await world.reconcile('n1');
    expect(world.pods()).toHaveLength(1);
  });

  it('leaves out what would not fit on the disk', async () => {
    world = await StockerWorld.start([]);
    world.setNode('n1', { ephemeralBytes: 10 * 2 ** 30 });
    world.want('small');
    const huge = world.want('huge', { bytes: 4 * 2 ** 30 });
    await world.reconcile('n1');
    expect(world.pulls(world.pod('n1'))).toEqual(['small']);
    expect(world.coverage.skipReason('n1', huge.id)).toContain('12.0 GiB');
  });
});

describe('with a cache that lags behind', () => {
  it('makes no second pod before the first is seen', async () => {
    world = await StockerWorld.start(['n1']);
    world.want('a');
    world.staleCache = [];
    await world.reconcile('n1');
    for (let look = 0; look < 5; look += 1) {
      await world.clock.advance(5_000);
      expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 5_000 });
    }
    expect(world.server.count('create', 'pods')).toBe(1);
    world.staleCache = undefined;
    await world.reconcile('n1');
    expect(world.pods()).toHaveLength(1);
  });

  it('believes the cache in the end, and finds the pod by its name', async () => {
    world = await StockerWorld.start(['n1']);
    world.want('a');
    world.staleCache = [];
    await world.reconcile('n1');
    await world.clock.advance(30_000);
    await world.reconcile('n1');
    expect(world.server.count('create', 'pods')).toBe(2);
    expect(world.pods()).toHaveLength(1);
  });

  it('adopts the pod whose creation was not confirmed', async () => {
    world = await StockerWorld.start(['n1']);
    world.want('a');
    world.server.fail({ when: ({ verb }) => verb === 'create', action: { kind: 'lose-answer' } });
    await expect(world.reconcile('n1')).rejects.toThrow();
    world.staleCache = [];
    await world.reconcile('n1');
    expect(world.pods()).toHaveLength(1);
    world.staleCache = undefined;
    world.finish('n1');
    await world.reconcile('n1');
    expect(world.coverage.isPresent('n1', world.want('a'))).toBe(true);
  });
});

describe('a finished pull pod', () => {
  it('proves its images and rests six minutes, whatever was deleted before', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await world.reconcile('n1');
    await world.clock.advance(MINUTE);
    world.finish('n1');
    expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 6 * MINUTE });
    await world.reconcile('n1');
    expect(world.finished).toEqual([pullPodName(N1, 1)]);
    expect(world.coverage.isPresent('n1', want)).toBe(true);
    expect(world.budget.taken('cluster')).toBe(0);
    await world.clock.advance(6 * MINUTE - 1_000);
    await world.reconcile('n1');
    expect(world.pods()).toHaveLength(1);
    await world.clock.advance(1_000);
    expect(await world.reconcile('n1')).toEqual({});
    expect(world.pods()).toEqual([]);
    expect(world.coverage.isPresent('n1', want)).toBe(true);
  });

  it('does not keep the next one waiting', async () => {
    world = await StockerWorld.start(['n1']);
    world.want('a');
    await world.reconcile('n1');
    world.finish('n1');
    world.want('b');
    await world.reconcile('n1');
    expect(world.pods('n1').map(({ metadata }) => metadata.name)).toEqual(
      [1, 2].map((n) => pullPodName(N1, n)),
    );
  });

  it.each([404, 409])('may be gone or another one when it is deleted (%d)', async (code) => {
    world = await StockerWorld.start(['n1']);
    world.want('a');
    await world.reconcile('n1');
    world.finish('n1');
    await world.clock.advance(6 * MINUTE);
    world.server.fail({
      when: ({ verb }) => verb === 'delete',
      action: { kind: 'status', code, reason: code === 404 ? 'NotFound' : 'Conflict' },
    });
    expect(await world.reconcile('n1')).toEqual({});
  });

  it('stays with keepWarm, up to the limit of the cluster', async () => {
    world = await StockerWorld.start(['n1', 'n2'], { maxKeptPods: 1 });
    world.want('a', { spec: { keepWarm: true } });
    await world.reconcile('n1');
    world.finish('n1');
    await world.clock.advance(7 * MINUTE);
    await world.reconcile('n1');
    expect(world.pods('n1')).toHaveLength(1);
    await world.reconcile('n2');
    world.finish('n2');
    await world.clock.advance(7 * MINUTE);
    await world.reconcile('n1');
    expect(world.pods('n1')).toHaveLength(0);
    await world.reconcile('n2');
    expect(world.pods('n2')).toHaveLength(1);
  });
});

describe('a pull that fails', () => {
  it('is recorded, its pod goes at once, and the next attempt waits longer each time', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    const start = world.clock.now();
    const began = world.clock.monotonic();
    await world.reconcile('n1');
    world.finish('n1', { a: UNKNOWN });
    expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 30_000 });
    expect(world.pods()).toEqual([]);
    expect(world.budget.taken('cluster')).toBe(0);
    expect(world.coverage.failure('n1', want.id)).toEqual({
      reason: 'ImageNotFound',
      message: UNKNOWN,
      attempts: 1,
      lastAttempt: start,
      notBefore: began + 30_000,
    });
    expect([world.failures, world.finished]).toEqual([['ImageNotFound'], []]);
    await world.clock.advance(29_000);
    expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 1_000 });
    expect(world.pods()).toEqual([]);
    await world.clock.advance(1_000);
    await world.reconcile('n1');
    expect(world.pods()).toHaveLength(1);
  });

  it('counts one attempt for one pod, however often it is looked at', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await world.reconcile('n1');
    world.finish('n1', { a: UNKNOWN });
    world.server.fail({
      when: ({ verb }) => verb === 'delete',
      action: { kind: 'status', code: 405 },
      times: 2,
    });
    await expect(world.reconcile('n1')).rejects.toMatchObject({ status: 405 });
    await expect(world.reconcile('n1')).rejects.toMatchObject({ status: 405 });
    await world.reconcile('n1');
    expect(world.coverage.failure('n1', want.id)?.attempts).toBe(1);
  });

  it('takes nothing from the images that came beside it', async () => {
    world = await StockerWorld.start(['n1']);
    const [bad, good] = [world.want('bad'), world.want('good')];
    await world.pullThrough('n1', { bad: UNKNOWN });
    expect(world.coverage.isPresent('n1', good)).toBe(true);
    expect(world.coverage.failure('n1', good.id)).toBeUndefined();
    expect(world.coverage.failure('n1', bad.id)?.attempts).toBe(1);
    expect(world.pods()).toHaveLength(1);
  });

  it('is forgotten when it works', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await world.pullThrough('n1', { a: 'connection refused' });
    await world.clock.advance(30_000);
    await world.pullThrough('n1');
    expect(world.coverage.failure('n1', want.id)).toBeUndefined();
  });

  it('on three nodes and nowhere else is not tried on the others', async () => {
    world = await StockerWorld.start(['n1', 'n2', 'n3', 'n4']);
    world.want('bad');
    for (const node of ['n1', 'n2', 'n3']) {
      await world.pullThrough(node, { bad: UNKNOWN });
    }
    const { requeueAfterMs = 0 } = await world.reconcile('n4');
    expect(world.pods('n4')).toEqual([]);
    expect(requeueAfterMs).toBeGreaterThan(0);
    world.want('good');
    await world.reconcile('n4');
    expect(world.pulls(world.pod('n4'))).toEqual(['good']);
  });
});

describe('the slots', () => {
  it('let so many nodes pull at once, and wake the next ones in the order they came', async () => {
    world = await StockerWorld.start(['n1', 'n2', 'n3', 'n4'], { slots: 2 });
    world.want('a');
    for (const node of ['n1', 'n2', 'n3', 'n4']) await world.reconcile(node);
    expect(
      world
        .pods()
        .map(({ spec }) => spec.nodeName)
        .sort(),
    ).toEqual(['n1', 'n2']);
    world.finish('n2');
    await world.reconcile('n2');
    expect(world.woken).toEqual(['n3']);
    await world.reconcile('n3');
    expect(world.pods('n3')).toHaveLength(1);
    world.finish('n1');
    await world.reconcile('n1');
    expect([...new Set(world.woken)]).toEqual(['n3', 'n4']);
  });

  it('come back from a node that is gone', async () => {
    world = await StockerWorld.start(['n1', 'n2'], { slots: 1 });
    world.want('a');
    await world.reconcile('n1');
    await world.reconcile('n2');
    world.removeNode('n1');
    expect(await world.reconcile('n1')).toEqual({});
    expect(world.woken).toEqual(['n2']);
  });

  it('count pods that were there before this process', async () => {
    world = await StockerWorld.start(['n1', 'n2'], { slots: 1 });
    world.want('a');
    await world.reconcile('n1');
    world.budget.leave('n1');
    world.expectations.forget('n1');
    await world.reconcile('n1');
    await world.reconcile('n2');
    expect(world.budget.taken('cluster')).toBe(1);
    expect(world.pods('n2')).toEqual([]);
  });

  it('are also limited for one image', async () => {
    world = await StockerWorld.start(['n1', 'n2']);
    world.want('rare', { spec: { pull: { maxConcurrentNodes: 1 } } });
    await world.reconcile('n1');
    await world.reconcile('n2');
    expect(world.pods('n2')).toEqual([]);
    world.finish('n1');
    await world.reconcile('n1');
    expect(world.woken).toEqual(['n2']);
  });
});

describe('a pull that takes its time', () => {
  it('is called slow after spec.pull.timeout: others may pull, the node itself may not', async () => {
    world = await StockerWorld.start(['n1', 'n2'], { slots: 1 });
    const want = world.want('a', { spec: { pull: { timeout: '2m' } } });
    await world.reconcile('n1');
    world.begin('n1');
    expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 2 * MINUTE });
    await world.reconcile('n2');
    await world.clock.advance(2 * MINUTE);
    await world.reconcile('n1');
    expect(world.coverage.pullState('n1', want)).toMatchObject({ reason: 'PullSlow' });
    expect(world.woken).toEqual(['n2']);
    expect(world.pods('n1')).toHaveLength(1);
    await world.reconcile('n2');
    expect(world.pods('n2')).toHaveLength(1);
    world.finish('n1');
    await world.reconcile('n1');
    expect(world.coverage.isPresent('n1', want)).toBe(true);
  });

  it.each([3_600_000, -3_600_000])(
    'is not slow, nor any the faster, because a clock jumps (%d)',
    async (jump) => {
      world = await StockerWorld.start(['n1']);
      const want = world.want('a', { spec: { pull: { timeout: '2m' } } });
      await world.reconcile('n1');
      world.clock.jump(jump);
      await world.reconcile('n1');
      expect(world.coverage.pullState('n1', want)).toMatchObject({ reason: 'Pulling' });
      expect(world.budget.taken('cluster')).toBe(1);
      world.begin('n1');
      expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 2 * MINUTE });
      await world.clock.advance(MINUTE);
      world.clock.jump(-2 * jump);
      expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: MINUTE });
      await world.clock.advance(MINUTE);
      await world.reconcile('n1');
      expect(world.coverage.pullState('n1', want)).toMatchObject({ reason: 'PullSlow' });
      world.finish('n1');
      expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 6 * MINUTE });
      world.clock.jump(jump);
      expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 6 * MINUTE });
    },
  );

  it('is the silence of a mute node if the kubelet takes no note for 30 s', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await world.reconcile('n1');
    expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 30_000 });
    await world.clock.advance(30_000);
    expect(await world.reconcile('n1')).toEqual({});
    expect(world.coverage.pullState('n1', want)).toMatchObject({ reason: 'NodeMute' });
    expect(world.budget.taken('cluster')).toBe(0);
    expect(world.pods()).toHaveLength(1);
  });
});

describe('another node of the same name', () => {
  it('is not stocked by the pods of its predecessor, and does not touch them', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await world.pullThrough('n1');
    world.removeNode('n1');
    await world.reconcile('n1');
    world.setNode('n1', { uid: 'another' });
    await world.reconcile('n1');
    expect(world.coverage.isPresent('n1', want)).toBe(false);
    const names = world.pods('n1').map(({ metadata }) => metadata.name);
    expect([...names].sort()).toEqual(
      [N1, { name: 'n1', uid: 'another' }].map((node) => pullPodName(node, 1)).sort(),
    );
    expect(world.server.count('delete', 'pods')).toBe(0);
  });
});

describe('an image that the node removed', () => {
  /** A list that would show the image if it were there. */
  const LISTING = { images: [{ names: ['other/one@sha256:1', 'other/one:1'], sizeBytes: 1 }] };

  async function loseAfterPull(): Promise<void> {
    await world.pullThrough('n1');
    world.setNode('n1', LISTING);
    await world.clock.advance(90_000);
  }

  it('is pulled again, but not on the word of a list that is too fresh', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await world.pullThrough('n1');
    world.setNode('n1', LISTING);
    await world.clock.advance(60_000);
    expect(await world.reconcile('n1')).toEqual({ requeueAfterMs: 30_000 });
    await world.clock.advance(30_000);
    await world.reconcile('n1');
    expect(world.pods('n1')).toHaveLength(2);
    world.finish('n1');
    await world.reconcile('n1');
    expect(world.coverage.isPresent('n1', want)).toBe(true);
  });

  it('is said to be gone also while the node pulls another one, however long that takes', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await world.pullThrough('n1');
    world.want('b');
    await world.reconcile('n1');
    world.setNode('n1', LISTING);
    await world.clock.advance(60_000);
    expect((await world.reconcile('n1')).requeueAfterMs).toBe(30_000);
    await world.clock.advance(30_000);
    await world.reconcile('n1');
    expect(world.coverage.isPresent('n1', want)).toBe(false);
    expect(world.pods('n1')).toHaveLength(2);
  });

  it('is not believed sooner because the wall clock jumps', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    await world.pullThrough('n1');
    world.setNode('n1', LISTING);
    for (const jump of [3_600_000, -7_200_000]) {
      world.clock.jump(jump);
      expect((await world.reconcile('n1')).requeueAfterMs).toBe(90_000);
      expect(world.coverage.isPresent('n1', want)).toBe(true);
    }
    expect(world.server.count('create', 'pods')).toBe(1);
  });

  it('three times within an hour is held back', async () => {
    world = await StockerWorld.start(['n1']);
    const want = world.want('a');
    for (let time = 0; time < 3; time += 1) await loseAfterPull();
    await world.reconcile('n1');
    expect(world.coverage.failure('n1', want.id)).toMatchObject({ reason: 'EvictedRepeatedly', attempts: 1 });
    expect(world.server.count('create', 'pods')).toBe(3);
  });
});
