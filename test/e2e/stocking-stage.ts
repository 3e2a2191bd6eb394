/** A development cluster with a running operator, for tests of stocking, and what they ask of it. */

import { join } from 'node:path';
import { expect } from 'vitest';
import type { Daemon } from '../../hack/dev-cluster/daemon.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import type { PrepulledImage, PrepulledImageManifest } from '../../src/api/prepulled-image.ts';
import { type Overrides, prepulledImageManifest } from '../support/builders.ts';
import { apply, eventually, listImages, listPods, type Stage, startStage } from '../support/dev-cluster.ts';

/** Nobody answers there: digests need no registry, and platforms stay unknown. */
export const HOST = '127.0.0.1:1';

const WARM_GATE = join(import.meta.dirname, '../../config/components/warm-gate/cluster-role.yaml');

export interface StockingOptions {
  /** Names the folder of the logs below `reports/`. */
  readonly name: string;
  readonly nodes: number;
  readonly flags?: readonly string[];
}

export class StockingStage {
  readonly stage: Stage;
  operator: Daemon;

  private constructor(stage: Stage, operator: Daemon) {
    this.stage = stage;
    this.operator = operator;
  }

  /** Nodes are called node-1, node-2 and so on. */
  static async start({ name, nodes, flags = [] }: StockingOptions): Promise<StockingStage> {
    const stage = await startStage({ nodes, logFolder: join('reports', `e2e-${name}`) });
    await stage.cluster.kubectl(['apply', '-f', WARM_GATE]);
    return new StockingStage(stage, await startOperator(stage.cluster, { flags }));
  }

  get cluster(): Stage['cluster'] {
    return this.stage.cluster;
  }

  /** Removes images, pull pods and the named nodes. */
  async clear(...nodes: readonly string[]): Promise<void> {
    await this.cluster.kubectl(['delete', 'ppi', '--all', '-A', '--wait=true']);
    if (nodes.length > 0) await this.cluster.kubectl(['delete', 'node', ...nodes, '--ignore-not-found']);
    // By force, because nobody plays the kubelets of some nodes.
    await this.cluster.kubectl(['delete', 'pods', '--all', '-A', '--force', '--grace-period=0']);
  }

  async stop(): Promise<void> {
    await this.cluster.stop({ keepLogs: true });
  }

  async find(name: string, namespace = 'default'): Promise<PrepulledImage> {
    const found = (await listImages(this.cluster, namespace)).find(({ metadata }) => metadata.name === name);
    if (found === undefined) throw new Error(`no PrepulledImage ${namespace}/${name}`);
    return found;
  }

  async untilReady(name: string, ready: string, namespace = 'default'): Promise<void> {
    await eventually(async () => {
      const { status } = await this.find(name, namespace);
      expect(status?.ready, JSON.stringify(status)).toBe(ready);
    });
  }

  /** How many nodes pulled at the same time, at most, until all of these images were on four of four. */
  async mostPullingUntilStocked(...names: readonly string[]): Promise<number> {
    let most = 0;
    await eventually(async () => {
      const unfinished = (await listPods(this.cluster)).filter(({ status }) => status.phase !== 'Succeeded');
      most = Math.max(most, unfinished.length);
      for (const name of names) expect((await this.find(name)).status?.ready).toBe('4/4');
    });
    return most;
  }

  /** `node image` of every container of every pull pod. */
  async pulls(): Promise<readonly string[]> {
    const pods = await listPods(this.cluster);
    return pods.flatMap(({ spec: { nodeName, containers } }) =>
      containers.map((container) => `${nodeName} ${container.image}`),
    );
  }

  /** What the kubelet of a simulated node reports to have. */
  async report(
    node: string,
    images: readonly { names: readonly string[]; sizeBytes: number }[],
  ): Promise<void> {
    const patch = JSON.stringify({ status: { images } });
    await this.cluster.kubectl(['patch', 'node', node, '--subresource=status', '--type=merge', '-p', patch]);
  }

  /** Waits, for what must not happen in the meantime. */
  async quietFor(seconds: number): Promise<void> {
    const never = ['wait', 'node/node-1', '--for=jsonpath={.metadata.name}=never', `--timeout=${seconds}s`];
    await this.cluster.kubectl(never).catch(() => undefined);
  }
}

/** Different in each test: what is on a node is there under any name. */
export function digest(letters: string): string {
  return `sha256:${letters.repeat(64).slice(0, 64)}`;
}

export function image(
  name: string,
  spec: Overrides<PrepulledImageManifest['spec']>,
  namespace = 'default',
): PrepulledImageManifest {
  return prepulledImageManifest({
    metadata: { name, namespace },
    spec: { access: { plainHTTP: true }, ...spec },
  });
}

/** Nobody plays it: it said once that it was ready, and nothing since. */
export async function addMuteNode(cluster: Stage['cluster'], name: string): Promise<void> {
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' };
  await apply(cluster, { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
  const now = new Date().toISOString();
  const times = { lastHeartbeatTime: now, lastTransitionTime: now };
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: '', ...times }];
  const patch = JSON.stringify({ status: { conditions } });
  await cluster.kubectl(['patch', 'node', name, '--subresource=status', '--type=merge', '-p', patch]);
}
