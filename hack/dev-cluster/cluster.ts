/** A real control plane on loopback: etcd, API server, controller manager, and KWOK for the nodes. */

import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findBinaries, type Progress } from './binaries.ts';
import { apiServerArgs, controllerManagerArgs, etcdArgs, schedulerArgs } from './control-plane.ts';
import { Daemon, freePorts, watchOwner } from './daemon.ts';
import { kubeconfig } from './kubeconfig.ts';
import { nodeList, type SimulatedNode } from './simulated-node.ts';
import { type BinaryName, deploymentBinaryNames } from './versions.ts';

const run = promisify(execFile);

const READY_LIMIT_MS = 120_000;
const OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024;

const CLUSTER_BINARIES: readonly BinaryName[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kubectl',
  'kwok',
];

/** Identities the API server knows by a static token; operators get theirs from a ServiceAccount. */
const IDENTITIES = {
  admin: 'system:masters',
  'system:kube-controller-manager': '',
  'system:kube-scheduler': '',
  kwok: 'system:masters',
} as const;

export interface ClusterOptions {
  readonly progress?: Progress;
  /** Folder of the cluster's state; default: a new temporary one, removed at the end. */
  readonly folder?: string;
  /** Simulated seconds a pull takes; default 1. */
  readonly pullSeconds?: number;
  /** Deployments work: their controllers, the scheduler, and the certificate of the API server in every namespace. */
  readonly deployments?: boolean;
  /** Path of an audit policy; the requests it names are in `audit.log` of the folder. */
  readonly auditPolicy?: string;
  /** The cluster outlives this process; default false. */
  readonly detached?: boolean;
  /** Where `stop` puts the logs if asked to keep them. */
  readonly logFolder?: string;
}

export interface KubectlResult {
  readonly stdout: string;
  readonly stderr: string;
}

export class Cluster {
  readonly folder: string;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfigFile: string;
  readonly server: string;
  readonly #daemons: Daemon[] = [];
  readonly #options: ClusterOptions;
  readonly #binaries: ReadonlyMap<BinaryName, string>;
  #dismissWatch: () => void = () => undefined;

  private constructor(
    options: ClusterOptions,
    folder: string,
    binaries: ReadonlyMap<BinaryName, string>,
    port: number,
  ) {
    this.#options = options;
    this.#binaries = binaries;
    this.folder = folder;
    this.server = `https://127.0.0.1:${port}`;
    this.kubeconfigFile = join(folder, 'admin.kubeconfig');
  }

  /** Starts everything and returns once the API server is ready. What is half started is taken down on failure. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const binaries = await findBinaries(binariesFor(options), options.progress ?? (() => undefined));
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'larder-cluster-')));
    await mkdir(folder, { recursive: true });
    const [apiPort = 0, etcdPort = 0, peerPort = 0, managerPort = 0] = await freePorts(4);
    const cluster = new Cluster(options, folder, binaries, apiPort);
    if (options.detached !== true) cluster.#dismissWatch = watchOwner(folder);
    try {
      await cluster.#writeCredentials();
      const etcd = cluster.#startEtcd(etcdPort, peerPort);
      await cluster.#startApiServer(apiPort, etcd);
      await cluster.#startControllerManager(managerPort);
      await cluster.#startScheduler();
      await cluster.#startKwok();
    } catch (error) {
      await cluster.stop({ keepLogs: true });
      throw error;
    }
    return cluster;
  }

  /** The daemon of that name; tests stop, freeze and kill daemons through it. */
  daemon(name: string): Daemon {
    const daemon = this.#daemons.find((candidate) => candidate.name === name);
    if (daemon === undefined) throw new Error(`no daemon ${name} in this cluster`);
    return daemon;
  }

  /** Adds a process that belongs to the cluster and is stopped before it. */
  adopt(daemon: Daemon): void {
    this.#daemons.push(daemon);
  }

  /**
   * Runs kubectl as administrator.
   * @throws Error with kubectl's own words if it fails.
   */
  async kubectl(args: readonly string[], input?: string): Promise<KubectlResult> {
    return this.kubectlAs(this.kubeconfigFile, args, input);
  }

