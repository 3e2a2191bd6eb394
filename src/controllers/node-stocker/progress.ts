/** How an unfinished pull pod is getting on: whether it still counts against the budgets, and what people are told. */

import type { PullState } from '../../domain/coverage.ts';
import type { Want } from '../../domain/want.ts';
import type { JudgedPod } from './judged-pod.ts';
import type { PodMoments } from './pod-ages.ts';
import { pullKeys } from './pull-pod.ts';

/** A kubelet that has not even taken note of the pod after this is mute. */
const MUTE_MS = 30_000;

export interface PullProgress {
  /** By pull key. */
  readonly pulls: ReadonlyMap<string, PullState>;
  /** False once the pod is slow or its node is mute: others may pull, the node itself still may not. */
  readonly holdsBudget: boolean;
  /** Milliseconds until that may change. */
  readonly lookAfterMs?: number;
}

/** `pods` are the unfinished ones. Nothing cancels a pull, so a late one only changes what is said about it. */
export function pullProgress(
  pods: readonly JudgedPod[],
  wants: readonly Want[],
  monotonic: number,
): PullProgress {
  const pulls = new Map<string, PullState>();
  const looks: number[] = [];
  let holdsBudget = false;
  for (const { pod, moments } of pods) {
    const keys = [...pullKeys(pod).values()];
    const { state, leftMs } = stateOf(moments, timeoutOf(keys, wants), monotonic);
    for (const key of keys) pulls.set(key, state);
    holdsBudget ||= state.reason === 'Pulling';
    if (leftMs > 0) looks.push(leftMs);
  }
  return { pulls, holdsBudget, ...(looks.length > 0 && { lookAfterMs: Math.min(...looks) }) };
}

/** The most patient of the images in the pod. */
function timeoutOf(keys: readonly string[], wants: readonly Want[]): number {
  const concerned = wants.filter(({ pulls }) => pulls.some(({ key }) => keys.includes(key)));
  return Math.max(0, ...concerned.map(({ timeoutMs }) => timeoutMs));
}

function stateOf(
  { made, started }: PodMoments,
  timeoutMs: number,
  monotonic: number,
): { readonly state: PullState; readonly leftMs: number } {
  if (started === undefined) {
    const leftMs = made + MUTE_MS - monotonic;
    if (leftMs > 0) return { state: { reason: 'Pulling', message: 'The node was asked to pull' }, leftMs };
    return {
      state: { reason: 'NodeMute', message: 'The kubelet has not taken note of the pull pod' },
      leftMs,
    };
  }
  const leftMs = started + timeoutMs - monotonic;
  if (leftMs > 0) return { state: { reason: 'Pulling', message: 'The node is pulling' }, leftMs };
  return { state: { reason: 'PullSlow', message: 'The pull takes longer than spec.pull.timeout' }, leftMs };
}
