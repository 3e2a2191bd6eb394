import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import { IMAGE_SOURCES, PREPULLED_IMAGES } from '../controllers/fixtures.ts';
import { DIGEST_A, DIGEST_B, imageSource, prepulledImage } from '../support/builders.ts';
import { type CliInput, type CliRun, larder } from '../support/cli-io.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { eventually, FakeClock } from '../support/fake-clock.ts';
import { type KubeconfigFile, kubeconfigFile } from '../support/operator-options.ts';

const NODES = { group: '', version: 'v1', plural: 'nodes' };

let server: FakeApiServer;
let kubeconfig: KubeconfigFile;

beforeEach(async () => {
  server = await FakeApiServer.start();
  kubeconfig = await kubeconfigFile(server);
  putNode('n1');
  putNode('n2', { spec: { unschedulable: true } });
  putNode('n3');
});

afterEach(async () => {
  await kubeconfig[Symbol.asyncDispose]();
  await server.close();
});

function putNode(name: string, fields: Readonly<Record<string, unknown>> = {}): void {
  const nodeInfo = { operatingSystem: 'linux', architecture: 'amd64' };
  const conditions = [{ type: 'Ready', status: 'True' }];
  server.store.put(NODES, { metadata: { name }, spec: {}, status: { conditions, nodeInfo }, ...fields });
}

