import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHILD_INDEXES } from '../../src/controllers/image-source/child-identity.ts';
import { imageSourceType, prepulledImageType } from '../../src/controllers/kinds.ts';
import { nodeType, projectNode } from '../../src/controllers/node.ts';
import { Informer } from '../../src/kube/informer.ts';
import type { Transport } from '../../src/kube/transport.ts';
import type { Caches } from '../../src/operator/caches.ts';
import { createClusterReader } from '../../src/operator/cluster-reader.ts';
import type { ClusterReader } from '../../src/server/cluster.ts';
import { IMAGE_SOURCES, PREPULLED_IMAGES } from '../controllers/fixtures.ts';
import { imageSource, prepulledImage } from '../support/builders.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { eventually, FakeClock } from '../support/fake-clock.ts';

const NODES = { group: '', version: 'v1', plural: 'nodes' };

let server: FakeApiServer;
let transport: Transport;
let stop: AbortController;
let running: Promise<unknown>;
let reader: ClusterReader;

beforeEach(async () => {
  server = await FakeApiServer.start();
  const clock = new FakeClock();
  const connected = server.connect(clock);
  transport = connected.transport;
  const { client } = connected;
  const sources = new Informer({ client, clock, type: imageSourceType });
  const images = new Informer({ client, clock, type: prepulledImageType, indexes: CHILD_INDEXES });
  const nodes = new Informer({ client, clock, type: nodeType, project: projectNode });
  reader = createClusterReader({ sources, images, nodes } as unknown as Caches);
  for (const name of ['n2', 'n1', 'n3']) putNode(name);
  for (const name of ['lab', 'hub']) server.store.put(IMAGE_SOURCES, imageSource({ metadata: { name } }));
  stop = new AbortController();
  running = Promise.all([sources, images, nodes].map((informer) => informer.run(stop.signal)));
  await Promise.all([sources, images, nodes].map((informer) => informer.whenSynced(stop.signal)));
});

afterEach(async () => {
  stop.abort();
  await running;
  await transport.close();
  await server.close();
});

function putNode(name: string, fields: Readonly<Record<string, unknown>> = {}): void {
  server.store.put(NODES, { metadata: { name }, spec: {}, status: {}, ...fields });
}

describe('the cluster as the server reads it', () => {
  it('is in the order of names', () => {
    expect(reader.nodes().map(({ name }) => name)).toEqual(['n1', 'n2', 'n3']);
    expect(reader.sources().map(({ metadata }) => metadata.name)).toEqual(['hub', 'lab']);
    expect(reader.source('default', 'lab')?.metadata.name).toBe('lab');
    expect(reader.source('other', 'lab')).toBeUndefined();
  });

  it('is the same while nothing changes, and not moved by heartbeats', async () => {
    const before = reader.nodes();
    const { nodes: revision } = reader.revisions;
    putNode('n1', {
      status: {
        conditions: [{ type: 'MemoryPressure', status: 'False', lastHeartbeatTime: '2026-01-01T00:00:00Z' }],
      },
    });
    putNode('n9');
    await eventually(() => reader.nodes().length === 4);
    // One step for the new node, none for the heartbeat.
    expect(reader.revisions.nodes).toBe(revision + 1);
    expect(reader.nodes()).not.toBe(before);
    expect(reader.nodes()).toBe(reader.nodes());
  });

  it('knows the children of a source by its uid', async () => {
    const owner = { apiVersion: 'larder.dev/v1alpha1', kind: 'ImageSource', name: 'lab', controller: true };
    const child = (name: string, uid: string) =>
      prepulledImage({ metadata: { name, ownerReferences: [{ ...owner, uid }] } });
    server.store.put(PREPULLED_IMAGES, child('ours', 'uid-of-lab'));
    server.store.put(PREPULLED_IMAGES, child('of-another-lab', 'uid-of-the-lab-before'));
    await eventually(() => reader.images().length === 2);
    const lab = reader.source('default', 'lab');
    expect(lab && reader.childrenOf(lab).map(({ metadata }) => metadata.name)).toEqual(['ours']);
    expect(reader.image('default', 'ours')?.metadata.name).toBe('ours');
  });
});
