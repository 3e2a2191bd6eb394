/** How long a finished pull pod stays: its images are marked as used only by a sweep of the kubelet. */

import { isConflict, isNotFound } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReconcileContext } from '../../kube/controller.ts';
import { done, minResult, type Result } from '../../kube/result.ts';
import type { JudgedPod } from './harvest.ts';
import { podType } from './pull-pod.ts';

/** The kubelet sweeps every five minutes; an image it never saw in use is its first victim. */
const REST_MS = 6 * 60_000;

/** Deletes finished pods whose rest is over; asks for another look when the next one's is. */
export async function deleteRested(
  client: KubeClient,
  pods: readonly JudgedPod[],
  context: ReconcileContext,
): Promise<Result> {
  const finished = pods.filter(
    ({ pod, verdict }) => verdict.finished && pod.metadata.deletionTimestamp === undefined,
  );
  const results = await Promise.all(finished.map((pod) => deleteWhenRested(client, pod, context)));
  return minResult(...results);
}

async function deleteWhenRested(
  client: KubeClient,
  judged: JudgedPod,
  context: ReconcileContext,
): Promise<Result> {
  const { metadata } = judged.pod;
  const remaining = restOver(judged) - context.now;
  if (remaining > 0) return { requeueAfterMs: remaining };
  try {
    const preconditions = { uid: metadata.uid };
    await client.delete(podType, metadata, { preconditions, signal: context.signal });
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
