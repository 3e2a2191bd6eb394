/** What wakes the controller of records: a whole operator beside a fake API server, and nobody asks it for anything. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DockerImageRecord } from '../../src/api/docker-image-record.ts';
import { createOperator, type LarderOperator } from '../../src/operator.ts';
import { readOptions } from '../../src/options.ts';
import {
  CONFIG_MAPS,
  RECORDS,
  type SpecOverrides,
  shippedCatalogue,
} from '../controllers/docker-image-record/record-world.ts';
import { PREPULLED_IMAGES } from '../controllers/fixtures.ts';
import { dockerImageRecord, prepulledImage } from '../support/builders.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { eventually } from '../support/fake-clock.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { type KubeconfigFile, kubeconfigFile } from '../support/operator-options.ts';

const NODES = { group: '', version: 'v1', plural: 'nodes' };
const LIMIT_MS = 15_000;
const BORN = '2026-01-01T00:00:00Z';

let server: FakeApiServer;
let registry: FakeRegistry;
let kubeconfig: KubeconfigFile;
let operator: LarderOperator;

beforeEach(async () => {
  server = await FakeApiServer.start();
  registry = await FakeRegistry.start();
  registry.putImage('ml/yolo', '1');
  kubeconfig = await kubeconfigFile(server);
  publish(shippedCatalogue());
  const quiet = { 'health-host': '127.0.0.1', 'health-port': '0', 'http-port': 'off', 'log-level': 'error' };
  const read = readOptions({ ...quiet, identity: 'one', kubeconfig: kubeconfig.path }, {});
  if (!read.ok) throw new Error(read.error.join('\n'));
  operator = createOperator(read.value);
  await operator.start();
});

afterEach(async () => {
  operator.stop();
  await operator.finished;
  await kubeconfig[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await server.close();
});

function publish(data: Readonly<Record<string, string>>): void {
  server.store.put(CONFIG_MAPS, { metadata: { namespace: 'larder-system', name: 'larder-catalogue' }, data });
}

function put(name: string, spec: SpecOverrides = {}, creationTimestamp = BORN): void {
  const image = `${registry.host}/ml/yolo:1`;
  const record = dockerImageRecord({
    metadata: { name, creationTimestamp },
    spec: { name, image, access: { plainHTTP: true }, ...spec },
  });
  server.store.put(RECORDS, record);
}

function find(name: string): DockerImageRecord | undefined {
  return server.store.find(RECORDS, `default/${name}`) as unknown as DockerImageRecord | undefined;
}

function refer(name: string, creationTimestamp = BORN): void {
  const spec = {
    image: `${registry.host}/ml/yolo:1`,
    access: { plainHTTP: true },
    recordRef: { name: 'yolo' },
  };
  server.store.put(PREPULLED_IMAGES, prepulledImage({ metadata: { name, creationTimestamp }, spec }));
}

/** `status/reason` of one condition. */
function condition(object: object | undefined, type: string): string | undefined {
  const { status = {} } = (object ?? {}) as Pick<DockerImageRecord, 'status'>;
  const found = status.conditions?.find((each) => each.type === type);
  return found && `${found.status}/${found.reason}`;
}

async function until(name: string, type: string, words: string): Promise<void> {
  await eventually(() => condition(find(name), type) === words, LIMIT_MS);
}

describe('a record is looked at', () => {
  it('when it comes, and goes when it may', async () => {
    put('yolo', { prepull: {} });
    await until('yolo', 'Ready', 'True/Succeeded');
    await eventually(() => find('yolo')?.metadata.labels?.['larder.dev/pk'] === '1', LIMIT_MS);
    expect(server.store.list(PREPULLED_IMAGES)).toHaveLength(1);
    server.store.delete(RECORDS, 'default/yolo');
    await eventually(() => find('yolo') === undefined, LIMIT_MS);
  });

  it('when the older one of its name has gone', async () => {
    put('older', { name: 'same' });
    put('yolo', { name: 'same' }, '2026-01-01T00:00:09Z');
    await until('yolo', 'Accepted', 'False/DuplicateNameVersion');
    await until('older', 'Ready', 'True/Succeeded');
    server.store.delete(RECORDS, 'default/older');
    await until('yolo', 'Ready', 'True/Succeeded');
  });

  it('when what refers to it comes and goes', async () => {
    put('yolo');
    await until('yolo', 'InUse', 'False/NoReferences');
    refer('holder');
    await until('yolo', 'InUse', 'True/Referenced');
    server.store.delete(RECORDS, 'default/yolo');
    await until('yolo', 'DeletionBlocked', 'True/Referenced');
    server.store.delete(PREPULLED_IMAGES, 'default/holder');
    await eventually(() => find('yolo') === undefined, LIMIT_MS);
  });

  it('when the catalogue changes', async () => {
    put('yolo');
    await until('yolo', 'Resolved', 'True/CatalogueComplete');
    const data = shippedCatalogue();
    publish({ ...data, 'domains.yaml': '- {pk: 1, name: "ic", description: Image Classification}' });
    await until('yolo', 'Resolved', 'False/UnknownDomain');
    publish(data);
    await until('yolo', 'Ready', 'True/Succeeded');
  });

  it('when a node gets the hardware', async () => {
    const metadata = { name: 'gpu', creationTimestamp: BORN };
    const status = { nodeInfo: { operatingSystem: 'linux', architecture: 'amd64' } };
    server.store.put(NODES, { metadata, spec: {}, status });
    put('yolo');
    await until('yolo', 'Schedulable', 'False/NoEligibleNodes');
    const labels = {
      'nvidia.com/cuda.runtime.major': '12',
      'nvidia.com/cuda.driver.major': '530',
      'nvidia.com/gpu.compute.major': '8',
    };
    server.store.put(NODES, { metadata: { ...metadata, labels }, spec: {}, status });
    await until('yolo', 'Schedulable', 'True/NodesEligible');
  });
});

describe('a PrepulledImage that names a record is looked at', () => {
  it('when that record comes', async () => {
    refer('early');
    const early = () => server.store.find(PREPULLED_IMAGES, 'default/early');
    await eventually(() => condition(early(), 'Ready') === 'False/RecordNotFound', LIMIT_MS);
    put('yolo');
    await eventually(() => condition(early(), 'Ready') === 'True/NoEligibleNodes', LIMIT_MS);
  });

  it('when that record is to go: made later, it is refused', async () => {
    put('yolo');
    refer('holder');
    await until('yolo', 'InUse', 'True/Referenced');
    server.store.delete(RECORDS, 'default/yolo');
    await until('yolo', 'DeletionBlocked', 'True/Referenced');
    refer('late', '2026-01-01T00:00:02Z');
    const late = () => server.store.find(PREPULLED_IMAGES, 'default/late');
    await eventually(() => condition(late(), 'Ready') === 'False/RecordDeleting', LIMIT_MS);
    server.store.delete(PREPULLED_IMAGES, 'default/holder');
    await eventually(() => find('yolo') === undefined, LIMIT_MS);
    await eventually(() => condition(late(), 'Ready') === 'False/RecordNotFound', LIMIT_MS);
  });
});
