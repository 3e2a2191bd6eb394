/**
 * From a clean cluster to stocked nodes by the commands of the README: the image of this checkout, `kubectl apply -k`, a
 * real scheduler and kubelet, the operator under its own ServiceAccount, and no trace of it afterwards.
 */

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { whyNoImage } from '../../hack/dev-cluster/operator-image.ts';
import { whyNoRealNode } from '../../hack/dev-cluster/real-node.ts';
import { operatorRequests, refusals } from '../support/audit.ts';
import {
  dockerImageRecordManifest,
  imageSourceManifest,
  prepulledImageManifest,
} from '../support/builders.ts';
import { apply, eventually, listImages } from '../support/dev-cluster.ts';
import { healthOf } from '../support/lua.ts';
import { type Deployment, IMAGE, prepareDeployment } from './operator-deployment.ts';

const SAMPLES = resolve(import.meta.dirname, '../../config/samples');
const LAYER_LIMIT_BYTES = 10_000_000;
const LEADERSHIP_GAP_MS = 20_000;
const refusal = whyNoRealNode() ?? (await whyNoImage());
if (refusal !== undefined) process.stderr.write(`skipped: the operator in a cluster: ${refusal}\n`);

/** Sample, and the tags that its repository has. */
const REPOSITORIES: Readonly<Record<string, readonly string[]>> = {
  'imagesource-rsp': [
    'w_2026_40',
    'w_2026_46',
    'w_2026_47',
    'd_2026_11_18',
    'd_2026_11_19',
    'd_2026_11_20',
    'r29_0_1',
  ],
  'imagesource-semver': ['1.9.0', '2.0.0', '2.1.0', '2.1.1', '2.2.0'],
  'imagesource-pattern': ['nightly-20261119', 'nightly-20261120', 'latest'],
  'imagesource-docker-variant': ['3.12.4-slim-bookworm', '3.13.1-slim-bookworm', '3.13.1-alpine'],
  'prepulledimage-both': ['stable'],
};

