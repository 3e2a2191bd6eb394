/** The operator as a process of its own beside a development cluster, under its ServiceAccount's RBAC. */

import { join, resolve } from 'node:path';
import type { Cluster } from './cluster.ts';
import { Daemon } from './daemon.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const NAMESPACE = 'larder-system';
const READY_LIMIT_MS = 30_000;

/** Applies what an installation has besides its Deployment: CRDs, namespace, RBAC, catalogue and the fence. */
export async function installLarder(cluster: Cluster): Promise<void> {
  await cluster.kubectl(['apply', '--server-side', '-k', join(ROOT, 'crds')]);
  await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all']);
  const manager = join(ROOT, 'config', 'manager');
  await cluster.kubectl([
    'apply',
    '-f',
    join(manager, 'namespace.yaml'),
    '-f',
    join(manager, 'priority-class.yaml'),
  ]);
  for (const part of ['rbac', 'catalogue', 'fence']) {
    await cluster.kubectl(['apply', '-k', join(ROOT, 'config', part)]);
  }
}

export interface OperatorProcessOptions {
  /** Name of the log file and of the replica. */
  readonly name?: string;
  readonly flags?: readonly string[];
}

/** Starts the bundled operator and returns once it answers as ready. `make build` has made the bundle. */
export async function startOperator(cluster: Cluster, options: OperatorProcessOptions = {}): Promise<Daemon> {
  const { name = 'operator', flags = [] } = options;
  const kubeconfig = await cluster.serviceAccountKubeconfig(NAMESPACE, 'larder');
  const daemon = Daemon.start({
    name,
    command: process.execPath,
    args: [
      join(ROOT, 'dist', 'larder.js'),
      'run',
      `--kubeconfig=${kubeconfig}`,
      '--health-host=127.0.0.1',
      '--health-port=0',
      '--http-host=127.0.0.1',
      '--http-port=0',
      `--identity=${name}`,
      ...flags,
    ],
    folder: cluster.folder,
  });
  cluster.adopt(daemon);
  await daemon.waitUntil(() => daemon.hasLogged('"msg":"caches are synced"'), READY_LIMIT_MS);
  return daemon;
}
