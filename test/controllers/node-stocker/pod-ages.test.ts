import { beforeEach, describe, expect, it } from 'vitest';
import { PodAges } from '../../../src/controllers/node-stocker/pod-ages.ts';
import type { PullPod } from '../../../src/controllers/node-stocker/pull-pod.ts';
import type { PullVerdict } from '../../../src/controllers/node-stocker/pull-verdict.ts';
import { formatTime } from '../../../src/kube/condition.ts';
import { NOW } from '../fixtures.ts';

const HOUR = 3_600_000;
const UNDER_WAY: PullVerdict = { present: [], failed: [], finished: false };

interface Told {
  readonly made?: number;
  readonly started?: number;
  readonly verdict?: PullVerdict;
}

/** What the pod says, in milliseconds from NOW. */
function told({ made = 0, started, verdict = UNDER_WAY }: Told): { pod: PullPod; verdict: PullVerdict } {
  const metadata = { name: 'p', uid: 'u', creationTimestamp: formatTime(NOW + made) };
  const status = started === undefined ? {} : { startTime: formatTime(NOW + started) };
  return { pod: { metadata, spec: {}, status }, verdict };
}

function finished(at?: number): PullVerdict {
  return { ...UNDER_WAY, finished: true, ...(at !== undefined && { finishedAt: NOW + at }) };
}

describe('PodAges', () => {
  let ages: PodAges;

  /** `wall` is what the wall clock is ahead of the other one. */
  function look(monotonic: number, pod?: Told, wall = 0) {
    const pods = pod === undefined ? [] : [told(pod)];
    return ages.observe('n1', pods, { now: NOW + monotonic + wall, monotonic })[0]?.moments;
  }

  beforeEach(() => {
    ages = new PodAges();
  });

  it('believes what pods say that were there at the start', () => {
    const pod = { made: -90_000, started: -60_000, verdict: finished(-30_000) };
    expect(look(0, pod)).toEqual({ made: -90_000, started: -60_000, ended: -30_000 });
  });

  it('takes nothing of a later pod to be older than the last look', () => {
    look(1_000);
    expect(look(2_000, { made: 1_000 }, HOUR)).toEqual({ made: 1_000 });
    const pod = { made: 1_000, started: 2_000 };
    expect(look(3_000, pod, HOUR)).toEqual({ made: 1_000, started: 2_000 });
    const ended = { ...pod, verdict: finished(3_500) };
    expect(look(4_000, ended, HOUR)).toEqual({ made: 1_000, started: 2_000, ended: 3_000 });
  });

  it('takes nothing to be younger than it was found', () => {
    look(1_000);
    const pod = { made: HOUR, started: HOUR, verdict: finished(HOUR) };
    const moments = { made: 2_000, started: 2_000, ended: 2_000 };
    expect(look(2_000, pod)).toEqual(moments);
    expect(look(9_000, pod, -HOUR)).toEqual(moments);
  });

  it('counts from the start of a pod that does not say when it ended', () => {
    expect(look(0, { made: -9_000, started: -5_000, verdict: finished() })?.ended).toBe(-5_000);
    ages.forget('n1');
    expect(look(0, { made: -9_000, verdict: finished() })?.ended).toBe(-9_000);
    ages.forget('n1');
    expect(look(0, { made: -9_000, verdict: { ...UNDER_WAY, runsSince: NOW - 3_000 } })?.ended).toBe(-3_000);
  });

  it('forgets pods that are gone, and nodes on request', () => {
    look(0, { made: 0 });
    look(60_000);
    expect(look(61_000, { made: 0 })?.made).toBe(60_000);
    ages.forget('n1');
    expect(look(62_000, { made: 0 })?.made).toBe(0);
  });
});