  async kubectlAs(kubeconfigFile: string, args: readonly string[], input?: string): Promise<KubectlResult> {
    const child = run(this.#path('kubectl'), ['--kubeconfig', kubeconfigFile, ...args], {
      maxBuffer: OUTPUT_LIMIT_BYTES,
      env: { ...process.env, KUBECACHEDIR: join(this.folder, 'kubectl-cache') },
    });
    // kubectl may end before it has read its input; its own error says more than EPIPE.
    child.child.stdin?.on('error', () => undefined);
    child.child.stdin?.end(input ?? '');
    return child;
  }

  /** The object, parsed. */
  async getJson<T>(args: readonly string[]): Promise<T> {
    const { stdout } = await this.kubectl(['get', ...args, '-o', 'json']);
    return JSON.parse(stdout) as T;
  }

  /** Creates simulated nodes and waits until KWOK has made them Ready. */
  async addNodes(nodes: readonly SimulatedNode[]): Promise<void> {
    await this.kubectl(['create', '-f', '-'], nodeList(nodes));
    const names = nodes.map((node) => `node/${node.name}`);
    await this.kubectl(['wait', '--for=condition=Ready', `--timeout=${READY_LIMIT_MS / 1000}s`, ...names]);
  }

  /** Writes a kubeconfig that carries a fresh token of the ServiceAccount, valid for a day; returns its path. */
  async serviceAccountKubeconfig(namespace: string, name: string): Promise<string> {
    const { stdout } = await this.kubectl(['create', 'token', name, '-n', namespace, '--duration=24h']);
    const file = join(this.folder, `${namespace}-${name}.kubeconfig`);
    await this.#writeKubeconfig(file, stdout.trim());
    return file;
  }

  /** A new folder inside the cluster's, which goes with it. */
  async subfolder(name: string): Promise<string> {
    const folder = join(this.folder, name);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** Stops every process, last started first, and removes the folder. */
  async stop(options: { readonly keepLogs?: boolean } = {}): Promise<void> {
    for (const daemon of this.#daemons.reverse()) await daemon.stop();
    this.#dismissWatch();
    if (options.keepLogs === true) await this.#saveLogs();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Leaves the cluster running after this process; `stopFolder` ends it later. */
  release(): void {
    for (const daemon of this.#daemons) daemon.release();
  }

  async #writeCredentials(): Promise<void> {
    const keys = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
    await writeFile(join(this.folder, 'sa.key'), keys.privateKey, { mode: 0o600 });
    await writeFile(join(this.folder, 'sa.pub'), keys.publicKey);
    const lines: string[] = [];
    for (const [user, group] of Object.entries(IDENTITIES)) {
      const token = randomBytes(16).toString('hex');
      lines.push(`${token},${user},${user},"${group}"`);
      await writeFile(join(this.folder, `${user.replace('system:', '')}.token`), token, { mode: 0o600 });
    }
    await writeFile(join(this.folder, 'tokens.csv'), `${lines.join('\n')}\n`, { mode: 0o600 });
  }

  #startEtcd(port: number, peerPort: number): string {
    const url = `http://127.0.0.1:${port}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    this.#startDaemon('etcd', etcdArgs(this.folder, url, peer));
    return url;
  }

  async #startApiServer(port: number, etcd: string): Promise<void> {
    const { folder } = this;
    const { auditPolicy } = this.#options;
    const daemon = this.#startDaemon('kube-apiserver', apiServerArgs({ folder, port, etcd, auditPolicy }));
    const certificate = join(this.folder, 'certs', 'apiserver.crt');
    await daemon.waitUntil(async () => (await readFile(certificate)).length > 0, READY_LIMIT_MS);
    await this.#writeKubeconfig(this.kubeconfigFile, await this.#token('admin'));
    const ca = await readFile(certificate);
    await daemon.waitUntil(() => isOk(`${this.server}/readyz`, ca), READY_LIMIT_MS);
  }

  async #startControllerManager(port: number): Promise<void> {
    const kubeconfig = join(this.folder, 'controller-manager.kubeconfig');
    await this.#writeKubeconfig(kubeconfig, await this.#token('kube-controller-manager'));
    const deployments = this.#options.deployments === true;
    const args = controllerManagerArgs({ folder: this.folder, port, kubeconfig, deployments });
    this.#startDaemon('kube-controller-manager', args);
  }

  async #startScheduler(): Promise<void> {
    if (this.#options.deployments !== true) return;
    const [port = 0] = await freePorts(1);
    const config = join(this.folder, 'scheduler.kubeconfig');
    await this.#writeKubeconfig(config, await this.#token('kube-scheduler'));
    this.#startDaemon('kube-scheduler', schedulerArgs(this.folder, port, config));
  }

  async #startKwok(): Promise<void> {
    const config = join(this.folder, 'kwok.kubeconfig');
    await this.#writeKubeconfig(config, await this.#token('kwok'));
    const stages = await readFile(join(import.meta.dirname, 'kwok', 'stages.yaml'), 'utf8');
    const stageFile = join(this.folder, 'kwok.yaml');
    await writeFile(stageFile, stages.replaceAll('@PULL_SECONDS@', String(this.#options.pullSeconds ?? 1)));
    this.#startDaemon('kwok', [`--kubeconfig=${config}`, `--config=${stageFile}`, '-v', 'WARN']);
  }

  #startDaemon(name: BinaryName, args: readonly string[]): Daemon {
    const daemon = Daemon.start({ name, command: this.#path(name), args, folder: this.folder });
    this.#daemons.push(daemon);
    return daemon;
  }

  #path(name: BinaryName): string {
    const path = this.#binaries.get(name);
    if (path === undefined) throw new Error(`binary ${name} was not prepared`);
    return path;
  }

  async #token(identity: string): Promise<string> {
    return readFile(join(this.folder, `${identity}.token`), 'utf8');
  }

  /** The API server's certificate file ends with the authority that signed it. */
  async #writeKubeconfig(file: string, token: string): Promise<void> {
    const authority = await readFile(join(this.folder, 'certs', 'apiserver.crt'));
    await writeFile(file, kubeconfig({ server: this.server, authority, token }), { mode: 0o600 });
  }

  async #saveLogs(): Promise<void> {
    const target = this.#options.logFolder ?? join('reports', 'cluster-logs');
    await mkdir(target, { recursive: true });
    for (const file of await readdir(this.folder)) {
      if (file.endsWith('.log')) await copyFile(join(this.folder, file), join(target, file));
    }
    this.#options.progress?.(`logs of the cluster are in ${target}`);
  }
}

function binariesFor({ deployments = false }: ClusterOptions): readonly BinaryName[] {
  return deployments ? [...CLUSTER_BINARIES, ...deploymentBinaryNames] : CLUSTER_BINARIES;
}

function isOk(url: string, ca: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ca, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('timeout')));
  });
}
