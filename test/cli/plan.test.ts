import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { PlanOutput } from '../../src/cli/plan.ts';
import { IMAGE_SOURCES, PREPULLED_IMAGES } from '../controllers/fixtures.ts';
import {
  DIGEST_A,
  imageSource,
  imageSourceManifest,
  prepulledImage,
  prepulledImageManifest,
} from '../support/builders.ts';
import { type CliInput, type CliRun, larder } from '../support/cli-io.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { type KubeconfigFile, kubeconfigFile } from '../support/operator-options.ts';

const NODES = { group: '', version: 'v1', plural: 'nodes' };
const GIB = 1024 ** 3;

let server: FakeApiServer;
let registry: FakeRegistry;
let kubeconfig: KubeconfigFile;

beforeEach(async () => {
  server = await FakeApiServer.start();
  registry = await FakeRegistry.start();
  kubeconfig = await kubeconfigFile(server);
});

afterEach(async () => {
  await kubeconfig[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await server.close();
});

interface NodeFields {
  readonly spec?: object;
  readonly images?: readonly string[];
  readonly storage?: string;
  readonly architecture?: string;
}

function node(name: string, { spec = {}, images = [], storage, architecture = 'amd64' }: NodeFields = {}) {
  return {
    metadata: { name, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec,
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      nodeInfo: { operatingSystem: 'linux', architecture },
      images: images.map((image) => ({ names: [image], sizeBytes: GIB })),
      ...(storage !== undefined && { allocatable: { 'ephemeral-storage': storage } }),
    },
  };
}

function sourceFile(spec: Parameters<typeof imageSourceManifest>[0] = {}): string {
  return stringify(imageSourceManifest({ metadata: { namespace: undefined }, ...spec }));
}

function weeklies(newest: number, more: object = {}) {
  const image = `${registry.host}/sciplat/lab`;
  const select = [{ name: 'weeklies', type: 'weekly' as const, newest }];
  return {
    spec: {
      image,
      access: { plainHTTP: true },
      tags: { grammar: 'RSP' as const },
      select,
      prepull: {},
      ...more,
    },
  };
}

function plan(args: readonly string[], input: CliInput = {}): Promise<CliRun> {
  return larder(['plan', '--kubeconfig', kubeconfig.path, ...args], input);
}

async function planned(args: readonly string[], input: CliInput = {}): Promise<PlanOutput> {
  const { out, error } = await plan([...args, '-o', 'json'], input);
  expect(error).toBe('');
  return JSON.parse(out) as PlanOutput;
}

const pullsOf = ({ nodes }: PlanOutput) =>
  nodes.flatMap(({ node: name, pulls }) =>
    pulls.map(({ reference, pod }) => `${name} ${pod} ${reference.split('@')[0] ?? ''}`),
  );

describe('larder plan against a cluster', () => {
  it('says what is still to be pulled, what is skipped and why', async () => {
    server.store.put(NODES, node('n1', { images: [`r.io/lab@${DIGEST_A}`] }));
    server.store.put(NODES, node('n2'));
    server.store.put(NODES, node('n3', { spec: { unschedulable: true } }));
    server.store.put(NODES, node('n4', { storage: '1Gi' }));
    const image = prepulledImage({ spec: { image: `r.io/lab@${DIGEST_A}` } });
    const found = {
      reference: `r.io/lab@${DIGEST_A}`,
      registry: 'r.io',
      repository: 'lab',
      digest: DIGEST_A,
      size: GIB,
    };
    server.store.put(PREPULLED_IMAGES, { ...image, status: { image: found } });
    server.store.put(
      PREPULLED_IMAGES,
      prepulledImage({ metadata: { name: 'asleep' }, spec: { suspend: true } }),
    );
    server.store.put(
      PREPULLED_IMAGES,
      prepulledImage({ metadata: { name: 'new' }, spec: { image: 'r.io/new:1' } }),
    );
    const output = await planned([]);
    expect(output.totals).toEqual({ nodes: 4, pulls: 1, bytes: GIB, skipped: 2 });
    expect(
      output.nodes.map(({ node: name, present, pulls, skipped }) => [
        name,
        present,
        pulls.length,
        skipped.map(({ reason }) => reason),
      ]),
    ).toEqual([
      ['n1', 1, 0, []],
      ['n2', 0, 1, []],
      ['n3', 0, 0, ['Cordoned']],
      ['n4', 0, 0, ['DiskTooSmall']],
    ]);
    expect(output.idle.map(({ image: id, reason }) => [id, reason])).toEqual([
      ['default/asleep', 'Suspended'],
      ['default/new', 'NotResolved'],
    ]);
  });

  it('counts the bytes of an image once, although one object asks for its digest and another for its tag', async () => {
    server.store.put(NODES, node('n1'));
    const found = { registry: 'r.io', repository: 'lab', digest: DIGEST_A, size: GIB };
    for (const by of ['Digest', 'Tag'] as const) {
      const image = prepulledImage({
        metadata: { name: by.toLowerCase() },
        spec: { image: 'r.io/lab:1', pull: { by } },
      });
      server.store.put(PREPULLED_IMAGES, {
        ...image,
        status: { image: { ...found, reference: 'r.io/lab:1' } },
      });
    }
    expect((await planned([])).totals).toEqual({ nodes: 1, pulls: 2, bytes: GIB, skipped: 0 });
  });

  it('tells what waits for what', async () => {
    for (const name of ['n1', 'n2', 'n3']) server.store.put(NODES, node(name));
    for (const tag of ['a', 'b']) {
      const image = prepulledImage({
        metadata: { name: tag, namespace: tag },
        spec: { image: `r.io/${tag}@sha256:${tag.repeat(64)}` },
      });
      const digest = image.spec.image.split('@')[1];
      const found = { reference: image.spec.image, registry: 'r.io', repository: tag, digest };
      server.store.put(PREPULLED_IMAGES, { ...image, status: { image: found } });
    }
    const { nodes } = await planned(['--pull-slots', '2']);
    expect(nodes.map(({ pulls }) => pulls.map(({ pod, waitsFor }) => [pod, waitsFor]))).toEqual([
      [
        [0, null],
        [1, null],
      ],
      [
        [0, null],
        [1, null],
      ],
      [
        [0, 'a pull slot of the cluster'],
        [1, 'a pull slot of the cluster'],
      ],
    ]);
  });

  it('knows what the operator has written down: what is held back everywhere, and what is beyond a limit', async () => {
    for (const name of ['n1', 'n2']) server.store.put(NODES, node(name));
    const put = (name: string, status: object): void => {
      const image = prepulledImage({ metadata: { name }, spec: { image: `r.io/${name}@${DIGEST_A}` } });
      const found = { reference: image.spec.image, registry: 'r.io', repository: name, digest: DIGEST_A };
      server.store.put(PREPULLED_IMAGES, { ...image, status: { image: found, ...status } });
    };
    const said = (reason: string, message: string): object => ({
      conditions: [{ type: 'Prepulled', status: 'False', reason, message, observedGeneration: 1 }],
    });
    put('held', {
      ...said('NodesMissing', ''),
      coverageTime: '2000-01-01T00:00:00Z',
      backoff: { class: 'Image', attempts: 2, nextAttempt: '2999-01-01T00:00:00Z' },
      notPresent: [{ node: 'n9', state: 'Failed', reason: 'ImageNotFound', message: 'manifest unknown' }],
    });
    put('beyond', said('NamespaceLimitExceeded', '21 images of 20 allowed'));
    const { nodes, idle } = await planned([]);
    for (const { pulls } of nodes) {
      expect(pulls.map(({ image }) => image)).toEqual(['default/held']);
      expect(pulls[0]?.waitsFor).toMatch(
        /^what held it back on all nodes after 2 rounds \(manifest unknown\), \d+ s$/,
      );
    }
    expect(idle).toEqual([
      { image: 'default/beyond', reason: 'NamespaceLimitExceeded', message: '21 images of 20 allowed' },
    ]);
  });

  it('shows what a changed ImageSource would add and retire', async () => {
    for (const tag of ['w_2026_45', 'w_2026_46', 'w_2026_47']) registry.putImage('sciplat/lab', tag);
    server.store.put(NODES, node('n1'));
    const before = await planned(['-f', 'lab.yaml'], { files: { 'lab.yaml': sourceFile(weeklies(2)) } });
    expect(before.changes.map(({ change }) => change)).toEqual(['add', 'add']);
    expect(before.nodes[0]?.bytes).toBeGreaterThan(2_000);
    const source = imageSource(weeklies(2));
    server.store.put(IMAGE_SOURCES, source);
    const ownerReferences = [
      { apiVersion: 'larder.dev/v1alpha1', kind: 'ImageSource', name: 'lab', uid: 'u', controller: true },
    ];
    for (const { image, reference } of before.changes) {
      const [namespace = '', name = ''] = image.split('/');
      const spec = { image: reference, access: { plainHTTP: true }, grammar: 'RSP' as const, aliases: [] };
      server.store.put(
        PREPULLED_IMAGES,
        prepulledImage({ metadata: { namespace, name, ownerReferences }, spec }),
      );
    }
    registry.putImage('sciplat/lab', 'w_2026_48');
    const after = await planned(['-f', 'lab.yaml'], { files: { 'lab.yaml': sourceFile(weeklies(2)) } });
    expect(
      after.changes.map(({ change, reference }) => [change, /:(w_\d+_\d+)@/.exec(reference)?.[1]]),
    ).toEqual([
      ['add', 'w_2026_48'],
      ['keep', 'w_2026_47'],
      ['retire', 'w_2026_46'],
    ]);
    const kept = await planned(['-f', 'lab.yaml'], {
      files: { 'lab.yaml': sourceFile(weeklies(2, { retire: 'Keep' })) },
    });
    expect(kept.changes.at(-1)?.because).toContain('stays without owner');
    const { out } = await plan(['-f', 'lab.yaml', '--diff'], {
      files: { 'lab.yaml': sourceFile(weeklies(2)) },
    });
    expect(out).toMatch(/^\+ .*w_2026_48/m);
    expect(out).toMatch(/^- .*w_2026_46/m);
    expect(out).not.toContain('w_2026_47');
  });

  it('takes a child home that an ImageSource had kept, instead of adding another one', async () => {
    registry.putImage('sciplat/lab', 'w_2026_47');
    server.store.put(NODES, node('n1'));
    const files = { 'lab.yaml': sourceFile(weeklies(1)) };
    const { changes } = await planned(['-f', 'lab.yaml'], { files });
    const spec = { image: changes[0]?.reference ?? '', access: { plainHTTP: true } };
    const labels = { 'larder.dev/source': 'lab' };
    const name = `of-another-tag${changes[0]?.image.slice(-9) ?? ''}`;
    server.store.put(PREPULLED_IMAGES, prepulledImage({ metadata: { name, labels }, spec }));
    const after = await planned(['-f', 'lab.yaml'], { files });
    expect(after.changes.map(({ change, image }) => [change, image])).toEqual([
      ['update', `default/${name}`],
    ]);
  });

  it('tells pipelines by its exit code whether there is something to do', async () => {
    server.store.put(NODES, node('n1'));
    expect((await plan(['--exit-code'])).code).toBe(0);
    registry.putImage('sciplat/lab', 'w_2026_47');
    const files = { 'lab.yaml': sourceFile(weeklies(1)) };
    expect((await plan(['--exit-code', '-f', 'lab.yaml'], { files })).code).toBe(3);
    expect((await plan(['-f', 'lab.yaml'], { files })).code).toBe(0);
  });
});

describe('larder plan without a cluster', () => {
  const tags = JSON.stringify([
    { tag: 'w_2026_46', digest: DIGEST_A },
    { tag: 'w_2026_47', digest: `sha256:${'c'.repeat(64)}` },
  ]);
  const nodes = JSON.stringify({ items: [node('n1'), node('arm', { architecture: 'arm64' })] });

  it('needs nothing but files', async () => {
    const files = { 'lab.yaml': sourceFile(weeklies(2)), nodes, tags };
    const { out, error, code } = await larder(
      ['plan', '--offline', '-f', 'lab.yaml', '--nodes', 'nodes', '--tags', 'tags', '-o', 'json'],
      { files },
    );
    expect([error, code]).toEqual(['', 0]);
    expect(pullsOf(JSON.parse(out) as PlanOutput)).toHaveLength(4);
    expect(server.requests).toEqual([]);
    expect(registry.log).toEqual([]);
  });

  it('asks the registry for platforms, and keeps images off nodes that cannot run them', async () => {
    registry.putImage('sciplat/lab', 'w_2026_47');
    const files = { 'lab.yaml': sourceFile(weeklies(1)), nodes };
    const { out } = await larder(['plan', '--offline', '-f', 'lab.yaml', '--nodes', 'nodes', '-o', 'json'], {
      files,
    });
    const output = JSON.parse(out) as PlanOutput;
    expect(
      output.nodes.map(({ node: name, pulls, skipped }) => [
        name,
        pulls.length,
        skipped.map(({ reason }) => reason),
      ]),
    ).toEqual([
      ['arm', 0, ['PlatformMismatch']],
      ['n1', 1, []],
    ]);
  });

  it('takes PrepulledImages too, whose registry need not know them', async () => {
    const image = prepulledImageManifest({
      spec: { image: `${registry.host}/lab:x@${DIGEST_A}`, access: { plainHTTP: true } },
    });
    const files = { 'image.yaml': stringify(image), nodes };
    const argv = ['plan', '--offline', '-f', 'image.yaml', '--nodes', 'nodes'];
    const { out, error } = await larder([...argv, '-o', 'json'], { files });
    expect(error).toContain('are not known');
    expect(pullsOf(JSON.parse(out) as PlanOutput)).toHaveLength(2);
    expect((await larder(argv, { files })).out).toMatch(/^n1 +1 +default\/lab-w-2026-40 +- +-$/m);
  });

  it.each([
    [['--offline', '-f', 'lab.yaml'], '--offline: needs --nodes and --file'],
    [['--offline', '-f', 'empty.yaml', '--nodes', 'nodes'], 'empty.yaml: holds neither'],
    [['--offline', '-f', 'bad.yaml', '--nodes', 'nodes'], 'not a valid ImageSource'],
    [['--pull-slots', 'many'], 'not a whole number'],
  ])('refuses %j', async (args, message) => {
    const bad = stringify({ ...imageSourceManifest(), spec: { image: 'x:1' } });
    const files = {
      'lab.yaml': sourceFile(weeklies(1)),
      'empty.yaml': 'kind: Pod\n',
      'bad.yaml': bad,
      nodes,
    };
    const { code, error } = await larder(['plan', ...args], { files });
    expect(code).toBe(2);
    expect(error).toContain(message);
  });
});
