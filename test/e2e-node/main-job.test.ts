/** The main job with the operator as a process of its own and a real node: images really lie in containerd. */

import { beforeAll, expect, it } from 'vitest';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import type { ImageSourceManifest } from '../../src/api/image-source.ts';
import type { PrepulledImage, PrepulledImageManifest } from '../../src/api/prepulled-image.ts';
import { imageSourceManifest, type Overrides, prepulledImageManifest } from '../support/builders.ts';
import {
  apply,
  conditionOf,
  eventually,
  getSource,
  listImages,
  listPods,
  tagOf,
} from '../support/dev-cluster.ts';
import { namesInStatus } from './node-pods.ts';
import { describeOnNode, useNodeStage } from './node-stage.ts';
import { PULLER, pullSecret, startPrivateRegistry } from './private-registry.ts';

const PLATFORMS = ['linux/arm64', 'linux/amd64'];

describeOnNode('the main job on a real node', () => {
  const stage = useNodeStage({ name: 'main-job', installed: true });
  const digests = new Map<string, string>();
  let image: string;

  beforeAll(async () => {
    const { cluster, registry } = stage();
    image = `${registry.host}/sciplat/lab`;
    const lab = new ImageWriter(registry.host, 'sciplat/lab');
    for (const tag of ['w_2026_46', 'w_2026_47']) {
      digests.set(tag, await lab.push({ seed: tag, platforms: PLATFORMS }, [tag]));
    }
    await startOperator(cluster);
  });

  function source(name: string, spec: Overrides<ImageSourceManifest['spec']> = {}): ImageSourceManifest {
    const access = { plainHTTP: true };
    return imageSourceManifest({
      metadata: { name },
      spec: { image, interval: '10s', access, tags: { grammar: 'RSP' }, prepull: {}, ...spec },
    });
  }

  function prepulled(name: string, spec: Overrides<PrepulledImageManifest['spec']>): PrepulledImageManifest {
    return prepulledImageManifest({ metadata: { name }, spec: { access: { plainHTTP: true }, ...spec } });
  }

  async function getImage(name: string): Promise<PrepulledImage> {
    return stage().cluster.getJson<PrepulledImage>(['prepulledimage', name]);
  }

  async function storedDigests(): Promise<readonly string[]> {
    return (await stage().node.images()).map(({ digest }) => digest);
  }

  it('goes from a repository to images in containerd', async () => {
    const { cluster } = stage();
    await apply(cluster, source('lab'));
    await eventually(async () => {
      const found = await getSource(cluster, 'default', 'lab');
      expect(found.status?.counts).toMatchObject({ selected: 2, prepulled: 2 });
    });
    expect(await storedDigests()).toEqual(expect.arrayContaining([...digests.values()]));
    const images = await listImages(cluster, 'default');
    expect(images.map((found) => [tagOf(found), found.status?.ready])).toEqual([
      ['w_2026_46', '1/1'],
      ['w_2026_47', '1/1'],
    ]);
    for (const found of images) {
      expect(conditionOf(found, 'Prepulled')).toMatchObject({ status: 'True', reason: 'AllNodes' });
      expect(conditionOf(found, 'Ready')).toMatchObject({ status: 'True' });
    }
    // Both images in one pod; its containers could not even start.
    expect((await listPods(cluster)).map(({ spec }) => spec.containers.length)).toEqual([2]);
  });

  it('pulls a private image with its secret', async () => {
    const { cluster } = stage();
    const host = await startPrivateRegistry(stage());
    const digest = await new ImageWriter(host, 'private/lab', PULLER).push({ seed: 'p' }, ['w_2026_40']);
    await apply(cluster, pullSecret({ namespace: 'default', name: 'regcred' }, host));
    await cluster.kubectl([
      'create',
      'rolebinding',
      'larder-credentials',
      '--clusterrole=larder-credential-reader',
      '--serviceaccount=larder-system:larder',
    ]);
    const access = { plainHTTP: true, pullSecretRefs: [{ name: 'regcred' }] };
    await apply(cluster, source('private', { image: `${host}/private/lab`, access }));
    await eventually(async () => {
      const found = await getSource(cluster, 'default', 'private');
      expect(found.status?.counts).toMatchObject({ selected: 1, prepulled: 1 });
    });
    expect(await storedDigests()).toContain(digest);
  });

  it('asks no node for an image of another architecture', async () => {
    const { cluster, registry } = stage();
    const arm = new ImageWriter(registry.host, 'arm/lab');
    const digest = await arm.push({ seed: 'arm', platforms: ['linux/arm64'] }, ['1']);
    await apply(cluster, prepulled('arm', { image: `${registry.host}/arm/lab:1` }));
    await eventually(async () => {
      const { status } = await getImage('arm');
      expect(status?.nodes).toMatchObject({ eligible: 0, skipped: 1 });
      expect(status?.notPresent).toMatchObject([{ node: 'real-1', reason: 'PlatformMismatch' }]);
    });
    expect(await storedDigests()).not.toContain(digest);
  });

  it('moves a tag on the node after it moved in the registry, if asked for both', async () => {
    const { cluster, registry, node } = stage();
    const tagged = `${registry.host}/moving/lab:1`;
    const moving = new ImageWriter(registry.host, 'moving/lab');
    await moving.push({ seed: 'old' }, ['1']);
    await apply(cluster, prepulled('moving', { image: tagged, interval: '10s', pull: { by: 'Both' } }));
    await eventually(async () => {
      expect((await getImage('moving')).status?.ready).toBe('1/1');
    });
    const digest = await moving.push({ seed: 'new' }, ['1']);
    await eventually(async () => {
      const { status } = await getImage('moving');
      expect([status?.image?.digest, status?.ready]).toEqual([digest, '1/1']);
    });
    const names = (await node.images()).filter((found) => found.digest === digest).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([tagged, `${registry.host}/moving/lab@${digest}`]));
  });

  it('shows an image that was removed behind its back as gone from the node', async () => {
    const { cluster, node } = stage();
    const digest = digests.get('w_2026_46') ?? '';
    await eventually(async () => {
      expect(await namesInStatus(cluster)).toContain(`${image}@${digest}`);
    });
    await node.removeImage(digest);
    await eventually(async () => {
      expect(await namesInStatus(cluster)).not.toContain(`${image}@${digest}`);
    });
  });
});
