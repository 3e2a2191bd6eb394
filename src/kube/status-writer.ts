/** The one status write of a pass: nothing if nothing changed, else the whole status by server-side apply. */

import { isEqual } from '../json.ts';
import { isNotFound } from './api-error.ts';
import type { KubeClient } from './client.ts';
import { type CommonStatus, type Draft, SUMMARY_CONDITIONS } from './conclusion.ts';
import type { Condition } from './condition.ts';
import type { KubeObject, RawObject, ResourceType } from './resource.ts';

/** What is written, and which conditions in it are ours. */
export interface StatusWrite {
  readonly draft: CommonStatus;
  /** Besides the summary conditions. */
  readonly ownedConditions: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** A copy of the stored status to edit, without the conditions that belong to others. */
export function startDraft<S extends CommonStatus>(
  status: S | undefined,
  ownedConditions: readonly string[],
): Draft<S> {
  const draft = structuredClone(status ?? {}) as Draft<S>;
  (draft as Draft<CommonStatus>).conditions = ownConditions(status, ownedConditions);
  return draft;
}

/**
 * Writes the draft if it differs from what is stored, and returns the object as stored then; undefined if there was
 * nothing to write, or nothing to write to any more.
 * @throws ApiError `Conflict` if the object was changed, or replaced by another of its name, since it was read.
 */
export async function writeStatus(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject & { readonly status?: CommonStatus | undefined },
  write: StatusWrite,
): Promise<RawObject | undefined> {
  const stored = { ...object.status, conditions: ownConditions(object.status, write.ownedConditions) };
  if (isEqual(stored, write.draft)) return undefined;
  const { name, namespace, uid, resourceVersion } = object.metadata;
  try {
    return await client.applyStatus(
      type as ResourceType<RawObject>,
      { metadata: { name, namespace, uid, resourceVersion }, status: write.draft },
      { signal: write.signal },
    );
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function ownConditions(status: CommonStatus | undefined, owned: readonly string[]): readonly Condition[] {
  const types: ReadonlySet<string> = new Set([...SUMMARY_CONDITIONS, ...owned]);
  return (status?.conditions ?? []).filter((condition) => types.has(condition.type));
}
