/** ImageSources and their children against a real API server: what peers get wrong, one scenario each. */

import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import type { ImageSourceManifest } from '../../src/api/image-source.ts';
import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import { imageSourceManifest, type Overrides, prepulledImageManifest } from '../support/builders.ts';
import {
  apply,
  conditionOf,
  eventually,
  getSource,
  listImages,
  listPods,
  type Stage,
  startStage,
  tagOf,
} from '../support/dev-cluster.ts';

const LAB = 'sciplat/lab';

let stage: Stage;

beforeAll(async () => {
  stage = await startStage({ logFolder: join('reports', 'e2e-sources') });
  await stage.cluster.kubectl(['create', 'namespace', 'other']);
  await startOperator(stage.cluster);
});

afterEach(async () => {
  await stage.cluster.kubectl(['delete', 'imagesources', '--all', '-A', '--wait=true']);
  await stage.cluster.kubectl(['delete', 'ppi', '--all', '-A', '--wait=true']);
});

afterAll(async () => {
  await stage.cluster.stop({ keepLogs: true });
});

/** Content that no other test has pulled: what is on a node is there under any name. */
function push(repository: string, test: string, ...tags: readonly string[]): Promise<readonly string[]> {
  const writer = new ImageWriter(stage.registry.host, repository);
  return Promise.all(tags.map((tag) => writer.push({ seed: `${test} ${tag}` }, [tag])));
}

function source(
  repository: string,
  spec: Overrides<ImageSourceManifest['spec']> = {},
  namespace = 'default',
): ImageSourceManifest {
  return imageSourceManifest({
    metadata: { name: 'lab', namespace },
    spec: {
      image: `${stage.registry.host}/${repository}`,
      interval: '1h',
      access: { plainHTTP: true },
      tags: { grammar: 'Plain' },
      prepull: {},
      ...spec,
    },
  });
}

const pinned = (...tags: readonly string[]): Overrides<ImageSourceManifest['spec']> => ({
  select: [{ name: 'pinned', tags: [...tags] }],
});

/** `tag ready` of each child, sorted. */
async function stock(namespace = 'default'): Promise<readonly string[]> {
  const images = await listImages(stage.cluster, namespace);
  return images.map((image) => `${tagOf(image)} ${image.status?.ready ?? '-'}`).sort();
}

async function untilStock(expected: readonly string[], namespace = 'default'): Promise<void> {
  await eventually(async () => {
    expect(await stock(namespace)).toEqual(expected);
  });
}

async function child(tag: string): Promise<PrepulledImage> {
  const found = (await listImages(stage.cluster, 'default')).find((image) => tagOf(image) === tag);
  if (found === undefined) throw new Error(`no child for ${tag}`);
  return found;
}

/** Lets real time pass on the server: nothing of what must not happen has an event to wait for. */
async function pass(seconds: number): Promise<void> {
  const wait = [
    'wait',
    'namespace/default',
    '--for=jsonpath={.metadata.name}=never',
    `--timeout=${seconds}s`,
  ];
  await stage.cluster.kubectl(wait).catch(() => undefined);
}

const ONE_NODE = { nodes: { nodeSelector: { 'kubernetes.io/hostname': 'node-1' } } };

