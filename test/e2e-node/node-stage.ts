/** A development cluster with one real node and a registry, for the tests of this folder. */

import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { Cluster } from '../../hack/dev-cluster/cluster.ts';
import { type ImageRegistry, startImageRegistry } from '../../hack/dev-cluster/image-registry.ts';
import { installLarder } from '../../hack/dev-cluster/operator-process.ts';
import { type RealNode, startRealNode, whyNoRealNode } from '../../hack/dev-cluster/real-node.ts';
import type { KubeletSettings } from '../../hack/dev-cluster/real-node-config.ts';

export interface NodeStage {
  readonly cluster: Cluster;
  readonly registry: ImageRegistry;
  readonly node: RealNode;
}

export interface NodeStageOptions {
  /** Names the folder of the logs below `reports/`. */
  readonly name: string;
  readonly kubelet?: KubeletSettings;
  /** Whether Larder's CRDs and RBAC are installed; default false. */
  readonly installed?: boolean;
}

/** A suite that needs a real node: skipped, with the reason printed, where none can run. */
export function describeOnNode(name: string, suite: () => void): void {
  const refusal = whyNoRealNode();
  if (refusal !== undefined) process.stderr.write(`skipped: ${name}: ${refusal}\n`);
  describe.skipIf(refusal !== undefined)(name, suite);
}

/** Starts the stage before the tests of the suite and stops it after them; the answer is for use in tests only. */
export function useNodeStage(options: NodeStageOptions): () => NodeStage {
  let stage: NodeStage | undefined;
  beforeAll(async () => {
    stage = await startNodeStage(options);
  });
  afterAll(async () => {
    await stopNodeStage(stage, options.name);
  });
  return () => {
    if (stage === undefined) throw new Error('the stage is not up yet');
    return stage;
  };
}

export async function startNodeStage(options: NodeStageOptions): Promise<NodeStage> {
  const { name, kubelet = {}, installed = false } = options;
  const cluster = await Cluster.start({ logFolder: logFolder(name) });
  try {
    const registry = await startImageRegistry({ folder: cluster.folder });
    cluster.adopt(registry.daemon);
    if (installed) await installLarder(cluster);
    const node = await startRealNode(cluster, { registry: registry.host, kubelet });
    return { cluster, registry, node };
  } catch (error) {
    await cluster.stop({ keepLogs: true });
    throw error;
  }
}

async function stopNodeStage(stage: NodeStage | undefined, name: string): Promise<void> {
  await stage?.node.saveLogs(logFolder(name));
  await stage?.node.stop();
  await stage?.cluster.stop({ keepLogs: true });
}

function logFolder(name: string): string {
  return join('reports', `node-${name}`);
}
