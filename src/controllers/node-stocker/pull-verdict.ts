/** What the containers of a pull pod prove, or why they failed. */

import { classifyPullFailure, type PullFailure } from './pull-failure.ts';
import { type ContainerStatus, type PullPod, pullKeys } from './pull-pod.ts';

export interface PullVerdict {
  /** Pull keys whose image is proven to be on the node. */
  readonly present: readonly string[];
  readonly failed: readonly FailedPull[];
  /** Nothing more will come of this pod: the next one may be made. */
  readonly finished: boolean;
  /** End of the last container, milliseconds since the epoch; undefined while unfinished or unknown. */
  readonly finishedAt?: number;
  /** Every image is there, but a container that was to end at once runs since then; milliseconds since the epoch. */
  readonly runsSince?: number;
}

export interface FailedPull {
  readonly key: string;
  readonly failure: PullFailure;
}

/**
 * Judges containers, never the phase. A non-empty imageID proves the pull, even after StartError (an image without
 * `true`); a container that waits in a pull back-off has failed, and its pod would never finish by itself.
 */
export function judgePullPod(pod: PullPod): PullVerdict {
  const keys = pullKeys(pod);
  // Whatever sidecars were injected all the same may run for ever; they are none of ours.
  const statuses = (pod.status?.containerStatuses ?? []).filter(({ name }) => keys.has(name));
  const byName = new Map(statuses.map((status) => [status.name, status]));
  const givenUp = pod.status?.phase === 'Failed' ? podFailure(pod) : undefined;
  const pulls = [...keys].map(([name, key]) => ({ key, status: byName.get(name) }));
  const imageIds = new Map(pulls.map(({ key, status }) => [key, status?.imageID ?? '']));
  const failed = pulls.flatMap(({ key, status }) => {
    const failure = hasImage(status) ? movedTag(key, imageIds) : (containerFailure(status) ?? givenUp);
    return failure === undefined ? [] : [{ key, failure }];
  });
  const isFailed = new Set(failed.map(({ key }) => key));
  const present = pulls
    .filter(({ key, status }) => hasImage(status) && !isFailed.has(key))
    .map(({ key }) => key);
  const settled = present.length + failed.length === pulls.length;
  const finished = settled && (givenUp !== undefined || !statuses.some(stillRuns));
  const rest = finished ? lastEnd(statuses) : settled && longestRun(statuses);
  return { present, failed, finished, ...rest };
}

/**
 * The digest in an imageID may be another name of the same image, so it is never compared with the asked one. But two
 * containers of one pod that show different ids have different images: then the tag has moved since it was resolved.
 */
function movedTag(key: string, imageIds: ReadonlyMap<string, string>): PullFailure | undefined {
  const digest = key.slice(key.indexOf('@') + 1);
  const byDigest = imageIds.get(digest) ?? '';
  if (digest === key || byDigest === '' || byDigest === imageIds.get(key)) return undefined;
  const tag = key.slice(0, key.indexOf('@'));
  return {
    class: 'Node',
    reason: 'ImagePullFailed',
    message:
      `${tag} is another image than ${digest} now; the next resolution or scan puts that right, or an edit where ` +
      'spec.image itself names the digest',
  };
}

function hasImage(status: ContainerStatus | undefined): boolean {
  return status !== undefined && status.imageID !== '';
}

/** The image is there, the container has not ended: it starts, or runs its `true`. */
function stillRuns(status: ContainerStatus): boolean {
  const { terminated, waiting } = status.state ?? {};
  return hasImage(status) && terminated === undefined && !RUN_PROBLEMS.has(waiting?.reason ?? '');
}

function lastEnd(statuses: readonly ContainerStatus[]): { readonly finishedAt?: number } {
  const ends = statuses.map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''));
  const known = ends.filter((end) => !Number.isNaN(end));
  return known.length === 0 ? {} : { finishedAt: Math.max(...known) };
}

function longestRun(statuses: readonly ContainerStatus[]): { readonly runsSince?: number } {
  const starts = statuses.map(({ state }) => Date.parse(state?.running?.startedAt ?? ''));
  const known = starts.filter((start) => !Number.isNaN(start));
  return known.length === 0 ? {} : { runsSince: Math.min(...known) };
}

/** Waiting reasons with which the kubelet says that it could not pull or will not try. */
const PULL_PROBLEMS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);

/** The image was pulled and cannot be run: the kubelet goes on trying, and shows no image id meanwhile. */
const RUN_PROBLEMS = new Set(['CreateContainerError', 'CreateContainerConfigError', 'RunContainerError']);

function containerFailure(status: ContainerStatus | undefined): PullFailure | undefined {
  const { reason = '', message = '' } = status?.state?.waiting ?? {};
  if (RUN_PROBLEMS.has(reason)) {
    const { message: words } = classifyPullFailure(reason, message);
    return { class: 'Node', reason: 'RuntimeFailed', message: words };
  }
  return PULL_PROBLEMS.has(reason) ? classifyPullFailure(reason, message) : undefined;
}

/** The kubelet or a controller gave the whole pod up: OutOfcpu, Evicted, NodeAffinity… */
function podFailure(pod: PullPod): PullFailure {
  const { reason = 'PodFailed', message = '' } = pod.status ?? {};
  return {
    class: 'Admission',
    reason: 'PodRefused',
    message: message === '' ? reason : `${reason}: ${message}`,
  };
}
