/** The pull pods of one node, with what they show and since when: what every step of a pass looks at. */

import type { Moment } from '../../domain/moment.ts';
import type { NodeFacts } from '../../domain/node.ts';
import type { Lister } from '../../kube/cache.ts';
import type { PodAges, PodMoments } from './pod-ages.ts';
import type { PullPod } from './pull-pod.ts';
import { judgePullPod, type PullVerdict } from './pull-verdict.ts';

/** Index of the pod informer: pull pods by the name of their node. */
export const PODS_BY_NODE = 'node';

export interface JudgedPod {
  readonly pod: PullPod;
  readonly verdict: PullVerdict;
  readonly moments: PodMoments;
}

export interface JudgedPodsOptions {
  readonly pods: Pick<Lister<PullPod>, 'byIndex'>;
  readonly ages: PodAges;
}

/** The pods made for this very node; those of a predecessor with the same name prove nothing and are collected. */
export function judgedPods(
  { pods, ages }: JudgedPodsOptions,
  node: NodeFacts,
  moment: Moment,
): readonly JudgedPod[] {
  const judged = pods
    .byIndex(PODS_BY_NODE, node.name)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === node.uid) === true)
    .map((pod) => ({ pod, verdict: judgePullPod(pod) }));
  return ages.observe(node.name, judged, moment);
}
