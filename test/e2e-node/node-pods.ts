/** Pods for the real node, and questions about what became of them. */

import { expect } from 'vitest';
import type { Cluster } from '../../hack/dev-cluster/cluster.ts';
import { type PullPod, pullPodName } from '../../src/controllers/node-stocker/pull-pod.ts';
import { buildPullPod, type PullPodManifest } from '../../src/controllers/node-stocker/pull-pod-manifest.ts';
import { judgePullPod, type PullVerdict } from '../../src/controllers/node-stocker/pull-verdict.ts';
import type { Pull } from '../../src/domain/want.ts';
import { apply, eventually } from '../support/dev-cluster.ts';

/** A pod that runs its image's entrypoint. */
export function plainPod(name: string, image: string, resources: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName: 'real-1',
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      dnsPolicy: 'Default',
      containers: [{ name: 'main', image, resources }],
    },
  };
}

/** What Larder asks of a node, by hand. */
export interface PullRequest {
  readonly namespace: string;
  /** Numbers the pod. */
  readonly n: number;
  /** References; one by digest is pulled if absent, a tag always. */
  readonly images: readonly string[];
  readonly pullSecrets?: readonly string[];
}

/** Creates the pull pod as the operator would and returns its name. */
export async function createPullPod(cluster: Cluster, request: PullRequest): Promise<string> {
  const { metadata } = await cluster.getJson<{ metadata: { name: string; uid: string } }>(['node', 'real-1']);
  const batch = { namespace: request.namespace, wants: [], pulls: request.images.map(pullOf) };
  const manifest: PullPodManifest = buildPullPod(metadata, request.n, batch, {
    pullSecrets: request.pullSecrets ?? [],
    serviceAccountName: undefined,
    priorityClassName: 'larder-pull',
    tolerations: [],
  });
  await apply(cluster, { apiVersion: 'v1', kind: 'Pod', ...manifest });
  return pullPodName(metadata, request.n);
}

function pullOf(reference: string): Pull {
  return { key: reference, reference, policy: reference.includes('@') ? 'IfNotPresent' : 'Always' };
}

export async function getPod(cluster: Cluster, namespace: string, name: string): Promise<PullPod> {
  return cluster.getJson<PullPod>(['pod', name, '-n', namespace]);
}

export interface JudgedPull {
  readonly pod: PullPod;
  readonly verdict: PullVerdict;
}

/** Waits until nothing more will come of the pod. */
export async function finishedPull(cluster: Cluster, namespace: string, name: string): Promise<JudgedPull> {
  let pod = await getPod(cluster, namespace, name);
  await eventually(async () => {
    pod = await getPod(cluster, namespace, name);
    expect(judgePullPod(pod).finished, JSON.stringify(pod.status)).toBe(true);
  });
  return { pod, verdict: judgePullPod(pod) };
}

/** Names in the node's status: what the operator can see without a pull. */
export async function namesInStatus(cluster: Cluster): Promise<readonly string[]> {
  const node = await cluster.getJson<{ status: { images?: { names?: string[] | null }[] } }>([
    'node',
    'real-1',
  ]);
  return (node.status.images ?? []).flatMap(({ names }) => names ?? []);
}
