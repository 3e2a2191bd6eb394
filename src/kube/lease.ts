/** The Lease object that says who leads, and the port through which an elector reads and writes it. */

import { ApiError } from './api-error.ts';
import type { KubeClient } from './client.ts';
import type { KubeObject, ObjectKey, ResourceType } from './resource.ts';

/** `coordination.k8s.io/v1` LeaseSpec; times are RFC 3339 with microseconds and informative only. */
export interface LeaseSpec {
  readonly holderIdentity?: string | undefined;
  readonly leaseDurationSeconds?: number | undefined;
  readonly acquireTime?: string | undefined;
  readonly renewTime?: string | undefined;
  readonly leaseTransitions?: number | undefined;
}

/** The object; only its spec has a meaning for us. */
export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec | undefined;
}

/** Needs the rights get, create and update. */
export const LEASES: ResourceType<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

/** Undefined from a write: somebody else was faster. Other failures reject. */
export interface LeaseStore {
  read(timeoutMs: number): Promise<Lease | undefined>;
  create(spec: LeaseSpec, timeoutMs: number): Promise<Lease | undefined>;
  /** Replaces the spec if the lease is still at the resourceVersion of `lease`. */
  update(lease: Lease, spec: LeaseSpec, timeoutMs: number): Promise<Lease | undefined>;
}

/** The lease on the API server. Its calls do not wait for the rate limit. */
export function leaseOnServer(client: KubeClient, key: Required<ObjectKey>): LeaseStore {
  const direct = client.unlimited();
  const metadata = { namespace: key.namespace ?? '', name: key.name };
  return {
    read: (timeoutMs) => direct.get(LEASES, key, { timeoutMs }),
    create: (spec, timeoutMs) => unlessConflict(direct.create(LEASES, { metadata, spec }, { timeoutMs })),
    update: (lease, spec, timeoutMs) =>
      unlessConflict(direct.update(LEASES, { ...lease, spec }, { timeoutMs })),
  };
}

async function unlessConflict(write: Promise<Lease>): Promise<Lease | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return undefined;
    throw error;
  }
}
