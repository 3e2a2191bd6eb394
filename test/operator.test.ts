import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ImageSource } from '../src/api/image-source.ts';
import type { PrepulledImage } from '../src/api/prepulled-image.ts';
import { pullKeys } from '../src/controllers/node-stocker/pull-pod.ts';
import { projectPullPod } from '../src/controllers/node-stocker/pull-pod-projection.ts';
import { createOperator, type LarderOperator } from '../src/operator.ts';
import { type OperatorOptions, readOptions } from '../src/options.ts';
import { IMAGE_SOURCES, PODS, PREPULLED_IMAGES } from './controllers/fixtures.ts';
import { imageSource } from './support/builders.ts';
import { FakeApiServer } from './support/fake-api-server.ts';
import { eventually } from './support/fake-clock.ts';
import { FakeRegistry } from './support/fake-registry.ts';
import { type KubeconfigFile, kubeconfigFile } from './support/operator-options.ts';

const NODES = { group: '', version: 'v1', plural: 'nodes' };
const LEASES = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };
const LIMIT_MS = 15_000;

let server: FakeApiServer;
let registry: FakeRegistry;
let kubeconfig: KubeconfigFile;
let operators: LarderOperator[];

beforeEach(async () => {
  server = await FakeApiServer.start();
  registry = await FakeRegistry.start();
  kubeconfig = await kubeconfigFile(server);
  operators = [];
});

afterEach(async () => {
  await Promise.all(operators.map((operator) => stop(operator)));
  await kubeconfig[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await server.close();
});

function options(identity: string): OperatorOptions {
  const quiet = { 'health-host': '127.0.0.1', 'health-port': '0', 'http-port': 'off', 'log-level': 'error' };
  const flags = { ...quiet, namespace: 'stock' };
  const read = readOptions({ ...flags, identity, kubeconfig: kubeconfig.path }, {});
  if (!read.ok) throw new Error(read.error.join('\n'));
  return read.value;
}

async function start(identity = 'one'): Promise<LarderOperator> {
  const operator = createOperator(options(identity));
  operators.push(operator);
  await operator.start();
  return operator;
}

async function stop(operator: LarderOperator): Promise<void> {
  operator.stop();
  await operator.finished;
  operators = operators.filter((other) => other !== operator);
}

function putNode(name: string): void {
  server.store.put(NODES, {
    metadata: { name, creationTimestamp: '2025-12-01T00:00:00Z' },
    spec: {},
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      nodeInfo: { operatingSystem: 'linux', architecture: 'amd64' },
    },
  });
}

/** Two weeklies to prepull. */
function putSource(): void {
  for (const tag of ['w_2026_46', 'w_2026_47']) registry.putImage('sciplat/lab', tag);
  const spec = {
    image: `${registry.host}/sciplat/lab`,
    access: { plainHTTP: true },
    tags: { grammar: 'RSP' as const },
    prepull: {},
  };
  server.store.put(IMAGE_SOURCES, imageSource({ spec }));
}

/** What a kubelet does: every container has pulled its image and has run. */
function playKubelets(): void {
  for (const stored of server.store.list(PODS)) {
    const containers = [...pullKeys(projectPullPod(stored)).keys()];
    const time = new Date().toISOString();
    const containerStatuses = containers.map((name) => ({
      name,
      imageID: 'x',
      state: { terminated: { finishedAt: time } },
    }));
    if (stored['status'] === undefined)
      server.store.put(PODS, { ...stored, status: { startTime: time, containerStatuses } });
  }
}

function source(): ImageSource {
  return server.store.get(IMAGE_SOURCES, 'default/lab') as unknown as ImageSource;
}

function images(): readonly PrepulledImage[] {
  return server.store.list(PREPULLED_IMAGES) as unknown as readonly PrepulledImage[];
}

function isStocked(nodes: number): boolean {
  playKubelets();
  return (
    images().length === 2 &&
    images().every(({ status }) => status?.ready === `${String(nodes)}/${String(nodes)}`)
  );
}

describe('the operator', () => {
  it('brings a repository to the nodes, and says so in both kinds', async () => {
    for (const name of ['n1', 'n2', 'n3']) putNode(name);
    putSource();
    const operator = await start();
    await eventually(() => isStocked(3), LIMIT_MS);
    await eventually(() => source().status?.counts?.prepulled === 2, LIMIT_MS);
    expect(operator.isReady && operator.isHealthy).toBe(true);
    const pods = server.store.list(PODS).map((pod) => (pod['spec'] as { nodeName: string }).nodeName);
    expect(pods.sort()).toEqual(['n1', 'n2', 'n3']);
    expect(source().status?.images).toMatchObject([{ prepulled: true }, { prepulled: true }]);
  });

  it('stocks a node that joins later, and one whose pod was made before a restart is not pulled to again', async () => {
    putNode('n1');
    putSource();
    const first = await start();
    await eventually(() => isStocked(1), LIMIT_MS);
    await stop(first);
    putNode('n2');
    await start('two');
    await eventually(() => isStocked(2), LIMIT_MS);
    expect(server.count('create', 'pods')).toBe(2);
  });

  it('leaves the work to one replica, and the other takes over when that stops', async () => {
    const first = await start();
    await eventually(() => first.phase === 'leading', LIMIT_MS);
    const second = await start('two');
    await eventually(() => second.phase === 'standby', LIMIT_MS);
    expect(second.isReady).toBe(true);
    await stop(first);
    await eventually(() => second.phase === 'leading', LIMIT_MS);
    expect(server.store.get(LEASES, 'stock/larder')).toMatchObject({ spec: { holderIdentity: 'two' } });
  });

  it('leaves no connection behind', async () => {
    putSource();
    const operator = await start();
    await eventually(() => operator.phase === 'leading', LIMIT_MS);
    await stop(operator);
    await eventually(() => server.openConnections === 0, LIMIT_MS);
    expect(operator.phase).toBe('stopped');
  });
});
