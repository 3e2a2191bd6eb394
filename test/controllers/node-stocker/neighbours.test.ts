/** What one node, image or tenant must never do to another; each of these once did. */

import { afterEach, describe, expect, it } from 'vitest';
import { pullPodName } from '../../../src/controllers/node-stocker/pull-pod.ts';
import { PODS } from '../fixtures.ts';
import { StockerWorld } from './stocker-world.ts';

const GIB = 1024 ** 3;
let world: StockerWorld;

afterEach(() => world[Symbol.asyncDispose]());

async function reconcileAll(...nodes: readonly string[]): Promise<void> {
  for (const node of nodes) await world.reconcile(node);
}

async function failOn(nodes: readonly string[], failures: Readonly<Record<string, string>>): Promise<void> {
  for (const node of nodes) {
    await world.pullThrough(node, failures);
  }
}

it('a node that was woken and needs no slot wakes the next in line', async () => {
  world = await StockerWorld.start(['n1', 'n2', 'n3'], { slots: 1 });
  world.want('a');
  await reconcileAll('n1', 'n2', 'n3');
  world.finish('n1');
  await world.reconcile('n1');
  expect(world.woken).toEqual(['n2']);
  world.setNode('n2', { unschedulable: true });
  await world.reconcile('n2');
  expect(world.woken).toEqual(['n2', 'n3']);
});

it('a node that gets in line for a limited image gives its slot to others first', async () => {
  world = await StockerWorld.start(['n1', 'n2', 'n3'], { slots: 2 });
  const rare = { pull: { maxConcurrentNodes: 1, priority: 0 } };
  world.want('rare', { bytes: 9, spec: rare, namespace: 'z' });
  const common = world.want('a', { bytes: 1 });
  world.setNode('n2', { images: [{ names: [`x@${common.pulls[0]?.key ?? ''}`], sizeBytes: 1 }] });
  await reconcileAll('n1', 'n2', 'n3');
  world.finish('n1');
  await world.reconcile('n1');
  expect(world.woken).toContain('n3');
});

it('a tenant whose secret is refused costs a tenant with a good one nothing', async () => {
  world = await StockerWorld.start(['n1', 'n2', 'n3', 'n4']);
  world.want('a', { seed: 'same', bytes: 1 });
  const access = { pullSecretRefs: [{ name: 'good' }] };
  const other = world.want('b', { seed: 'same', namespace: 'other', bytes: 2, spec: { access } });
  await failOn(['n1', 'n2', 'n3'], { same: '401 unauthorized' });
  expect(world.coverage.failure('n1', other.id)).toBeUndefined();
  expect(world.circuits.findOpen(`image:${other.id}`)).toBeUndefined();
});

it('two objects of one image take its room on the disk once', async () => {
  world = await StockerWorld.start([]);
  world.setNode('n1', { ephemeralBytes: 10 * GIB });
  const first = world.want('a', { seed: 'same', bytes: 2 * GIB });
  world.want('b', { seed: 'same', bytes: 2 * GIB });
  await world.reconcile('n1');
  expect(world.coverage.skipReason('n1', first.id)).toBeUndefined();
  expect(world.pods()).toHaveLength(1);
});

describe('a pod of somebody else under our name', () => {
  function squat(n: number, object: object = {}): void {
    const name = pullPodName({ name: 'n1', uid: 'uid-of-n1' }, n);
    world.server.store.put(PODS, { spec: {}, ...object, metadata: { name, namespace: 'default' } });
  }

  it('is passed over: the node pulls under the next number', async () => {
    world = await StockerWorld.start(['n1']);
    world.want('a');
    squat(1);
    squat(2, { spec: { nodeName: 'n1' } });
    await world.reconcile('n1');
    const own = world.pods().find(({ metadata }) => metadata.ownerReferences !== undefined);
    expect(own?.metadata.name).toBe(pullPodName({ name: 'n1', uid: 'uid-of-n1' }, 3));
    expect(world.coverage.pullingKeys('n1')).toHaveLength(1);
  });

  it('and under many is told as the refusal that it is, and costs no other namespace anything', async () => {
    world = await StockerWorld.start(['n1'], { slots: 1 });
    const want = world.want('a', { bytes: 1 });
    for (let n = 1; n <= 20; n += 1) squat(n);
    await world.reconcile('n1');
    const failure = world.coverage.failure('n1', want.id);
    expect(failure).toMatchObject({ reason: 'PodRefused', attempts: 1 });
    expect(failure?.message).toMatch(/pod default\/larder-\w+-1 .*is not of this operator/);
    expect(world.budget.taken('cluster')).toBe(0);
    world.want('b', { namespace: 'other' });
    await world.reconcile('n1');
    expect(world.pods('n1').map(({ metadata }) => metadata.namespace)).toEqual(['other']);
  });
});

it('a node that may try a failing image for all, and then cannot, leaves that to another', async () => {
  world = await StockerWorld.start(['n1', 'n2', 'n3', 'n4', 'n5'], { slots: 1 });
  world.want('bad');
  await failOn(['n1', 'n2', 'n3'], { bad: 'manifest unknown' });
  await world.clock.advance(3_600_000);
  world.want('good', { bytes: 1, namespace: 'other' });
  await world.reconcile('n4');
  await world.clock.advance(1_000);
  world.finish('n4');
  world.setNode('n4', { unschedulable: true });
  await reconcileAll('n4', 'n5');
  world.finish('n5');
  await world.reconcile('n5');
  expect(world.pods('n5').map((pod) => world.pulls(pod))).toContainEqual(['bad']);
});