function putImage(
  name: string,
  digest: string,
  presentOn: readonly string[],
  rest: Partial<PrepulledImage['status']> = {},
): void {
  const image = prepulledImage({ metadata: { name, namespace: 'science' } });
  const found = {
    reference: 'r.io/a:b',
    registry: 'r.io',
    repository: 'a',
    tag: name,
    digest,
    size: 10_500_000_000,
  };
  const counts = {
    eligible: 2,
    present: presentOn.length,
    unknown: 0,
    pulling: 0,
    waiting: 0,
    failed: 0,
    skipped: 1,
  };
  const condition = {
    type: 'Prepulled',
    status: 'True' as const,
    reason: 'x',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const status = {
    conditions: [condition],
    image: found,
    nodes: counts,
    presentOn: [...presentOn],
    prepulled: presentOn.length === 2,
    ...rest,
  };
  server.store.put(PREPULLED_IMAGES, { ...image, status });
}

function status(args: readonly string[] = [], input: CliInput = {}): Promise<CliRun> {
  return larder(['status', '--kubeconfig', kubeconfig.path, ...args], input);
}

const FAILED = {
  node: 'n3',
  state: 'Failed' as const,
  reason: 'DiskFull',
  message: 'no space\u001B[31m left',
  attempts: 2,
};

describe('larder status', () => {
  it('shows a line for each image, and tells pipelines what is missing', async () => {
    putImage('w-46', DIGEST_A, ['n1', 'n3']);
    putImage('w-47', DIGEST_B, ['n1'], { notPresent: [FAILED] });
    const { code, out, error } = await status();
    expect(code).toBe(3);
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NAMESPACE', 'NAME', 'TAG', 'READY', 'PULLING', 'WAITING', 'FAILED', 'UNKNOWN', 'SKIPPED', 'SIZE'],
      ['science', 'w-46', 'w-46', '2/2', '0', '0', '0', '0', '1', '9.8 GiB'],
      ['science', 'w-47', 'w-47', '1/2', '0', '0', '1', '0', '1', '9.8 GiB'],
      [''],
    ]);
    expect(error).toBe('larder: not on every node yet: science/w-47 (1/2)\n');
  });

  it('shows who lacks what and why, without letting anybody write to the terminal', async () => {
    putImage('w-47', DIGEST_B, ['n1'], { notPresent: [FAILED] });
    const { out } = await status(['--missing']);
    expect(out).toContain('DiskFull');
    expect(out).toContain('no space?[31m left');
    expect(out).toContain('Node is cordoned');
  });

  it('is content when everything is where it should be', async () => {
    putImage('w-46', DIGEST_A, ['n1', 'n3']);
    expect((await status()).code).toBe(0);
    const { code, out } = await status(['-o', 'json', '-n', 'science']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      complete: 1,
      incomplete: 0,
      images: [{ name: 'w-46', on: ['n1', 'n3'] }],
    });
    expect(JSON.parse((await status(['-o', 'json', '-n', 'other'])).out)).toMatchObject({ images: [] });
    expect(JSON.parse((await status(['-o', 'json', '--source', 'science/lab'])).out)).toMatchObject({
      images: [],
    });
  });

  it('is not content with a source that is not there, or has not said yet what it wants', async () => {
    const ready = (reason: string, stalled: 'True' | 'False') => {
      const lastTransitionTime = '2026-01-01T00:00:00Z';
      const words = { reason, message: 'tags.cycle: too much', lastTransitionTime };
      return {
        conditions: [
          { type: 'Ready', status: stalled === 'True' ? ('False' as const) : ('True' as const), ...words },
          { type: 'Stalled', status: stalled, ...words },
        ],
      };
    };
    const source = imageSource({ metadata: { name: 'lab', namespace: 'science', generation: 2 } });
    const run = () => status(['--source', 'lab', '-n', 'science']);
    expect(await status(['--source', 'lab'])).toMatchObject({ code: 2, out: '' });
    expect(await run()).toMatchObject({ code: 3, error: 'larder: there is no ImageSource science/lab\n' });
    server.store.put(IMAGE_SOURCES, source);
    expect(await run()).toMatchObject({ code: 3 });
    server.store.put(IMAGE_SOURCES, {
      ...source,
      status: { ...ready('InvalidSpec', 'True'), observedGeneration: 2 },
    });
    const { code, error } = await run();
    expect(code).toBe(3);
    expect(error).toContain('tags.cycle: too much');
    server.store.put(IMAGE_SOURCES, {
      ...source,
      status: { ...ready('Succeeded', 'False'), observedGeneration: 2 },
    });
    expect(await run()).toMatchObject({ code: 0 });
  });

  it('waits for a source that was applied a moment ago', async () => {
    const clock = new FakeClock();
    const run = status(['--wait', '--source', 'science/lab'], { clock });
    await clock.advanceUntil(() => server.requests.filter(({ path }) => path.includes('/nodes')).length > 2);
    const source = imageSource({ metadata: { name: 'lab', namespace: 'science' } });
    server.store.put(IMAGE_SOURCES, {
      ...source,
      status: { observedGeneration: source.metadata.generation },
    });
    let ended: CliRun | undefined;
    void run.then((result) => {
      ended = result;
    });
    await clock.advanceUntil(() => ended !== undefined);
    expect(ended).toMatchObject({ code: 0 });
  });

  it('is not content with an image that lies everywhere and may be used nowhere', async () => {
    const refused = {
      type: 'Prepulled',
      status: 'False' as const,
      reason: 'Unauthorized',
      message: 'no such user',
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    putImage('w-46', DIGEST_A, ['n1', 'n3'], { prepulled: false, conditions: [refused] });
    const { code, out, error } = await status(['--missing']);
    expect(code).toBe(3);
    expect(error).toContain('science/w-46 (2/2, Unauthorized)');
    expect(out).toMatch(/w-46 +w-46 +\* +Failed +Unauthorized +0 +no such user/);
  });

  it('waits for no image that no node is for, but not for ever for one that fits none', async () => {
    const image = prepulledImage({
      metadata: { name: 'gpu' },
      spec: { nodes: { nodeSelector: { gpu: 'yes' } } },
    });
    server.store.put(PREPULLED_IMAGES, image);
    expect((await status()).code).toBe(0);
    const found = {
      reference: 'r.io/a:b',
      registry: 'r.io',
      repository: 'a',
      digest: DIGEST_A,
      platforms: [{ os: 'linux', architecture: 's390x' }],
    };
    server.store.put(PREPULLED_IMAGES, {
      ...prepulledImage({ metadata: { name: 'arch' } }),
      status: { image: found },
    });
    putNode('n2');
    const { code, out } = await status(['--missing']);
    expect(code).toBe(3);
    expect(out).toContain('PlatformMismatch');
  });

  it('waits until everything is there', async () => {
    const clock = new FakeClock();
    putImage('w-47', DIGEST_B, ['n1']);
    const run = status(['--wait'], { clock });
    await clock.advanceUntil(() => server.requests.filter(({ path }) => path.includes('/nodes')).length > 2);
    putImage('w-47', DIGEST_B, ['n1', 'n3']);
    let ended: CliRun | undefined;
    void run.then((result) => {
      ended = result;
    });
    await clock.advanceUntil(() => ended !== undefined);
    expect(ended).toMatchObject({ code: 0 });
    expect(ended?.out).toContain('2/2');
  });

  it('waits no longer than it is told', async () => {
    const clock = new FakeClock();
    putImage('w-47', DIGEST_B, ['n1']);
    let ended: CliRun | undefined;
    void status(['--wait', '--timeout', '30s'], { clock }).then((result) => {
      ended = result;
    });
    await clock.advanceUntil(() => ended !== undefined, { stepMs: 1_000, limitMs: 60_000 });
    expect(ended?.code).toBe(3);
    expect(clock.monotonic()).toBeLessThan(45_000);
  });

  it('goes on waiting while the API server restarts', async () => {
    const clock = new FakeClock();
    putImage('w-47', DIGEST_B, ['n1']);
    let ended: CliRun | undefined;
    void status(['--wait'], { clock }).then((result) => {
      ended = result;
    });
    const looks = () => server.requests.filter(({ path }) => path.includes('/nodes')).length;
    await clock.advanceUntil(() => looks() > 1);
    const before = looks();
    const action = { kind: 'status', code: 503, reason: 'ServiceUnavailable', message: 'no' } as const;
    server.fail({ when: ({ plural }) => plural === 'nodes', times: 20, action });
    await clock.advanceUntil(() => looks() > before + 20);
    putImage('w-47', DIGEST_B, ['n1', 'n3']);
    await clock.advanceUntil(() => ended !== undefined);
    expect(ended).toMatchObject({ code: 0 });
  });

  it('shows changes, and only those, until it is interrupted', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const shown: string[] = [];
    putImage('w-47', DIGEST_B, ['n1']);
    const run = status(['--watch'], { clock, signal: stop.signal, onOut: (text) => shown.push(text) });
    await eventually(() => shown.length === 1);
    const looks = () => server.requests.filter(({ path }) => path.includes('/nodes')).length;
    await clock.advanceUntil(() => looks() > 3);
    expect(shown).toHaveLength(1);
    putImage('w-47', DIGEST_B, ['n1', 'n3']);
    await clock.advanceUntil(() => shown.length === 2);
    stop.abort();
    expect((await run).code).toBe(0);
  });

  it('says what the cluster refused, or that there is none', async () => {
    expect((await status(['--kubeconfig', '/nowhere'])).code).toBe(1);
    expect((await status(['--timeout', 'soon'])).code).toBe(2);
    const action = { kind: 'status', code: 403, reason: 'Forbidden', message: 'not \u001B[2Jyou' } as const;
    server.fail({ when: ({ plural }) => plural === 'nodes', action });
    const { code, error } = await status();
    expect(code).toBe(1);
    expect(error).toContain('not ?[2Jyou\n');
  });

  it('says whom it asked where nobody answers', async () => {
    server.fail({ when: ({ plural }) => plural === 'nodes', action: { kind: 'reset' }, times: 99 });
    const clock = new FakeClock();
    let ended: CliRun | undefined;
    void status([], { clock }).then((result) => {
      ended = result;
    });
    await clock.advanceUntil(() => ended !== undefined);
    expect(ended).toMatchObject({
      code: 1,
      error: expect.stringMatching(/, asking 127\.0\.0\.1:\d+\n$/) as string,
    });
  });
});
