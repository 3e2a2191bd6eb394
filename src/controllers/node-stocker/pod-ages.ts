/**
 * How old pull pods are, by the clock that never jumps. What pods say is by the clocks of the API server and of nodes:
 * it is believed as far as it agrees with what was seen here, and alone only for pods that were there at the start.
 */

import type { Moment } from '../../domain/moment.ts';
import type { PullPod } from './pull-pod.ts';
import type { PullVerdict } from './pull-verdict.ts';

/** Monotonic milliseconds. */
export interface PodMoments {
  readonly made: number;
  /** When the kubelet took note of the pod. */
  readonly started: number | undefined;
  /** When it had brought all it will bring. */
  readonly ended: number | undefined;
}

/** A pull pod with what it shows, before anybody knows since when. */
interface SeenPod {
  readonly pod: PullPod;
  readonly verdict: PullVerdict;
}

interface Look {
  /** Monotonic milliseconds. */
  readonly at: number;
  /** By the uid of the pod. */
  readonly pods: ReadonlyMap<string, PodMoments>;
}

const NO_PODS: Look['pods'] = new Map();
/** At the start only the wall clock tells. */
const NO_LOOK: Look = { at: -Infinity, pods: NO_PODS };
const NEW: Partial<PodMoments> = {};

export class PodAges {
  readonly #looks = new Map<string, Look>();

  /** Looks at all pods of a node. What is new about them has come since the last look. */
  observe<T extends SeenPod>(
    node: string,
    pods: readonly T[],
    moment: Moment,
  ): readonly (T & { readonly moments: PodMoments })[] {
    const last = this.#looks.get(node) ?? NO_LOOK;
    const aged = pods.map((seen) => ({ ...seen, moments: momentsOf(seen, last, moment) }));
    const known = aged.map(({ pod, moments }) => [uidOf(pod), moments] as const);
    this.#looks.set(node, { at: moment.monotonic, pods: known.length === 0 ? NO_PODS : new Map(known) });
    return aged;
  }

  forget(node: string): void {
    this.#looks.delete(node);
  }
}

function momentsOf(seen: SeenPod, { at: floor, pods }: Look, moment: Moment): PodMoments {
  const { pod, verdict } = seen;
  const { made, started, ended } = pods.get(uidOf(pod)) ?? NEW;
  const madeAt = timeOf(pod.metadata.creationTimestamp) ?? moment.now;
  const startedAt = timeOf(pod.status?.startTime);
  return {
    made: made ?? since(madeAt, floor, moment),
    started: started ?? sinceIfKnown(startedAt, floor, moment),
    ended: ended ?? sinceIfKnown(endOf(verdict, startedAt ?? madeAt), floor, moment),
  };
}

function sinceIfKnown(time: number | undefined, floor: number, moment: Moment): number | undefined {
  return time === undefined ? undefined : since(time, floor, moment);
}

/** By the monotonic clock, and no earlier than `floor`. */
function since(time: number, floor: number, { now, monotonic }: Moment): number {
  return Math.max(monotonic - Math.max(0, now - time), floor);
}

/** By the clock of the node; undefined while there is something to wait for. */
function endOf({ finished, finishedAt, runsSince }: PullVerdict, begin: number): number | undefined {
  return finished ? (finishedAt ?? begin) : runsSince;
}

/** Undefined if the text is none. */
function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}

function uidOf({ metadata }: PullPod): string {
  return metadata.uid ?? metadata.name;
}