describe('a node that tries a failing image for all', () => {
  async function openCircuit(): Promise<void> {
    world = await StockerWorld.start(['n1', 'n2', 'n3', 'n4', 'n5']);
    world.want('bad', { spec: { pull: { timeout: '2m' } } });
    await failOn(['n1', 'n2', 'n3'], { bad: 'manifest unknown' });
    await world.clock.advance(3_600_000);
  }

  it('is one, also if several are looked at in the same moment', async () => {
    await openCircuit();
    await Promise.all(['n4', 'n5'].map((node) => world.reconcile(node)));
    expect(world.pods()).toHaveLength(1);
  });

  it('and is mute, keeps nobody waiting', async () => {
    await openCircuit();
    await world.reconcile('n4');
    world.date('n4', world.clock.now());
    await world.reconcile('n5');
    expect(world.pods('n5')).toEqual([]);
    await world.clock.advance(30_000);
    await reconcileAll('n4', 'n5');
    expect(world.pods('n5')).toHaveLength(1);
  });

  it('and pulls for longer than its timeout, keeps nobody waiting', async () => {
    await openCircuit();
    await world.reconcile('n4');
    world.begin('n4');
    await world.clock.advance(120_000);
    await reconcileAll('n4', 'n5');
    expect(world.pods('n5')).toHaveLength(1);
  });

  it('and is refused, leaves it to the next', async () => {
    await openCircuit();
    world.server.fail({ when: ({ verb }) => verb === 'create', action: { kind: 'status', code: 403 } });
    await reconcileAll('n4', 'n5');
    expect(world.pods('n5')).toHaveLength(1);
  });
});

it('a node with much to pull for one namespace gives its slot to the other namespaces in between', async () => {
  world = await StockerWorld.start(['n1', 'n2'], { slots: 1 });
  for (let index = 0; index < 60; index += 1) world.want(`a${String(index).padStart(2, '0')}`, { bytes: 1 });
  world.want('b', { namespace: 'other', bytes: 9 });
  const order: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    const before = new Set(world.pods().map(({ metadata }) => metadata.uid));
    await reconcileAll('n1', 'n2');
    const made = world.pods().filter(({ metadata }) => !before.has(metadata.uid));
    order.push(...made.map(({ metadata }) => metadata.namespace ?? ''));
    for (const { spec } of made) world.finish(spec.nodeName ?? '');
  }
  expect(order.slice(0, 4)).toEqual(['default', 'other', 'default', 'other']);
});

it('new nodes leave some slots to old ones, whose image is new', async () => {
  world = await StockerWorld.start([], { slots: 4 });
  world.want('a');
  const [fresh, old] = [
    ['f1', 'f2', 'f3', 'f4'],
    ['o1', 'o2'],
  ];
  for (const name of fresh) world.setNode(name, {}, world.clock.now() - 60_000);
  for (const name of old) world.setNode(name);
  await reconcileAll(...fresh, ...old);
  const pulling = world.pods().map(({ spec }) => spec.nodeName);
  expect([...pulling].sort()).toEqual(['f1', 'f2', 'f3', 'o1']);
});

it('nodes that pull from a slow registry leave the slots to others', async () => {
  world = await StockerWorld.start(['n1', 'n2'], { slotsPerHost: 1 });
  world.want('a');
  await reconcileAll('n1', 'n2');
  expect(world.pods().map(({ spec }) => spec.nodeName)).toEqual(['n1']);
  expect(world.budget.shortage('n2')).toBe('1 nodes pull from registry.example.org, the limit');
});

it('a registry that wants to be left alone is left alone by all nodes, as long as it says', async () => {
  world = await StockerWorld.start(['n1', 'n2', 'n3', 'n4']);
  const want = world.want('a');
  const told = {
    class: 'Registry',
    reason: 'RegistryThrottled',
    message: '429',
    retryAfterMs: 600_000,
  } as const;
  world.registrySays.set('a', told);
  await failOn(['n1', 'n2', 'n3'], { a: 'pulling image: unexpected end of something' });
  expect(world.coverage.failure('n1', want.id)).toMatchObject({
    reason: 'RegistryThrottled',
    message: '429; the node: pulling image: unexpected end of something',
    notBefore: world.clock.monotonic() + 600_000,
  });
  await world.clock.advance(599_000);
  await reconcileAll('n1', 'n2', 'n3', 'n4');
  expect(world.pods()).toEqual([]);
  await world.clock.advance(1_000);
  await reconcileAll('n1', 'n2', 'n3', 'n4');
  expect(world.pods()).toHaveLength(1);
});

it('a full disk is the trouble of the node, whatever the registry says meanwhile', async () => {
  world = await StockerWorld.start(['n1']);
  const want = world.want('a');
  world.registrySays.set('a', { class: 'Registry', reason: 'RegistryThrottled', message: '429' });
  await failOn(['n1'], { a: 'write /var/lib: no space left on device' });
  expect(world.coverage.failure('n1', want.id)?.reason).toBe('DiskFull');
});

it('a node that cannot be looked at keeps neither a slot nor a place in line', async () => {
  world = await StockerWorld.start(['n1', 'n2', 'n3'], { slots: 1 });
  world.want('a');
  await reconcileAll('n1', 'n2', 'n3');
  world.finish('n1', { a: 'no space left on device' });
  world.server.fail({
    when: ({ verb }) => verb === 'delete',
    action: { kind: 'status', code: 405 },
    times: 2,
  });
  await expect(world.reconcile('n1')).rejects.toMatchObject({ status: 405 });
  expect(world.budget.taken('cluster')).toBe(0);
  expect(world.woken).toEqual(['n2']);
  world.addPod('n2');
  await expect(world.reconcile('n2')).rejects.toMatchObject({ status: 405 });
  expect(world.woken.at(-1)).toBe('n3');
});
