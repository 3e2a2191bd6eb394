import { describe, expect, it } from 'vitest';
import { type PullPod, pullPodName, pullPodNumber } from '../../../src/controllers/node-stocker/pull-pod.ts';
import { NODE } from './pull-pod-fixture.ts';

describe('pullPodNumber', () => {
  it('reads back its own names and nothing else', () => {
    const named = (name: string): PullPod => ({ metadata: { name }, spec: {} });
    expect(pullPodNumber(NODE, named(pullPodName(NODE, 12)))).toBe(12);
    expect(pullPodNumber(NODE, named(pullPodName({ name: 'n1', uid: 'reborn' }, 12)))).toBe(0);
    expect(pullPodNumber(NODE, named('someone-else-3'))).toBe(0);
  });
});
