/** How long a finished pull pod stays: its images are marked as used only by a sweep of the kubelet. */

import type { Clock } from '../../clock.ts';
import type { Want } from '../../domain/want.ts';
import { isConflict, isNotFound } from '../../kube/api-error.ts';
import type { Lister } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReconcileContext } from '../../kube/controller.ts';
import { done, minResult, type Result } from '../../kube/result.ts';
import { isRefusal } from './admission.ts';
import type { JudgedPod } from './judged-pod.ts';
import { type PullPod, podType } from './pull-pod.ts';

/** Index of the pod informer: pods that have ended and are not being deleted, all under the same value. */
export const PODS_ENDED = 'ended';
const ENDED = 'true';

export function endedIndex({ metadata, status }: PullPod): readonly string[] {
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return isOver && metadata.deletionTimestamp === undefined ? [ENDED] : [];
}

export interface RestOptions {
  readonly client: KubeClient;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly wants: readonly Want[];
  /** All pull pods of the cluster. */
  readonly pods: Pick<Lister<PullPod>, 'byIndex' | 'size'>;
  readonly maxKeptPods: number;
  /** Pods that were deleted and that the watch still shows. */
  readonly leaving: WeakSet<PullPod>;
}

/** The kubelet sweeps every five minutes; an image it never saw in use is its first victim. */
const REST_MS = 6 * 60_000;
/** A refused deletion is tried again after this. */
const REFUSED_MS = 5 * 60_000;

/**
 * Deletes finished pods whose rest is over, and those that have brought everything and will not end by themselves;
 * asks for another look when the next one's time comes.
 */
export async function deleteRested(
  options: RestOptions,
  pods: readonly JudgedPod[],
  context: ReconcileContext,
): Promise<Result> {
  const resting = pods
    .filter(({ verdict }) => verdict.finished || verdict.runsSince !== undefined)
    .filter(({ pod }) => pod.metadata.deletionTimestamp === undefined);
  const warm = warmPods(options, resting);
  const results = await Promise.all(
    resting.map((pod) => deleteWhenRested(options, pod, { ...context, isWarm: warm.has(pod) })),
  );
  return minResult(...results);
}

async function deleteWhenRested(
  options: RestOptions,
  judged: JudgedPod,
  context: ReconcileContext & { readonly isWarm: boolean },
): Promise<Result> {
  const { metadata } = judged.pod;
  const remaining = restOver(judged) - options.clock.monotonic();
  if (remaining > 0) return { requeueAfterMs: remaining };
  if (context.isWarm) return done;
  options.leaving.add(judged.pod);
  try {
    const preconditions = { uid: metadata.uid };
    await options.client.delete(podType, metadata, { preconditions, signal: context.signal });
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return done;
    options.leaving.delete(judged.pod);
    if (!isRefusal(error)) throw error;
    // Whoever protects pods keeps this one, and not what the node still lacks.
    context.log.warn('a rested pull pod may not be deleted', { pod: metadata.name, err: error });
    return { requeueAfterMs: REFUSED_MS };
  }
  return done;
}

/** A pod that brought nothing has nothing to protect; left alone, its kubelet would go on trying. */
function restOver({ verdict, moments }: JudgedPod): number {
  return verdict.present.length === 0 ? 0 : (moments.ended ?? 0) + REST_MS;
}

/**
 * While a finished pod exists, the kubelet counts its images as used. One pod for each image is enough, the newest:
 * every verification makes another one, and the cluster bears only so many.
 */
function warmPods(options: RestOptions, resting: readonly JudgedPod[]): ReadonlySet<JudgedPod> {
  const finished = resting.filter(({ verdict }) => verdict.finished).toSorted(compareAge);
  const keys = options.wants
    .filter(({ keepWarm }) => keepWarm)
    .flatMap(({ pulls }) => pulls.map(({ key }) => key));
  const newest = new Set(
    keys.map((key) => finished.findLast(({ verdict }) => verdict.present.includes(key))),
  );
  const warm = finished.filter((pod) => newest.has(pod));
  return new Set(warm.slice(excess(options)));
}

/** How many are too many: after a restart all nodes are looked at in a moment, and only so many may let theirs go. */
function excess({ pods, leaving, maxKeptPods }: RestOptions): number {
  // The list of the cluster is only made where it may be too long.
  if (pods.size <= maxKeptPods) return 0;
  const ended = pods.byIndex(PODS_ENDED, ENDED).filter((pod) => !leaving.has(pod));
  return Math.max(0, ended.length - maxKeptPods);
}

/** By the end. */
function compareAge({ moments: left }: JudgedPod, { moments: right }: JudgedPod): number {
  return (left.ended ?? 0) - (right.ended ?? 0);
}
