/** Pods for the real node, and questions about what became of them. */

import type { Cluster } from '../../hack/dev-cluster/cluster.ts';
import type { PullPod } from '../../src/controllers/node-stocker/pull-pod.ts';

/** A pod that runs its image's entrypoint. */
export function plainPod(name: string, image: string): object {
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
      containers: [{ name: 'main', image }],
    },
  };
}

export async function getPod(cluster: Cluster, namespace: string, name: string): Promise<PullPod> {
  return cluster.getJson<PullPod>(['pod', name, '-n', namespace]);
}