describe('children', () => {
  it('follow the template from all nodes to one, and go with their source', async () => {
    await push(LAB, 'template', 'a', 'b');
    await apply(stage.cluster, source(LAB, pinned('a', 'b')));
    await untilStock(['a 3/3', 'b 3/3']);
    await apply(stage.cluster, source(LAB, { ...pinned('a', 'b'), prepull: ONE_NODE }));
    await untilStock(['a 1/1', 'b 1/1']);
    await stage.cluster.kubectl(['delete', 'imagesource', 'lab']);
    await untilStock([]);
  });

  it('are touched only where something of theirs changed', async () => {
    await push(LAB, 'edits', 'a', 'b', 'c');
    await apply(stage.cluster, source(LAB, pinned('a', 'b')));
    await untilStock(['a 3/3', 'b 3/3']);
    const { metadata } = await child('b');
    await apply(stage.cluster, source(LAB, pinned('a', 'b', 'c')));
    await untilStock(['a 3/3', 'b 3/3', 'c 3/3']);
    await apply(stage.cluster, source(LAB, pinned('b', 'c')));
    await untilStock(['b 3/3', 'c 3/3']);
    const { uid, generation } = (await child('b')).metadata;
    expect({ uid, generation }).toEqual({ uid: metadata.uid, generation: metadata.generation });
  });

  it('stay without owner where retire says so, and come home', async () => {
    await push(LAB, 'keep', 'a', 'b');
    const keep = { retire: 'Keep' as const };
    await apply(stage.cluster, source(LAB, { ...pinned('a', 'b'), ...keep }));
    await untilStock(['a 3/3', 'b 3/3']);
    const { uid } = (await child('b')).metadata;
    await apply(stage.cluster, source(LAB, { ...pinned('a'), ...keep }));
    await eventually(async () => {
      expect((await child('b')).metadata.ownerReferences ?? []).toEqual([]);
    });
    await apply(stage.cluster, source(LAB, { ...pinned('a', 'b'), ...keep }));
    await eventually(async () => {
      expect((await child('b')).metadata).toMatchObject({ uid, ownerReferences: [{ name: 'lab' }] });
    });
  });

  it('are not made again while their source is deleted in the foreground', async () => {
    await push(LAB, 'foreground', 'a');
    await apply(stage.cluster, source(LAB, pinned('a')));
    await untilStock(['a 3/3']);
    const deletion = ['delete', 'imagesource', 'lab', '--cascade=foreground', '--timeout=90s'];
    await stage.cluster.kubectl(deletion);
    await untilStock([]);
    await pass(20);
    expect(await stock()).toEqual([]);
  });

  it('of images with the same short name in two repositories are distinct', async () => {
    await push('one/lab', 'short', 'a');
    await push('two/lab', 'short too', 'a');
    await apply(stage.cluster, source('one/lab', pinned('a')), {
      ...source('two/lab', pinned('a')),
      metadata: { name: 'lab-too', namespace: 'default' },
    });
    await untilStock(['a 3/3', 'a 3/3']);
    const names = (await listImages(stage.cluster, 'default')).map(({ metadata }) => metadata.name);
    expect(new Set(names).size).toBe(2);
  });

  it('of sources of one name in two namespaces never mix', async () => {
    await push('one/lab', 'tenants', 'a');
    await push('two/lab', 'other tenants', 'b');
    await apply(stage.cluster, source('one/lab', pinned('a')), source('two/lab', pinned('b'), 'other'));
    await untilStock(['a 3/3']);
    await untilStock(['b 3/3'], 'other');
    await stage.cluster.kubectl(['delete', 'imagesource', 'lab']);
    await untilStock([]);
    expect(await stock('other')).toEqual(['b 3/3']);
    expect((await getSource(stage.cluster, 'other', 'lab')).status?.counts?.prepulled).toBe(1);
  });
});

describe('an edit', () => {
  it('while children are being stocked is applied, not ignored', async () => {
    await push(LAB, 'hurry', 'a', 'b');
    await apply(stage.cluster, source(LAB, pinned('a')));
    await apply(stage.cluster, source(LAB, pinned('b')));
    await untilStock(['b 3/3']);
    const { metadata, status } = await getSource(stage.cluster, 'default', 'lab');
    expect(status?.images?.map(({ tag }) => tag)).toEqual(['b']);
    await eventually(async () => {
      const { observedGeneration } = (await getSource(stage.cluster, 'default', 'lab')).status ?? {};
      expect(observedGeneration).toBe(metadata.generation);
    });
  });

  it('of the tag of a stocked image is pulled', async () => {
    const [, second] = await push(LAB, 'retag', 'one', 'two');
    const image = (tag: string) =>
      prepulledImageManifest({
        metadata: { name: 'by-hand' },
        spec: { image: `${stage.registry.host}/${LAB}:${tag}`, access: { plainHTTP: true } },
      });
    await apply(stage.cluster, image('one'));
    await untilStock(['one 3/3']);
    await apply(stage.cluster, image('two'));
    await eventually(async () => {
      const { status } = await child('two');
      expect(status).toMatchObject({ ready: '3/3', prepulled: true, image: { digest: second } });
    });
    const asked = (await listPods(stage.cluster)).flatMap(({ spec }) => spec.containers);
    expect(asked.filter(({ image: reference }) => reference.endsWith(`@${second ?? ''}`))).toHaveLength(3);
  });
});

describe('suspend', () => {
  it('reaches the children, takes new tags only when it is over, and is said', async () => {
    await push(LAB, 'suspend', 'a', 'b');
    await apply(stage.cluster, source(LAB, pinned('a')));
    await untilStock(['a 3/3']);
    await apply(stage.cluster, source(LAB, { ...pinned('a', 'b'), suspend: true }));
    await eventually(async () => {
      const image = await child('a');
      expect(image.spec.suspend).toBe(true);
      expect(conditionOf(image, 'Ready')).toMatchObject({ status: 'False', reason: 'Suspended' });
      const { status } = await getSource(stage.cluster, 'default', 'lab');
      expect(status?.conditions?.find(({ type }) => type === 'Ready')?.reason).toBe('Suspended');
    });
    expect(await stock()).toEqual(['a 3/3']);
    await apply(stage.cluster, source(LAB, { ...pinned('a', 'b'), suspend: false }));
    await untilStock(['a 3/3', 'b 3/3']);
    expect((await child('a')).spec.suspend).toBe(false);
  });
});

