/** A real node on this machine: containerd and kubelet as root, beside a development cluster. */

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findBinaries, type Progress } from './binaries.ts';
import type { Cluster } from './cluster.ts';
import { freePorts } from './daemon.ts';
import { ImageWriter } from './image-writer.ts';
import { addGateway, podSubnet } from './pod-gateway.ts';
import {
  allowPlainHttp,
  containerdSocket,
  type KubeletPorts,
  type KubeletSettings,
  writeContainerdConfig,
  writeKubeletConfig,
} from './real-node-config.ts';
import { busyboxImage } from './real-node-images.ts';
import { type NamespaceDaemon, NodeNamespace } from './real-node-namespace.ts';

const run = promisify(execFile);

const CONTAINERD_LIMIT_MS = 20_000;
const NODE_READY_LIMIT = '60s';
const SANDBOX_REPOSITORY = 'larder/sandbox';
const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin'];

export interface RealNodeOptions {
  /** Registry on plain HTTP (`host:port`, anonymous) that gets the sandbox image. */
  readonly registry: string;
  /** Default `real-1`. */
  readonly name?: string;
  /** Fields of the KubeletConfiguration that differ from ours. */
  readonly kubelet?: KubeletSettings;
  /** Pods reach ports on `RealNode.gateway`; default false: they reach nothing. */
  readonly gateway?: boolean;
  readonly progress?: Progress;
}

