/** Stocking a real node through the operator: a node without room for pods, a rotated secret, an image that vanished. */

import { readFile } from 'node:fs/promises';
import { beforeAll, expect, it } from 'vitest';
import type { Daemon } from '../../hack/dev-cluster/daemon.ts';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import type { PrepulledImage, PrepulledImageManifest } from '../../src/api/prepulled-image.ts';
import { type Overrides, prepulledImageManifest } from '../support/builders.ts';
import { apply, conditionOf, eventually, listPods } from '../support/dev-cluster.ts';
import { namesInStatus, plainPod } from './node-pods.ts';
import { describeOnNode, useNodeStage } from './node-stage.ts';
import { PULLER, pullSecret, startPrivateRegistry } from './private-registry.ts';

/** A failed pair waits 30 s before it is tried again, and 60 s the next time. */
const BACKOFF_MS = 100_000;

describeOnNode('stocking a real node', () => {
  const stage = useNodeStage({ name: 'stocking', installed: true });
  let operator: Daemon;
  let vanishing: string;

  beforeAll(async () => {
    const { cluster, registry } = stage();
    operator = await startOperator(cluster, { flags: ['--leader-elect=false'] });
    // First, because its absence is believed only 90 seconds after it was pulled.
    const image = new ImageWriter(registry.host, 'vanishing/lab');
    vanishing = await image.push({ seed: 'vanishing' }, ['1']);
    await apply(cluster, prepulled('vanishing', { image: `${registry.host}/vanishing/lab:1` }));
    await untilReady('vanishing', '1/1');
  });

  function prepulled(name: string, spec: Overrides<PrepulledImageManifest['spec']>): PrepulledImageManifest {
    return prepulledImageManifest({ metadata: { name }, spec: { access: { plainHTTP: true }, ...spec } });
  }

  async function find(name: string): Promise<PrepulledImage> {
    return stage().cluster.getJson<PrepulledImage>(['prepulledimage', name]);
  }

  async function untilReady(name: string, ready: string, timeoutMs = 60_000): Promise<void> {
    await eventually(async () => {
      const { status } = await find(name);
      expect(status?.ready, JSON.stringify(status)).toBe(ready);
    }, timeoutMs);
  }

  async function metrics(): Promise<string> {
    const [, port = ''] = /"healthPort":(\d+)/.exec(await readFile(operator.logFile, 'utf8')) ?? [];
    return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  }

  async function storedDigests(): Promise<readonly string[]> {
    return (await stage().node.images()).map(({ digest }) => digest);
  }

  it('counts how long the pull took, as the kubelet tells it', async () => {
    const labels = `{namespace="default",host="${stage().registry.host}"}`;
    await eventually(async () => {
      const text = await metrics();
      expect(text).toContain(`larder_pull_duration_seconds_count${labels} 1`);
      expect(text).toMatch(/larder_pull_bytes_total\{[^}]*\} [1-9]/);
      expect(text).toContain('larder_coverage_ratio 1');
      expect(text).toContain('larder_missing_pairs 0');
    });
  });

  it('says that the node has no room for pods, and pulls when it has', async () => {
    const { cluster, registry, node } = stage();
    await node.killKubelet();
    await node.configureKubelet({ maxPods: 1 });
    await node.startKubelet();
    await node.ready();
    // For a moment after its start a kubelet counts pods that have finished, and refuses this one for good.
    await eventually(async () => {
      await cluster.kubectl(['delete', 'pod/booker', '--ignore-not-found', '--force', '--grace-period=0']);
      await apply(cluster, plainPod('booker', `${registry.host}/larder/sandbox:1`));
      await cluster.kubectl(['wait', '--for=condition=Ready', '--timeout=5s', 'pod/booker']);
    });
    const digest = await new ImageWriter(registry.host, 'full/lab').push({ seed: 'full' }, ['1']);
    await apply(cluster, prepulled('full', { image: `${registry.host}/full/lab:1` }));
    await eventually(async () => {
      const { status } = await find('full');
      expect(status?.notPresent).toMatchObject([{ state: 'Failed', reason: 'PodRefused' }]);
      expect(status?.notPresent?.[0]?.message).toContain('OutOfpods');
      // No trouble of the image: nothing is held back elsewhere.
      expect(status).not.toHaveProperty('backoff');
    });
    await cluster.kubectl(['delete', 'pod/booker']);
    await untilReady('full', '1/1', BACKOFF_MS);
    expect(await storedDigests()).toContain(digest);
    await node.killKubelet();
    await node.configureKubelet({});
    await node.startKubelet();
    await node.ready();
  });

  it('pulls with a secret as soon as it was rotated to a good one', async () => {
    const { cluster } = stage();
    const host = await startPrivateRegistry(stage());
    const digest = await new ImageWriter(host, 'private/lab', PULLER).push({ seed: 'private' }, ['1']);
    await cluster.kubectl([
      'create',
      'rolebinding',
      'larder-credentials',
      '--clusterrole=larder-credential-reader',
      '--serviceaccount=larder-system:larder',
    ]);
    await apply(cluster, pullSecret({ namespace: 'default', name: 'regcred' }, host, 'rotated-away'));
    const access = { plainHTTP: true, pullSecretRefs: [{ name: 'regcred' }] };
    await apply(cluster, prepulled('private', { image: `${host}/private/lab:1`, access, interval: '10s' }));
    await eventually(async () => {
      expect(conditionOf(await find('private'), 'Ready')).toMatchObject({
        status: 'False',
        reason: 'Unauthorized',
      });
    });
    expect(JSON.stringify(await find('private'))).not.toContain('rotated-away');
    await apply(cluster, pullSecret({ namespace: 'default', name: 'regcred' }, host));
    await untilReady('private', '1/1', BACKOFF_MS);
    expect(await storedDigests()).toContain(digest);
  });

  it('pulls an image again, once, that was removed behind its back', async () => {
    const { cluster, registry, node } = stage();
    const name = `${registry.host}/vanishing/lab@${vanishing}`;
    const pods = async (): Promise<number> => {
      const all = await listPods(cluster);
      return all.filter(({ spec }) => spec.containers.some(({ image }) => image === name)).length;
    };
    await eventually(async () => {
      expect(await namesInStatus(cluster)).toContain(name);
    });
    expect(await pods()).toBe(1);
    await node.removeImage(vanishing);
    await eventually(async () => {
      expect(await storedDigests()).toContain(vanishing);
    }, 200_000);
    await untilReady('vanishing', '1/1');
    await eventually(async () => {
      expect(await namesInStatus(cluster)).toContain(name);
    });
    expect(await pods()).toBe(2);
  }, 300_000);
});
