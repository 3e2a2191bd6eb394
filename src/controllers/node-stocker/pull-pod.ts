/** The pull pod: what it is called, how it is built, and what the informer keeps of it. */

import { createHash } from 'node:crypto';
import { LABELS } from '../../api/group-version.ts';
import type { NodeIdentity } from '../../domain/coverage.ts';
import { NOT_STOCKED_TAINT, type Toleration } from '../../domain/node.ts';
import type { Batch } from '../../domain/stock-plan.ts';
import type { Pull } from '../../domain/want.ts';
import type { Manifest } from '../../kube/call-options.ts';
import type { KubeObject, RawObject, ResourceType } from '../../kube/resource.ts';
import { SharedTexts } from '../../kube/shared-texts.ts';
import type { PullIdentity } from '../want.ts';

const COMPONENT = 'pull-pod';
export const PULL_POD_SELECTOR = `${LABELS.component}=${COMPONENT}`;
/** Maps container names to pull keys. A container's image alone does not say which digest a tag was wanted at. */
const KEYS_ANNOTATION = 'larder.dev/pull-keys';
/** Which secrets, service account and priority class the pull was tried with. */
export const IDENTITY_ANNOTATION = 'larder.dev/pull-identity';
const UNPRIVILEGED_UID = 65_534;
const HASH_LENGTH = 10;
/** Characters of what a kubelet tells. */
const KEPT_TEXT = 4_096;

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string | null };
  readonly terminated?: { readonly finishedAt?: string | null };
}

export interface ContainerStatus {
  readonly name: string;
  readonly imageID: string;
  readonly state?: ContainerState | undefined;
}

interface PodStatus {
  readonly phase?: string | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly startTime?: string | undefined;
  readonly containerStatuses?: readonly ContainerStatus[] | undefined;
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly [field: string]: unknown;
}

/** What the informer keeps of a pull pod. */
export interface PullPod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    /** Only in the answer to a create; the informer drops them. */
    readonly containers?: readonly Container[];
  };
  readonly status?: PodStatus;
}

export const podType: ResourceType<PullPod> = {
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  namespaced: true,
};

/** Projection of the informer: a cluster with many pull pods costs little memory. */
export function projectPullPod(raw: RawObject, texts = new SharedTexts()): PullPod {
  const {
    name,
    namespace,
    uid,
    resourceVersion,
    creationTimestamp,
    deletionTimestamp,
    annotations,
    ownerReferences,
  } = raw.metadata;
  const { spec, status } = raw as unknown as PullPod;
  return {
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      creationTimestamp,
      deletionTimestamp,
      annotations: {
        [KEYS_ANNOTATION]: texts.share(
          JSON.stringify(Object.fromEntries(askedKeys(raw as unknown as PullPod))),
        ),
        [IDENTITY_ANNOTATION]: (annotations?.[IDENTITY_ANNOTATION] ?? '').slice(0, HASH_LENGTH),
      },
      ownerReferences,
    },
    spec: { ...(spec.nodeName !== undefined && { nodeName: spec.nodeName }) },
    ...(status !== undefined && { status: projectStatus(status, texts) }),
  };
}

/** Whoever may write pods may write our annotation, too: it is believed of containers that ask for that very image. */
function askedKeys(pod: PullPod): readonly (readonly [string, string])[] {
  const images = new Map(pod.spec.containers?.map(({ name, image }) => [name, image]));
  return [...pullKeys(pod)].filter(([name, key]) => asksFor(images.get(name) ?? '', key));
}

/** Admission may have put another registry before a digest. */
function asksFor(image: string, key: string): boolean {
  const at = key.indexOf('@');
  return key !== '' && (at < 0 ? image.endsWith(`@${key}`) : image === key.slice(0, at));
}

function projectStatus(
  { phase, reason, message, startTime, containerStatuses }: PodStatus,
  texts: SharedTexts,
): PodStatus {
  const statuses = containerStatuses?.map(({ name, imageID, state }) => ({
    name: texts.share(name),
    imageID: texts.share(imageID),
    state: state === undefined ? undefined : projectState(state, texts),
  }));
  return { phase, reason, message: message?.slice(0, KEPT_TEXT), startTime, containerStatuses: statuses };
}

/** What a registry answered may be a page. */
function projectState({ waiting, running, terminated }: ContainerState, texts: SharedTexts): ContainerState {
  if (running !== undefined) return { running: { startedAt: running.startedAt ?? null } };
  if (terminated !== undefined) return { terminated: { finishedAt: shared(terminated.finishedAt, texts) } };
  if (waiting === undefined) return {};
  const { reason = '', message = '' } = waiting;
  return { waiting: { reason: texts.share(reason), message: texts.share(message.slice(0, KEPT_TEXT)) } };
}

function shared(time: string | null | undefined, texts: SharedTexts): string | null {
  return time === undefined || time === null ? null : texts.share(time);
}

/** What a pod owes to its images: the identity that they share, and every taint that one of them tolerates. */
export interface PodSettings extends PullIdentity {
  readonly tolerations: readonly Toleration[];
}

/** `larder-<hash of the node's uid>-<n>`: two operators that plan the same pod collide instead of doubling it. */
export function pullPodName(node: NodeIdentity, n: number): string {
  return `${pullPodPrefix(node)}${n}`;
}

export function pullPodPrefix(node: NodeIdentity): string {
  return `larder-${createHash('sha256').update(node.uid).digest('hex').slice(0, HASH_LENGTH)}-`;
}

/** A pull identity as it stands on a pod. */
export function identityHash(identity: string): string {
  return createHash('sha256').update(identity).digest('hex').slice(0, HASH_LENGTH);
}

/** The number in the pod's name; 0 if it is no name of ours. */
export function pullPodNumber(node: NodeIdentity, pod: KubeObject): number {
  const prefix = pullPodPrefix(node);
  const rest = pod.metadata.name.startsWith(prefix) ? pod.metadata.name.slice(prefix.length) : '';
  return /^[0-9]{1,15}$/.test(rest) ? Number(rest) : 0;
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

/** Container name to pull key; empty if the annotation is not ours. */
export function pullKeys(pod: PullPod): ReadonlyMap<string, string> {
  try {
    const parsed: unknown = JSON.parse(pod.metadata.annotations?.[KEYS_ANNOTATION] ?? '{}');
    if (parsed === null || typeof parsed !== 'object') return new Map();
    return new Map(
      Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
  } catch {
    return new Map();
  }
}