/** Why no real node can run here; undefined if one can. */
export function whyNoRealNode(): string | undefined {
  if (process.platform !== 'linux') return `a real node needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'a real node needs root (containerd and kubelet)';
  return undefined;
}

/** An image as the container runtime knows it. */
export interface StoredImage {
  readonly name: string;
  readonly digest: string;
}

interface Parts {
  readonly cluster: Cluster;
  readonly name: string;
  readonly folder: string;
  readonly namespace: NodeNamespace;
  readonly kubeletPath: string;
  readonly ports: KubeletPorts;
  readonly gateway: string;
}

export class RealNode {
  readonly name: string;
  /** Address of this machine in the network of the pods, if the node was started with one. */
  readonly gateway: string;
  /** Path of containerd's socket, which `ctr` takes. */
  readonly containerdSocket: string;
  readonly #parts: Parts;
  #containerd: NamespaceDaemon | undefined;
  #kubelet: NamespaceDaemon | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.name = parts.name;
    this.gateway = parts.gateway;
    this.containerdSocket = containerdSocket(parts.folder);
  }

  /** Starts containerd, or starts it again, and returns once it answers. */
  async startContainerd(): Promise<void> {
    const { folder, namespace } = this.#parts;
    const config = join(folder, 'containerd.toml');
    const daemon = await namespace.start('containerd', 'containerd', ['--config', config]);
    this.#containerd = daemon;
    await daemon.waitUntil(async () => (await this.ctr(['plugins', 'ls'])) !== '', CONTAINERD_LIMIT_MS);
  }

  /** kill -9; containers and their shims live on, as in reality. */
  async killContainerd(): Promise<void> {
    this.#containerd?.signal('SIGKILL');
    await this.#containerd?.exited();
  }

  /** Starts the kubelet, or starts it again; returns before the node is Ready. */
  async startKubelet(): Promise<void> {
    const { folder, namespace, kubeletPath } = this.#parts;
    this.#kubelet = await namespace.start('kubelet', kubeletPath, [
      `--config=${join(folder, 'kubelet.json')}`,
      `--kubeconfig=${join(folder, 'kubelet.kubeconfig')}`,
      `--root-dir=${join(folder, 'kubelet')}`,
      `--cert-dir=${join(folder, 'kubelet-certificates')}`,
      `--hostname-override=${this.name}`,
    ]);
  }

  async killKubelet(): Promise<void> {
    this.#kubelet?.signal('SIGKILL');
    await this.#kubelet?.exited();
  }

  /** Replaces the settings given at the start; the kubelet reads them when it starts again. */
  async configureKubelet(settings: KubeletSettings): Promise<void> {
    await writeKubeletConfig(this.#parts.folder, this.#parts.ports, settings);
  }

  /** Waits until the API server shows the node as Ready. */
  async ready(): Promise<void> {
    const { cluster } = this.#parts;
    const args = ['wait', '--for=condition=Ready', `--timeout=${NODE_READY_LIMIT}`, `node/${this.name}`];
    await this.#kubelet?.waitUntil(async () => (await cluster.kubectl(args)).stderr === '', 70_000);
  }

  /** containerd's own client in the namespace that the kubelet uses; returns what it prints. */
  async ctr(args: readonly string[]): Promise<string> {
    const address = ['--address', this.containerdSocket, '--namespace', 'k8s.io'];
    return (await run('ctr', [...address, ...args])).stdout;
  }

  /** Every name in containerd's image store, tags and digests alike. */
  async images(): Promise<readonly StoredImage[]> {
    const lines = (await this.ctr(['images', 'ls'])).split('\n').slice(1);
    return lines
      .map((line) => line.split(/\s+/))
      .filter(([name = '']) => name !== '')
      .map(([name = '', , digest = '']) => ({ name, digest }));
  }

  /** Removes the image with all of its names behind the kubelet's back, content included. */
  async removeImage(digest: string): Promise<void> {
    const names = (await this.images()).filter((image) => image.digest === digest).map(({ name }) => name);
    await this.ctr(['images', 'rm', '--sync', ...names]);
  }

  /** Lets the node pull from one more registry on plain HTTP. */
  async allowRegistry(host: string): Promise<void> {
    await allowPlainHttp(this.#parts.folder, host);
  }

  /** Copies the logs of containerd and kubelet into a folder. */
  async saveLogs(target: string): Promise<void> {
    await mkdir(target, { recursive: true });
    for (const log of ['containerd.log', 'kubelet.log', 'namespace.log']) {
      await copyFile(join(this.#parts.folder, log), join(target, `${this.name}-${log}`));
    }
  }

  /** Ends everything at once. The Node object stays, as after a power cut. */
  async stop(): Promise<void> {
    await this.#parts.namespace.end();
  }
}

/**
 * Starts a node and returns once it is Ready. Stop it before its cluster.
 * @throws Error with the log of what did not start; nothing stays behind
 */
export async function startRealNode(cluster: Cluster, options: RealNodeOptions): Promise<RealNode> {
  const { registry, name = 'real-1', kubelet = {}, progress = () => undefined } = options;
  const refusal = whyNoRealNode();
  if (refusal !== undefined) throw new Error(refusal);
  const found = await findBinaries(['kubelet'], progress);
  const folder = await cluster.subfolder(`node-${name}`);
  const id = randomBytes(4).toString('hex');
  const bridge = `larder-${id}`;
  const subnet = podSubnet(Number.parseInt(id, 16));
  const sandboxImage = await pushSandboxImage(registry);
  await writeContainerdConfig({
    folder,
    bridge,
    sandboxImage,
    subnet: subnet.cidr,
    cniPlugins: await cniPlugins(),
  });
  await allowPlainHttp(folder, registry);
  await writeNodeKubeconfig(cluster, folder, name);
  const [port = 0, healthzPort = 0] = await freePorts(2);
  const ports = { port, healthzPort };
  await writeKubeletConfig(folder, ports, kubelet);
  const namespace = await NodeNamespace.create({ folder, name: bridge });
  const kubeletPath = found.get('kubelet') ?? 'kubelet';
  const { gateway } = subnet;
  const node = new RealNode({ cluster, name, folder, namespace, kubeletPath, ports, gateway });
  try {
    if (options.gateway === true) await addGateway(bridge, subnet);
    await node.startContainerd();
    await node.startKubelet();
    await node.ready();
  } catch (error) {
    await node.saveLogs(join('reports', 'real-node-logs'));
    await node.stop();
    throw error;
  }
  return node;
}

async function pushSandboxImage(registry: string): Promise<string> {
  const writer = new ImageWriter(registry, SANDBOX_REPOSITORY);
  await writer.push(await busyboxImage({ entrypoint: ['/bin/sleep', '2147483647'] }), ['1']);
  return `${registry}/${SANDBOX_REPOSITORY}:1`;
}

async function cniPlugins(): Promise<string> {
  for (const folder of CNI_FOLDERS) {
    const found = await access(join(folder, 'bridge')).then(
      () => true,
      () => false,
    );
    if (found) return folder;
  }
  throw new Error(`no CNI plugin "bridge" in ${CNI_FOLDERS.join(' or ')}`);
}

/** The kubelet acts as the node it is: the administrator's token, and the Node authorizer by impersonation. */
async function writeNodeKubeconfig(cluster: Cluster, folder: string, name: string): Promise<void> {
  const config = JSON.parse(await readFile(cluster.kubeconfigFile, 'utf8')) as {
    users: { user: Record<string, unknown> }[];
  };
  for (const { user } of config.users) {
    user['as'] = `system:node:${name}`;
    user['as-groups'] = ['system:nodes', 'system:authenticated'];
  }
  await writeFile(join(folder, 'kubelet.kubeconfig'), JSON.stringify(config), { mode: 0o600 });
}
