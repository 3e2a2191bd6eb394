/** Everything that takes part in a pull is killed in the middle of one; the image arrives all the same. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Daemon } from '../../hack/dev-cluster/daemon.ts';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import { randomImage } from '../../hack/dev-cluster/real-node-images.ts';
import { SlowProxy } from '../../hack/dev-cluster/slow-proxy.ts';
import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import { prepulledImageManifest } from '../support/builders.ts';
import { apply, conditionOf, eventually, listPods } from '../support/dev-cluster.ts';
import { describeOnNode, useNodeStage } from './node-stage.ts';

const MIB = 1024 * 1024;
/** A pull of the large image takes five seconds. */
const LARGE_MIB = 10;
const RATE = 2 * MIB;
const ARRIVAL_LIMIT_MS = 100_000;

describeOnNode('a pull on a real node survives', () => {
  const stage = useNodeStage({ name: 'faults', installed: true });
  let line: SlowProxy;
  let operator: Daemon;

  beforeAll(async () => {
    const { cluster, registry, node } = stage();
    line = await SlowProxy.start({ target: registry.host, bytesPerSecond: RATE });
    await node.allowRegistry(line.host);
    operator = await startOperator(cluster, { flags: ['--leader-elect=false'] });
  });

  afterAll(async () => {
    await line.stop();
  });

  /** Wants a new large image over the slow line and returns its digest once a third of it has passed. */
  async function startPull(name: string): Promise<string> {
    const { cluster, registry } = stage();
    const image = new ImageWriter(registry.host, `large/${name}`);
    const digest = await image.push(randomImage(name, [LARGE_MIB]), ['1']);
    const before = line.sentBytes;
    const spec = { image: `${line.host}/large/${name}:1`, access: { plainHTTP: true } };
    await apply(cluster, prepulledImageManifest({ metadata: { name }, spec }));
    await line.sent(before + (LARGE_MIB / 3) * MIB);
    return digest;
  }

  async function getImage(name: string): Promise<PrepulledImage> {
    return stage().cluster.getJson<PrepulledImage>(['prepulledimage', name]);
  }

  async function arrived(name: string, digest: string): Promise<void> {
    await eventually(async () => {
      const image = await getImage(name);
      expect(image.status?.ready, JSON.stringify(image.status)).toBe('1/1');
      expect(conditionOf(image, 'Ready')).toMatchObject({ status: 'True', reason: 'Stocked' });
    }, ARRIVAL_LIMIT_MS);
    expect((await stage().node.images()).map((image) => image.digest)).toContain(digest);
  }

  async function failed(name: string): Promise<void> {
    await eventually(async () => {
      const [pair] = (await getImage(name)).status?.notPresent ?? [];
      expect(pair).toMatchObject({ node: 'real-1', state: 'Failed', attempts: 1 });
      expect(pair?.message).toContain('connection reset by peer');
    });
  }

  async function podsOf(name: string): Promise<number> {
    const pods = await listPods(stage().cluster);
    return pods.filter(({ spec }) => spec.containers.some(({ image }) => image.includes(`/large/${name}@`)))
      .length;
  }

  it('nothing, and the status says meanwhile what goes on', async () => {
    const digest = await startPull('calm');
    await eventually(async () => {
      expect((await getImage('calm')).status?.nodes).toMatchObject({ eligible: 1, pulling: 1, present: 0 });
    });
    await arrived('calm', digest);
    expect(await podsOf('calm')).toBe(1);
  });

  it('the death of the operator', async () => {
    const digest = await startPull('operator');
    operator.signal('SIGKILL');
    await operator.exited();
    operator = await startOperator(stage().cluster, { name: 'second', flags: ['--leader-elect=false'] });
    await arrived('operator', digest);
    expect(await podsOf('operator')).toBe(1);
  });

  it('the death of the kubelet', async () => {
    const { node } = stage();
    const digest = await startPull('kubelet');
    await node.killKubelet();
    await node.startKubelet();
    await arrived('kubelet', digest);
  });

  it('a registry that goes away and, while that waits for its next attempt, the death of containerd', async () => {
    const { node } = stage();
    const first = await startPull('registry');
    line.cut();
    await failed('registry');
    line.mend();

    const second = await startPull('containerd');
    await node.killContainerd();
    await node.startContainerd();
    await arrived('registry', first);
    await arrived('containerd', second);
  });

  it('a node that is deleted and comes back under its name', async () => {
    const { cluster, node } = stage();
    const digest = await startPull('reborn');
    const before = await cluster.getJson<{ metadata: { uid: string } }>(['node', node.name]);
    await node.killKubelet();
    await cluster.kubectl(['delete', 'node', node.name]);
    await node.startKubelet();
    await node.ready();
    const after = await cluster.getJson<{ metadata: { uid: string } }>(['node', node.name]);
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    await arrived('reborn', digest);
    // The pods of the old node went with it, whatever their name.
    await eventually(async () => {
      const owners = (await listPods(cluster)).flatMap(({ metadata }) => metadata.ownerReferences ?? []);
      expect(new Set(owners.map(({ uid }) => uid))).toEqual(new Set([after.metadata.uid]));
    });
  });
});