describe.skipIf(refusal !== undefined)('the operator in a cluster', () => {
  let deployment: Deployment;
  let before: readonly string[];

  beforeAll(async () => {
    deployment = await prepareDeployment();
    await deployment.transcript.clear();
    await deployment.cluster.kubectl(['label', 'node', 'real-1', 'node-role.example.org/notebook=true']);
    before = await everything();
  });

  afterAll(async () => {
    await deployment.stop();
  });

  /** Names of all objects of all kinds, but those that come and go by themselves. */
  async function everything(): Promise<readonly string[]> {
    const { cluster } = deployment;
    const { stdout } = await cluster.kubectl(['api-resources', '--verbs=list', '-o', 'name']);
    const kinds = stdout
      .split('\n')
      .filter((kind) => kind !== '' && !/^events|^leases\.|^componentstatuses/.test(kind));
    const args = ['get', kinds.join(','), '-A', '--ignore-not-found', '-o', 'name'];
    return (await cluster.kubectl(args)).stdout.split('\n').sort();
  }

  /** The sample, with its registry replaced by the local one. */
  async function localSample(name: string): Promise<object> {
    const sample = parse(await readFile(join(SAMPLES, `${name}.yaml`), 'utf8')) as {
      spec: { image: string; access?: object };
    };
    const image = sample.spec.image.replace(/^[^/]+/, deployment.registryHost);
    const access = { ...sample.spec.access, plainHTTP: true };
    return { ...sample, spec: { ...sample.spec, image, access } };
  }

  async function fillRegistry(name: string): Promise<void> {
    const { spec } = (await localSample(name)) as { spec: { image: string } };
    const repository = spec.image.slice(spec.image.indexOf('/') + 1).replace(/:.*$/, '');
    const writer = new ImageWriter(deployment.registry.host, repository);
    for (const tag of REPOSITORIES[name] ?? []) await writer.push({ seed: `${name} ${tag}` }, [tag]);
  }

  it('is one small image that runs as nobody', async () => {
    const inspected = JSON.parse(await deployment.images.buildah(['inspect', IMAGE])) as {
      readonly OCIv1: {
        readonly config: Readonly<Record<string, unknown>>;
        readonly rootfs: { diff_ids: string[] };
      };
    };
    const { config, rootfs } = inspected.OCIv1;
    expect(config).toMatchObject({
      User: '65532:65532',
      Cmd: ['run'],
      Labels: {
        'org.opencontainers.image.version': '0.1.0-test',
        'org.opencontainers.image.revision': 'checkout',
        'org.opencontainers.image.licenses': 'Apache-2.0',
      },
    });
    // One layer is the base; what is above it is ours.
    expect(rootfs.diff_ids).toHaveLength(2);
    const manifest = await fetch(`http://${deployment.registry.host}/v2/larder/larder/manifests/0.1.0`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    const { layers } = (await manifest.json()) as { readonly layers: readonly { readonly size: number }[] };
    expect(layers.at(-1)?.size).toBeLessThan(LAYER_LIMIT_BYTES);
  });

  it('becomes ready after kubectl apply -k config/default', async () => {
    const { transcript, overlay } = deployment;
    await transcript.kubectl(['apply', '-k', overlay], ['apply', '-k', 'config/default']);
    const rollout = ['rollout', 'status', 'deployment/larder', '-n', 'larder-system', '--timeout=90s'];
    await transcript.kubectl(rollout);
    const pods = await transcript.kubectl(['get', 'pods', '-n', 'larder-system']);
    expect(pods.match(/1\/1 +Running/g)).toHaveLength(2);
  });

  it('stocks its own node with the samples', async () => {
    const { cluster, transcript } = deployment;
    for (const name of Object.keys(REPOSITORIES)) {
      await fillRegistry(name);
      await cluster.kubectl(['apply', '-f', '-'], stringify(await localSample(name)));
    }
    await eventually(async () => {
      const images = await listImages(cluster, 'default');
      expect(images).toHaveLength(16);
      expect(images.filter(({ status }) => status?.ready !== '1/1')).toEqual([]);
    }, 90_000);
    await transcript.kubectl(['get', 'imagesources']);
    const table = await transcript.kubectl(['get', 'prepulledimages']);
    expect(table.match(/1\/1 +true/g)).toHaveLength(16);
  });

  it('shows Argo CD what is healthy and what is not', async () => {
    const { cluster, registryHost } = deployment;
    const image = `${registryHost}/example/api-server`;
    const access = { plainHTTP: true };
    await apply(
      cluster,
      imageSourceManifest({ metadata: { name: 'asleep' }, spec: { image, access, suspend: true } }),
      prepulledImageManifest({ metadata: { name: 'nowhere' }, spec: { image: `${image}:nowhere`, access } }),
      dockerImageRecordManifest({
        metadata: { name: 'yolo', namespace: 'default' },
        spec: { image: `${image}:2.2.0`, access },
      }),
    );
    const health = async (kind: string, name: string): Promise<string> =>
      (await healthOf(await cluster.getJson<object>([kind, name]))).status;
    const [stocked] = await listImages(cluster, 'default');
    await eventually(async () => {
      expect({
        source: await health('imagesource', 'api-server'),
        image: await health('prepulledimage', stocked?.metadata.name ?? ''),
        record: await health('dockerimagerecord', 'yolo'),
        suspended: await health('imagesource', 'asleep'),
        missing: await health('prepulledimage', 'nowhere'),
      }).toEqual({
        source: 'Healthy',
        image: 'Healthy',
        record: 'Healthy',
        suspended: 'Suspended',
        missing: 'Degraded',
      });
    });
    await cluster.kubectl(['delete', 'prepulledimage/nowhere', 'imagesource/asleep']);
  });

  it('keeps its leadership over a rolling update, and goes on with its work', async () => {
    const { cluster } = deployment;
    const renewals = watchLease();
    await cluster.kubectl(['rollout', 'restart', 'deployment/larder', '-n', 'larder-system']);
    await cluster.kubectl(['rollout', 'status', 'deployment/larder', '-n', 'larder-system', '--timeout=90s']);
    await fillRegistry('imagesource-semver');
    await new ImageWriter(deployment.registry.host, 'example/api-server').push({ seed: 'new' }, ['2.3.0']);
    const now = { annotations: { 'larder.dev/reconcile-requested-at': 'now' } };
    await cluster.kubectl([
      'patch',
      'imagesource',
      'api-server',
      '--type=merge',
      '-p',
      JSON.stringify({ metadata: now }),
    ]);
    await eventually(async () => {
      const images = await listImages(cluster, 'default');
      const found = images.find(({ spec }) => spec.image.includes('api-server:2.3.0'));
      expect(found?.status?.ready).toBe('1/1');
    });
    const { holders, longestGapMs } = await renewals.stop();
    expect(holders.size).toBeGreaterThan(1);
    expect(longestGapMs).toBeLessThanOrEqual(LEADERSHIP_GAP_MS);
    process.stderr.write(
      `leadership: ${holders.size} holders, longest pause ${(longestGapMs / 1000).toFixed(1)} s\n`,
    );
  });

  /** Looks at the Lease until stopped: who held it, and the longest time without a renewal by a holder. */
  function watchLease(): { stop(): Promise<{ holders: ReadonlySet<string>; longestGapMs: number }> } {
    const holders = new Set<string>();
    let longestGapMs = 0;
    let renewed = performance.now();
    let last = '';
    const end = new AbortController();
    const watching = (async (): Promise<void> => {
      while (!end.signal.aborted) {
        const { spec } = await deployment.cluster.getJson<{
          spec: { holderIdentity?: string; renewTime?: string };
        }>(['lease', 'larder', '-n', 'larder-system']);
        const seen = `${spec.holderIdentity ?? ''} ${spec.renewTime ?? ''}`;
        if ((spec.holderIdentity ?? '') !== '' && seen !== last) {
          holders.add(spec.holderIdentity ?? '');
          renewed = performance.now();
          last = seen;
        }
        longestGapMs = Math.max(longestGapMs, performance.now() - renewed);
        await delay(200);
      }
    })();
    return {
      async stop() {
        end.abort();
        await watching;
        return { holders, longestGapMs };
      },
    };
  }

  it('was refused nothing', async () => {
    const requests = await operatorRequests(deployment.cluster);
    expect(requests.length).toBeGreaterThan(50);
    expect(refusals(requests)).toEqual([]);
  });

  it('leaves nothing behind', async () => {
    const { transcript, overlay } = deployment;
    const kinds = 'imagesources,prepulledimages,dockerimagerecords';
    await transcript.kubectl(['delete', kinds, '--all', '--all-namespaces']);
    await transcript.kubectl(['delete', 'pods', '--all-namespaces', '-l', 'larder.dev/component=pull-pod']);
    await transcript.kubectl(['delete', '-k', overlay], ['delete', '-k', 'config/default']);
    await eventually(async () => {
      expect(await everything()).toEqual(before);
    });
  });
});
