/** The operator deployed as a user deploys it: image, kustomization and kubectl, on a cluster with one real node. */

import { appendFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { Cluster } from '../../hack/dev-cluster/cluster.ts';
import { type ImageRegistry, startImageRegistry } from '../../hack/dev-cluster/image-registry.ts';
import { ImageStore } from '../../hack/dev-cluster/operator-image.ts';
import { Forwarding } from '../../hack/dev-cluster/pod-gateway.ts';
import { type RealNode, startRealNode } from '../../hack/dev-cluster/real-node.ts';
import { writeAuditPolicy } from '../support/audit.ts';

const ROOT = resolve(import.meta.dirname, '../..');
export const IMAGE = 'localhost/larder:test';
/** One of the names in the self-signed certificate of the API server. */
const API_HOST = 'kubernetes.default.svc';

export interface Deployment {
  readonly cluster: Cluster;
  readonly node: RealNode;
  readonly registry: ImageRegistry;
  readonly images: ImageStore;
  /** The registry as pods, kubelet and image references name it. */
  readonly registryHost: string;
  /** Folder of a kustomization: config/default with the image of this checkout, and the way to the API server. */
  readonly overlay: string;
  readonly transcript: Transcript;
  stop(): Promise<void>;
}

/** Builds the image, starts the cluster and the node, and writes the overlay. Nothing is applied yet. */
export async function prepareDeployment(): Promise<Deployment> {
  const logFolder = join('reports', 'node-in-cluster');
  const cluster = await Cluster.start({
    logFolder,
    deployments: true,
    auditPolicy: await writeAuditPolicy(logFolder),
  });
  const registry = await startImageRegistry({ folder: cluster.folder });
  cluster.adopt(registry.daemon);
  const node = await startRealNode(cluster, { registry: registry.host, gateway: true });
  const api = await Forwarding.start(node.gateway, new URL(cluster.server).host);
  const door = await Forwarding.start(node.gateway, registry.host);
  await node.allowRegistry(door.host);
  const images = await ImageStore.create(await cluster.subfolder('images'));
  await images.build({ tag: IMAGE, buildArgs: { VERSION: '0.1.0-test', REVISION: 'checkout' } });
  await images.push(IMAGE, `${registry.host}/larder/larder:0.1.0`);
  const overlay = await writeOverlay(cluster, { api: api.host, registry: door.host, gateway: node.gateway });
  const transcript = new Transcript(cluster, logFolder);
  const stop = async (): Promise<void> => {
    await node.saveLogs(logFolder);
    await node.stop();
    for (const forwarding of [api, door]) await forwarding.stop();
    await cluster.stop({ keepLogs: true });
  };
  return { cluster, node, registry, images, registryHost: door.host, overlay, transcript, stop };
}

interface Addresses {
  readonly api: string;
  readonly registry: string;
  readonly gateway: string;
}

/** There is no service network and no DNS here: the pods are told where the API server is. Nothing else differs. */
async function writeOverlay(cluster: Cluster, { api, registry, gateway }: Addresses): Promise<string> {
  const folder = await cluster.subfolder('overlay');
  const container = '/spec/template/spec/containers/0';
  const patch = [
    { op: 'add', path: '/spec/template/spec/hostAliases', value: [{ ip: gateway, hostnames: [API_HOST] }] },
    { op: 'add', path: `${container}/env/-`, value: { name: 'KUBERNETES_SERVICE_HOST', value: API_HOST } },
    {
      op: 'add',
      path: `${container}/env/-`,
      value: { name: 'KUBERNETES_SERVICE_PORT', value: api.split(':')[1] },
    },
  ];
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [relative(folder, join(ROOT, 'config', 'default'))],
    images: [{ name: 'ghcr.io/larder-dev/larder', newName: `${registry}/larder/larder` }],
    patches: [{ target: { kind: 'Deployment', name: 'larder' }, patch: JSON.stringify(patch) }],
  };
  await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization, undefined, 2));
  return folder;
}

/** Commands and what they printed, as a person would see it; README.md shows it. */
export class Transcript {
  readonly #cluster: Cluster;
  readonly #file: string;

  constructor(cluster: Cluster, folder: string) {
    this.#cluster = cluster;
    this.#file = join(folder, 'transcript.txt');
  }

  /** Runs kubectl and writes it down; `shown` stands for arguments that are folders of this test. */
  async kubectl(args: readonly string[], shown: readonly string[] = args): Promise<string> {
    const { stdout } = await this.#cluster.kubectl(args);
    await appendFile(this.#file, `$ kubectl ${shown.join(' ')}\n${stdout}\n`);
    return stdout;
  }

  async clear(): Promise<void> {
    await writeFile(this.#file, '');
  }
}
