/** Our entry in an object's finalizers, changed under an optimistic lock: the list belongs to several parties. */

import { ApiError } from './api-error.ts';
import type { JsonPatchOperation } from './call-options.ts';
import type { KubeClient } from './client.ts';
import { type KubeObject, keyOf, type RawObject, type ResourceType } from './resource.ts';

/** Qualified name of the finalizer, such as `larder.dev/cleanup`. */
export interface FinalizerChange {
  readonly finalizer: string;
  readonly signal?: AbortSignal | undefined;
}

/** Whether the object waits for the owner of this finalizer. */
export function hasFinalizer(object: KubeObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) === true;
}

/**
 * Adds the finalizer and returns the object as stored.
 * @throws ApiError `Conflict` if the object changed since it was read.
 */
export async function addFinalizer(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject,
  change: FinalizerChange,
): Promise<RawObject> {
  const isFirst = (object.metadata.finalizers ?? []).length === 0;
  const operation: JsonPatchOperation = isFirst
    ? { op: 'add', path: '/metadata/finalizers', value: [change.finalizer] }
    : { op: 'add', path: '/metadata/finalizers/-', value: change.finalizer };
  return patchLocked(client, type, object, { operation, signal: change.signal });
}

/**
 * Removes the finalizer and returns the object as stored, undefined if there was nothing to remove; nothing happens
 * if the object is gone already.
 * @throws ApiError `Conflict` if the object changed since it was read.
 */
export async function removeFinalizer(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject,
  change: FinalizerChange,
): Promise<RawObject | undefined> {
  const index = (object.metadata.finalizers ?? []).indexOf(change.finalizer);
  if (index === -1) return undefined;
  const operation: JsonPatchOperation = { op: 'remove', path: `/metadata/finalizers/${index}` };
  try {
    return await patchLocked(client, type, object, { operation, signal: change.signal });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
    return undefined;
  }
}

interface LockedPatch {
  readonly operation: JsonPatchOperation;
  readonly signal: AbortSignal | undefined;
}

/** The server answers a failed `test` with 422 and no details: here it means Conflict, like any lost lock. */
async function patchLocked(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject,
  { operation, signal }: LockedPatch,
): Promise<RawObject> {
  const lock: JsonPatchOperation = {
    op: 'test',
    path: '/metadata/resourceVersion',
    value: object.metadata.resourceVersion,
  };
  try {
    return await client.patch(type as ResourceType<RawObject>, keyOf(object), [lock, operation], { signal });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 422 || error.causes.length > 0) throw error;
    throw new ApiError({
      status: 409,
      reason: 'Conflict',
      message: error.message,
      temporary: false,
      cause: error,
    });
  }
}
