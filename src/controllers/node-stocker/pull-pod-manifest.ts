/** How a pull pod is made: it asks for nothing, may do nothing, and belongs to its node. */

import { LABELS } from '../../api/group-version.ts';
import type { NodeIdentity } from '../../domain/coverage.ts';
import { NOT_STOCKED_TAINT, type Toleration } from '../../domain/node.ts';
import type { Batch } from '../../domain/stock-plan.ts';
import type { Pull } from '../../domain/want.ts';
import type { Manifest } from '../../kube/call-options.ts';
import type { PullIdentity } from '../want.ts';
import {
  COMPONENT,
  type Container,
  IDENTITY_ANNOTATION,
  identityHash,
  KEYS_ANNOTATION,
  pullPodName,
} from './pull-pod.ts';

const UNPRIVILEGED_UID = 65_534;

/** What a pod owes to its images: the identity that they share, and every taint that one of them tolerates. */
export interface PodSettings extends PullIdentity {
  readonly tolerations: readonly Toleration[];
}

export type PullPodManifest = Manifest & {
  readonly spec: { readonly containers: readonly Container[]; readonly [field: string]: unknown };
};

/** The manifest of a pull pod. Owned by the Node: drain and autoscalers pass it over, and it goes with the node. */
export function buildPullPod(
  node: NodeIdentity,
  n: number,
  batch: Batch,
  settings: PodSettings,
): PullPodManifest {
  const keys = Object.fromEntries(batch.pulls.map(({ key }, index) => [containerName(index), key]));
  return {
    metadata: {
      name: pullPodName(node, n),
      namespace: batch.namespace,
      labels: { [LABELS.component]: COMPONENT, 'sidecar.istio.io/inject': 'false' },
      annotations: {
        [KEYS_ANNOTATION]: JSON.stringify(keys),
        [IDENTITY_ANNOTATION]: identityHash(batch.wants[0]?.identity ?? ''),
        'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true',
        'linkerd.io/inject': 'disabled',
        'sidecar.istio.io/inject': 'false',
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid, controller: true }],
    },
    spec: {
      nodeName: node.name,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      dnsPolicy: 'Default',
      os: { name: 'linux' },
      priorityClassName: settings.priorityClassName,
      ...(settings.serviceAccountName !== undefined && { serviceAccountName: settings.serviceAccountName }),
      imagePullSecrets: settings.pullSecrets.map((name) => ({ name })),
      tolerations: [...OWN_TOLERATIONS, ...settings.tolerations],
      securityContext: {
        runAsNonRoot: true,
        runAsUser: UNPRIVILEGED_UID,
        runAsGroup: UNPRIVILEGED_UID,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: batch.pulls.map(buildContainer),
    },
  };
}

function containerName(index: number): string {
  return `pull-${index}`;
}

/** Requests of 0 are admitted on fully booked nodes, the small limits satisfy quotas that demand some. */
function buildContainer({ reference, policy }: Pull, index: number): Container {
  return {
    name: containerName(index),
    image: reference,
    imagePullPolicy: policy,
    command: ['true'],
    resources: { requests: { cpu: '0', memory: '0' }, limits: { cpu: '100m', memory: '32Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  };
}

/** The pod outlives short troubles of its node, and reaches nodes that wait for their stock. */
const OWN_TOLERATIONS = [
  { key: NOT_STOCKED_TAINT, operator: 'Exists' },
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
] as const;
