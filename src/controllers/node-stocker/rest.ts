/** How long a finished pull pod stays: its images are marked as used only by a sweep of the kubelet. */

import type { Want } from '../../domain/want.ts';
import { isConflict, isNotFound } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReconcileContext } from '../../kube/controller.ts';
import { done, minResult, type Result } from '../../kube/result.ts';
import type { JudgedPod } from './harvest.ts';
import { podType } from './pull-pod.ts';

export interface RestOptions {
  readonly client: KubeClient;
  readonly wants: readonly Want[];
  /** All pull pods of the cluster. */
  readonly pods: { readonly size: number };
  readonly maxKeptPods: number;
}

/** The kubelet sweeps every five minutes; an image it never saw in use is its first victim. */
const REST_MS = 6 * 60_000;

/** Deletes finished pods whose rest is over; asks for another look when the next one's is. */
export async function deleteRested(
  options: RestOptions,
  pods: readonly JudgedPod[],
  context: ReconcileContext,
): Promise<Result> {
  const finished = pods.filter(
    ({ pod, verdict }) => verdict.finished && pod.metadata.deletionTimestamp === undefined,
  );
  const results = await Promise.all(finished.map((pod) => deleteWhenRested(options, pod, context)));
  return minResult(...results);
}

async function deleteWhenRested(
  options: RestOptions,
  judged: JudgedPod,
  context: ReconcileContext,
): Promise<Result> {
  const { metadata } = judged.pod;
  const remaining = restOver(judged) - context.now;
  if (remaining > 0) return { requeueAfterMs: remaining };
  if (isKeptWarm(options, judged)) return done;
  try {
    const preconditions = { uid: metadata.uid };
    await options.client.delete(podType, metadata, { preconditions, signal: context.signal });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
  return done;
}

/** A pod that brought nothing has nothing to protect; left alone, its kubelet would go on trying. */
function restOver({ pod, verdict }: JudgedPod): number {
  if (verdict.present.length === 0) return 0;
  const since =
    verdict.finishedAt ?? Date.parse(pod.status?.startTime ?? pod.metadata.creationTimestamp ?? '');
  return since + REST_MS;
}

/** While a finished pod exists, the kubelet counts its images as used; the cluster bears only so many such pods. */
function isKeptWarm({ wants, pods, maxKeptPods }: RestOptions, { verdict }: JudgedPod): boolean {
  if (pods.size > maxKeptPods) return false;
  return wants.some(
    ({ keepWarm, pulls }) => keepWarm && pulls.some(({ key }) => verdict.present.includes(key)),
  );
}
