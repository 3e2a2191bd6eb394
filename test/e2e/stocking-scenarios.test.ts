/** More of what goes wrong on nodes, each once: mute, offline, replaced and full of names; pods that somebody deletes. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { apply, conditionOf, eventually, listPods } from '../support/dev-cluster.ts';
import { addMuteNode, digest, HOST, image, StockingStage } from './stocking-stage.ts';

const EXTRA_NODES = ['offline-1', 'mute-1', 'doomed'];

let world: StockingStage;

beforeAll(async () => {
  world = await StockingStage.start({ name: 'stocking-scenarios', nodes: 3 });
});

afterEach(() => world.clear(...EXTRA_NODES));

afterAll(() => world.stop());

it('an image reaches every node, on nodes and by name where it is told to, and leaves nothing when it goes', async () => {
  const { cluster } = world;
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: ['node-2'] }] as const;
  await apply(
    cluster,
    image('all', { image: `${HOST}/fine/all@${digest('b1')}` }),
    image('one', {
      image: `${HOST}/fine/one@${digest('b2')}`,
      nodes: { nodeSelectorTerms: [{ matchFields }] },
    }),
  );
  await world.untilReady('all', '3/3');
  await world.untilReady('one', '1/1');
  expect((await world.find('one')).status?.presentOn).toEqual(['node-2']);
  const pulled = (await world.pulls()).filter((pull) => pull.includes('/fine/one@'));
  expect(pulled).toEqual([`node-2 ${HOST}/fine/one@${digest('b2')}`]);
  await cluster.kubectl(['delete', 'ppi', 'all', 'one']);
  expect((await cluster.getJson<{ items: unknown[] }>(['ppi', '-A'])).items).toEqual([]);
});

describe('one bad node', () => {
  it('that cannot reach the registry fails alone, and says so', async () => {
    await world.cluster.addNodes([{ name: 'offline-1' }]);
    await apply(world.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('b3')}`, minReady: '75%' }));
    await eventually(async () => {
      const { status } = await world.find('lab');
      expect(status).toMatchObject({ ready: '3/4', prepulled: false, nodes: { failed: 1 } });
      expect(status?.notPresent).toMatchObject([
        { node: 'offline-1', state: 'Failed', reason: 'RegistryUnreachableFromNode' },
      ]);
      expect(status).not.toHaveProperty('backoff');
    });
    expect(conditionOf(await world.find('lab'), 'Ready')).toMatchObject({
      status: 'True',
      reason: 'Stocked',
    });
  });

  it('whose kubelet is mute holds up no other, is not taken for done, and gives its slot back', async () => {
    const { cluster } = world;
    await addMuteNode(cluster, 'mute-1');
    await apply(cluster, image('lab', { image: `${HOST}/fine/lab@${digest('b4')}` }));
    await world.untilReady('lab', '3/4');
    expect((await world.find('lab')).status?.prepulled).toBe(false);
    await eventually(async () => {
      expect((await world.find('lab')).status?.notPresent).toMatchObject([
        { node: 'mute-1', reason: 'NodeMute' },
      ]);
    });
    // Then Kubernetes itself notices, and the node is none of ours until it is back.
    await eventually(async () => {
      expect((await world.find('lab')).status).toMatchObject({ ready: '3/3', prepulled: true });
    }, 120_000);
  });

  it('that goes in the middle of a pull takes its pod along and is counted no more', async () => {
    const { cluster } = world;
    await cluster.addNodes([{ name: 'doomed' }]);
    const nodes = { nodeSelector: { 'kubernetes.io/hostname': 'doomed' } };
    await apply(cluster, image('slow', { image: `${HOST}/hangs/lab@${digest('b5')}`, nodes }));
    await eventually(async () => {
      expect((await world.find('slow')).status?.nodes).toMatchObject({ eligible: 1, pulling: 1 });
    });
    await cluster.kubectl(['delete', 'node', 'doomed']);
    await eventually(async () => {
      expect((await world.find('slow')).status?.nodes).toMatchObject({ eligible: 0, pulling: 0 });
      expect(await listPods(cluster)).toEqual([]);
      // No kubelet ends it: the pod collector does, which looks every 20 s for nodes that are gone for 40 s.
    }, 150_000);
    // Back under its name, it is another machine: what it pulls is pulled anew.
    await cluster.addNodes([{ name: 'doomed' }]);
    await eventually(async () => {
      expect((await world.find('slow')).status?.nodes).toMatchObject({ eligible: 1, pulling: 1 });
      expect(await listPods(cluster)).toHaveLength(1);
    });
  });
});

it('a pull pod that is deleted by hand is made again', async () => {
  const nodes = { nodeSelector: { 'kubernetes.io/hostname': 'node-1' } };
  await apply(world.cluster, image('slow', { image: `${HOST}/hangs/lab@${digest('b6')}`, nodes }));
  const uids = async (): Promise<readonly string[]> =>
    (await listPods(world.cluster)).map(({ metadata }) => metadata.uid);
  await eventually(async () => {
    expect(await uids()).toHaveLength(1);
    expect((await world.find('slow')).status?.nodes?.pulling).toBe(1);
  });
  const [first] = await listPods(world.cluster);
  // The new pod may have the old one's name: waiting for that to go would last.
  await world.cluster.kubectl(['delete', 'pod', first?.metadata.name ?? '', '--wait=false']);
  await eventually(async () => {
    expect(await uids()).toHaveLength(1);
    expect(await uids()).not.toContain(first?.metadata.uid);
  });
});

describe('what a node lists', () => {
  it('is compared whole: x:1.25 is not x:1.2', async () => {
    const other = { names: [`${HOST}/fine/lab@${digest('b8')}`, `${HOST}/fine/lab:1.25`], sizeBytes: 9 };
    await world.report('node-1', [other]);
    const wanted = image('lab', { image: `${HOST}/fine/lab:1.2@${digest('b7')}`, pull: { by: 'Both' } });
    await apply(world.cluster, wanted);
    await world.untilReady('lab', '3/3');
    const onFirst = (await world.pulls()).filter((pull) => pull.startsWith('node-1 '));
    expect(onFirst).toEqual([`node-1 ${HOST}/fine/lab@${digest('b7')}`, `node-1 ${HOST}/fine/lab:1.2`]);
  });

  it('is believed: what it shows already is not pulled', async () => {
    await world.report('node-2', [{ names: [`elsewhere.example/copy@${digest('b9')}`], sizeBytes: 9 }]);
    await apply(world.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('b9')}` }));
    await world.untilReady('lab', '3/3');
    expect((await world.pulls()).filter((pull) => pull.startsWith('node-2 '))).toEqual([]);
  });

  it('proves nothing when it is cut: an image that is not in it is pulled once, not again and again', async () => {
    const many = Array.from({ length: 50 }, (_, index) => ({
      names: [`${HOST}/large/${String(index)}@${digest(String(index).padStart(2, '0'))}`],
      sizeBytes: 2 ** 40 - index,
    }));
    const cut = ['a', 'b', 'c', 'd', 'e'].map((letter) => `${HOST}/cut@${digest(`${letter}0`)}`);
    await world.report('node-1', many);
    await world.report('node-2', [{ names: cut, sizeBytes: 9 }]);
    await apply(world.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('c1')}` }));
    await world.untilReady('lab', '3/3');
    // Longer than the 90 seconds after which a list that could show the image would be believed.
    await world.quietFor(100);
    const pulled = (await world.pulls()).filter((pull) => pull.includes(digest('c1')));
    expect(pulled.filter((pull) => !pull.startsWith('node-3 '))).toHaveLength(2);
    expect((await world.find('lab')).status?.ready).toBe('3/3');
  });
});
