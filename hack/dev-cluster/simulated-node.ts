/** Manifests of the nodes that KWOK plays. */

export interface SimulatedNode {
  readonly name: string;
  /** Default amd64. */
  readonly architecture?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
}

/** A Node object as `kubectl create -f -` takes it. */
export function nodeManifest(node: SimulatedNode): object {
  const architecture = node.architecture ?? 'amd64';
  const resources = { cpu: '32', memory: '256Gi', pods: '110', 'ephemeral-storage': '1Ti' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: node.name,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: {
        'kubernetes.io/hostname': node.name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': architecture,
        ...node.labels,
      },
    },
    spec: { taints: node.taints ?? [] },
    status: {
      allocatable: resources,
      capacity: resources,
      nodeInfo: {
        architecture,
        operatingSystem: 'linux',
        kubeletVersion: 'v1.35.4',
        containerRuntimeVersion: 'containerd://2.1.4',
        osImage: 'simulated',
        kernelVersion: '6.1',
        kubeProxyVersion: '',
        machineID: node.name,
        systemUUID: node.name,
        bootID: node.name,
      },
    },
  };
}

/** A List of nodes. */
export function nodeList(nodes: readonly SimulatedNode[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: nodes.map(nodeManifest) });
}
