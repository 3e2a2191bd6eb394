/** The pull pod: what is read of it, what it is called, and which pulls its containers stand for. */

import { createHash } from 'node:crypto';
import { LABELS } from '../../api/group-version.ts';
import type { NodeIdentity } from '../../domain/coverage.ts';
import type { KubeObject, ResourceType } from '../../kube/resource.ts';

/** Value of the component label. */
export const COMPONENT = 'pull-pod';
export const PULL_POD_SELECTOR = `${LABELS.component}=${COMPONENT}`;
/** Maps container names to pull keys. A container's image alone does not say which digest a tag was wanted at. */
export const KEYS_ANNOTATION = 'larder.dev/pull-keys';
/** Which secrets, service account and priority class the pull was tried with. */
export const IDENTITY_ANNOTATION = 'larder.dev/pull-identity';
/** Characters of a hash in names and annotations. */
export const HASH_LENGTH = 10;

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string | null };
  readonly terminated?: { readonly finishedAt?: string | null };
}

export interface ContainerStatus {
  readonly name: string;
  readonly imageID: string;
  readonly state?: ContainerState | undefined;
}

export interface PodStatus {
  readonly phase?: string | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly startTime?: string | undefined;
  readonly containerStatuses?: readonly ContainerStatus[] | undefined;
}

export interface Container {
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

/** `larder-<hash of the node's uid>-<n>`: two operators that plan the same pod collide instead of doubling it. */
export function pullPodName(node: NodeIdentity, n: number): string {
  return `${pullPodPrefix(node)}${n}`;
}

function pullPodPrefix(node: NodeIdentity): string {
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