describe('a pushed tag', () => {
  it('is taken in between two scans, and answered', async () => {
    await push('hooks/lab', 'hook', 'a');
    await apply(stage.cluster, source('hooks/lab', pinned('a', 'b')));
    await untilStock(['a 3/3']);
    const { status } = await getSource(stage.cluster, 'default', 'lab');
    await push('hooks/lab', 'hook', 'b');
    await stage.cluster.kubectl(['annotate', 'imagesource', 'lab', 'larder.dev/pushed-tags=r1 b']);
    await untilStock(['a 3/3', 'b 3/3']);
    const after = await getSource(stage.cluster, 'default', 'lab');
    expect(after.status).toMatchObject({ lastHandledPush: 'r1', lastScanTime: status?.lastScanTime });
  });
});

describe('a digest', () => {
  it('is pulled by itself, with a tag, and under both names', async () => {
    const [one = '', two = '', three = ''] = await push(LAB, 'digests', 'x', 'y', 'z');
    const base = `${stage.registry.host}/${LAB}`;
    const image = (name: string, reference: string, by: 'Digest' | 'Both' = 'Digest') =>
      prepulledImageManifest({
        metadata: { name },
        spec: { image: reference, access: { plainHTTP: true }, pull: { by } },
      });
    await apply(
      stage.cluster,
      image('bare', `${base}@${one}`),
      image('tagged', `${base}:y@${two}`),
      image('both', `${base}:z@${three}`, 'Both'),
    );
    await eventually(async () => {
      const images = await listImages(stage.cluster, 'default');
      expect(images.map(({ status }) => status?.prepulled)).toEqual([true, true, true]);
      for (const each of images) expect(conditionOf(each, 'Resolved')?.reason).toBe('DigestGiven');
    });
    const asked = (await listPods(stage.cluster)).flatMap(({ spec }) =>
      spec.containers.map((each) => each.image),
    );
    const ours = new Set(asked.filter((each) => [one, two, three].some((digest) => each.endsWith(digest))));
    expect(ours).toEqual(new Set([one, two, three].map((digest) => `${base}@${digest}`)));
    expect(asked).toContain(`${base}:z`);
  });
});

describe('status', () => {
  it('never says that an image is there before anybody has looked', async () => {
    await push(LAB, 'early', 'a');
    const early: string[] = [];
    await apply(stage.cluster, source(LAB, pinned('a')));
    await eventually(async () => {
      const [image] = await listImages(stage.cluster, 'default');
      const { prepulled, nodes } = image?.status ?? {};
      expect(image).toBeDefined();
      const isReady = image !== undefined && conditionOf(image, 'Ready')?.status === 'True';
      if ((prepulled === true || isReady) && nodes?.present !== 3) early.push(JSON.stringify(image));
      expect(nodes?.present).toBe(3);
    });
    expect(early).toEqual([]);
  });

  it('of an idle source and its children is not written, whoever else owns fields of them', async () => {
    await push(LAB, 'idle', 'a', 'b');
    await apply(stage.cluster, source(LAB, pinned('a', 'b')));
    await untilStock(['a 3/3', 'b 3/3']);
    const { metadata } = await child('a');
    const theirs = { spec: { pull: { maxConcurrentNodes: 7 } }, metadata: { labels: { team: 'theirs' } } };
    const patch = ['patch', 'ppi', metadata.name, '--type=merge', '-p', JSON.stringify(theirs)];
    await stage.cluster.kubectl(patch);
    await eventually(async () => {
      const source = await getSource(stage.cluster, 'default', 'lab');
      expect(source.status?.counts?.prepulled).toBe(2);
    });
    await pass(5);
    const versions = async () => [
      (await getSource(stage.cluster, 'default', 'lab')).metadata.resourceVersion,
      ...(await listImages(stage.cluster, 'default')).map((image) => image.metadata.resourceVersion),
    ];
    const before = await versions();
    // Another look at the source, which finds the child as it left it.
    await stage.cluster.kubectl(['label', 'ppi', metadata.name, 'team=others', '--overwrite']);
    const labelled = await versions();
    await pass(10);
    expect(await versions()).toEqual(labelled);
    expect(labelled[0]).toBe(before[0]);
    expect((await child('a')).spec.pull.maxConcurrentNodes).toBe(7);
    // What Larder owns is put right all the same.
    await stage.cluster.kubectl([
      'patch',
      'ppi',
      metadata.name,
      '--type=merge',
      '-p',
      '{"spec":{"minReady":"1%"}}',
    ]);
    await eventually(async () => {
      expect((await child('a')).spec.minReady).toBe('100%');
    });
  });
});
