/** What the informer keeps of a pull pod: there are many, and anybody may write into them. */

import type { RawObject } from '../../kube/resource.ts';
import { SharedTexts } from '../../kube/shared-texts.ts';
import {
  type ContainerState,
  HASH_LENGTH,
  IDENTITY_ANNOTATION,
  KEYS_ANNOTATION,
  type PodStatus,
  type PullPod,
  pullKeys,
} from './pull-pod.ts';

/** Characters of what a kubelet tells. */
const KEPT_TEXT = 4_096;

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
