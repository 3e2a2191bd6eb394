/** What a real kubelet makes of Larder's pull pod, and that the verdict on it is true. */

import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { busyboxImage } from '../../hack/dev-cluster/real-node-images.ts';
import type { PullPod } from '../../src/controllers/node-stocker/pull-pod.ts';
import { apply, eventually } from '../support/dev-cluster.ts';
import { createPullPod, finishedPull, getPod, type JudgedPull, plainPod } from './node-pods.ts';
import { describeOnNode, useNodeStage } from './node-stage.ts';
import { PULLER, pullSecret, startPrivateRegistry } from './private-registry.ts';

const NAMESPACE = 'pulls';
const PRIORITY_CLASS = join(import.meta.dirname, '../../config/manager/priority-class.yaml');

describeOnNode('a pull pod on a real kubelet', () => {
  const stage = useNodeStage({ name: 'pull-pod' });
  let images: ImageWriter;
  let image: string;
  let podsMade = 0;

  beforeAll(async () => {
    const { cluster, registry } = stage();
    images = new ImageWriter(registry.host, 'lab/image');
    image = `${registry.host}/lab/image`;
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await apply(cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } });
    await cluster.kubectl(['apply', '-f', PRIORITY_CLASS]);
  });

  async function pull(
    references: readonly string[],
    pullSecrets: readonly string[] = [],
  ): Promise<JudgedPull> {
    const { cluster } = stage();
    podsMade += 1;
    const request = { namespace: NAMESPACE, n: podsMade, images: references, pullSecrets };
    return finishedPull(cluster, NAMESPACE, await createPullPod(cluster, request));
  }

  /** The phase follows the containers by a second or two: for that long it says Pending of a pod that has ended. */
  async function phaseOf(pod: PullPod, phase: string): Promise<void> {
    const { name } = pod.metadata;
    await eventually(async () => {
      expect((await getPod(stage().cluster, NAMESPACE, name)).status?.phase).toBe(phase);
    });
  }

  it('is admitted where only restricted pods are, and ends well in an image with a `true`', async () => {
    await images.push(await busyboxImage(), ['busybox']);
    const { pod, verdict } = await pull([`${image}:busybox`]);
    expect(verdict).toMatchObject({ present: [`${image}:busybox`], failed: [] });
    await phaseOf(pod, 'Succeeded');
  });

  it('proves images in which nothing can run', async () => {
    await images.push({ seed: 'scratch', layers: [] }, ['scratch']);
    await images.push({ seed: 'data' }, ['data']);
    const config = { User: '1000:1000', WorkingDir: '/srv', Volumes: { '/srv/data': {} } };
    await images.push({ seed: 'volume', config }, ['volume']);
    const wanted = [`${image}:scratch`, `${image}:data`, `${image}:volume`];
    const { pod, verdict } = await pull(wanted);
    expect(ends(pod)).toEqual(wanted.map(() => ({ reason: 'StartError', exitCode: 128, hasImage: true })));
    expect(verdict).toMatchObject({ present: wanted, failed: [] });
    await phaseOf(pod, 'Failed');
  });

  it('tells a missing tag and a missing digest from the images after them', async () => {
    await images.push({ seed: 'after' }, ['after']);
    const absent = `${image}@sha256:${'0'.repeat(64)}`;
    const { verdict } = await pull([`${image}:no-such-tag`, absent, `${image}:after`]);
    expect(verdict.present).toEqual([`${image}:after`]);
    expect(verdict.failed).toMatchObject(
      [`${image}:no-such-tag`, absent].map((key) => ({
        key,
        failure: { class: 'Image', reason: 'ImageNotFound' },
      })),
    );
  });

  it('fails for the image if an index offers only other architectures', async () => {
    await images.push({ seed: 'arm', platforms: ['linux/arm64', 'linux/s390x'] }, ['others']);
    const { verdict } = await pull([`${image}:others`]);
    expect(verdict).toMatchObject({ present: [], failed: [{ failure: { class: 'Image' } }] });
  });

  // Why Larder compares platforms itself before it asks a node: the runtime does not look into the configuration.
  it('pulls a plain manifest of another architecture without a word', async () => {
    await images.push({ seed: 'arm', platforms: ['linux/arm64'] }, ['arm64']);
    const { verdict } = await pull([`${image}:arm64`]);
    expect(verdict).toMatchObject({ present: [`${image}:arm64`], failed: [] });
  });

  it('pulls an index by its digest', async () => {
    const digest = await images.push({ seed: 'index', platforms: ['linux/arm64', 'linux/amd64'] }, ['index']);
    const { verdict } = await pull([`${image}@${digest}`]);
    expect(verdict.present).toEqual([`${image}@${digest}`]);
    const stored = await stage().node.images();
    expect(stored.filter((found) => found.digest === digest).map(({ name }) => name)).toContain(
      `${image}@${digest}`,
    );
  });

  it('moves a tag that was moved', async () => {
    const old = await images.push({ seed: 'old' }, ['moving']);
    await pull([`${image}:moving`]);
    const moved = await images.push({ seed: 'new' }, ['moving']);
    await pull([`${image}:moving`]);
    const { digest } = (await stage().node.images()).find(({ name }) => name === `${image}:moving`) ?? {};
    expect([digest, digest === old]).toEqual([moved, false]);
  });

  it('needs the secret of a private image each time, also where the image already is', async () => {
    const { cluster } = stage();
    const host = await startPrivateRegistry(stage());
    const wanted = `${host}/private/lab:1`;
    await new ImageWriter(host, 'private/lab', PULLER).push({ seed: 'private' }, ['1']);
    await apply(cluster, pullSecret({ namespace: NAMESPACE, name: 'good' }, host));
    await apply(cluster, pullSecret({ namespace: NAMESPACE, name: 'bad' }, host, 'rotated'));

    const refused = { failed: [{ failure: { class: 'Image', reason: 'PullUnauthorized' } }] };
    expect((await pull([wanted])).verdict).toMatchObject(refused);
    expect((await pull([wanted], ['bad'])).verdict).toMatchObject(refused);
    expect((await pull([wanted], ['good'])).verdict).toMatchObject({ present: [wanted], failed: [] });
    expect((await pull([wanted])).verdict).toMatchObject(refused);
  });

  it('is admitted on a fully booked node, and under a quota that demands limits', async () => {
    const { cluster, registry, node } = stage();
    const { status } = await cluster.getJson<{ status: { allocatable: { cpu: string } } }>([
      'node',
      node.name,
    ]);
    const resources = { requests: { cpu: status.allocatable.cpu } };
    await apply(cluster, plainPod('booker', `${registry.host}/larder/sandbox:1`, resources));
    await cluster.kubectl(['wait', '--for=condition=Ready', '--timeout=30s', 'pod/booker']);
    const hard = { 'limits.cpu': '1', 'limits.memory': '1Gi', 'requests.cpu': '1' };
    await apply(cluster, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'limits', namespace: NAMESPACE },
      spec: { hard },
    });
    await images.push({ seed: 'booked' }, ['booked']);
    const { verdict } = await pull([`${image}:booked`]);
    expect(verdict).toMatchObject({ present: [`${image}:booked`], failed: [] });
    await cluster.kubectl(['delete', 'pod/booker']);
    await cluster.kubectl(['delete', 'resourcequota/limits', '-n', NAMESPACE]);
  });

  it('protects its image from the age collector of the kubelet as long as it is there', async () => {
    const { node } = stage();
    const kept = await images.push({ seed: 'kept' }, ['kept']);
    const lost = await images.push({ seed: 'lost' }, ['lost']);
    await pull([`${image}@${kept}`]);
    // A deleted pod holds its image until its containers are removed, up to a minute later: this one never had a pod.
    await node.ctr(['images', 'pull', '--plain-http', `${image}@${lost}`]);
    // It collects when it starts and every five minutes, but never before it has run as long as the age.
    await node.killKubelet();
    await node.configureKubelet({ imageMinimumGCAge: '1ns', imageMaximumGCAge: '2ns' });
    await node.startKubelet();
    await eventually(async () => {
      const stored = (await node.images()).map(({ digest }) => digest);
      expect([stored.includes(kept), stored.includes(lost)]).toEqual([true, false]);
    });
    await node.killKubelet();
    await node.configureKubelet({});
    await node.startKubelet();
  });

  // Last, for it takes every pull pod along: what they proved must not hang on them.
  it('stops no drain', async () => {
    const { cluster, node } = stage();
    const { stderr } = await cluster.kubectl(['drain', node.name, '--timeout=20s']);
    expect(stderr).not.toContain('cannot delete');
    const { items } = await cluster.getJson<{ items: PullPod[] }>(['pods', '-n', NAMESPACE]);
    expect(items).toEqual([]);
    await cluster.kubectl(['uncordon', node.name]);
  });
});

interface End {
  readonly reason?: string;
  readonly exitCode?: number;
  readonly hasImage: boolean;
}

function ends({ status }: PullPod): readonly End[] {
  return (status?.containerStatuses ?? []).map(({ state, imageID }) => {
    const { reason, exitCode } = (state?.terminated ?? {}) as { reason?: string; exitCode?: number };
    return {
      ...(reason !== undefined && { reason }),
      ...(exitCode !== undefined && { exitCode }),
      hasImage: imageID !== '',
    };
  });
}
