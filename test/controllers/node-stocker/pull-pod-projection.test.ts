import { describe, expect, it } from 'vitest';
import { type PullPod, pullKeys } from '../../../src/controllers/node-stocker/pull-pod.ts';
import { projectPullPod } from '../../../src/controllers/node-stocker/pull-pod-projection.ts';
import { DIGEST, TAGGED } from './pull-pod-fixture.ts';

describe('projectPullPod', () => {
  const containers = [
    { name: 'pull-0', image: `mirror.example/lab@${DIGEST}` },
    { name: 'pull-1', image: 'reg.example/lab:w_1' },
    { name: 'pull-2', image: 'busybox' },
    { name: 'pull-3', image: 'reg.example/lab:w_2' },
  ];
  const project = (keys: unknown, more: Record<string, string> = {}): PullPod =>
    projectPullPod({
      metadata: { name: 'x', annotations: { 'larder.dev/pull-keys': JSON.stringify(keys), ...more } },
      spec: { containers },
    });

  it('believes a key only of a container that asks for that very image', () => {
    const keys = { 'pull-0': DIGEST, 'pull-1': TAGGED, 'pull-2': DIGEST, 'pull-3': TAGGED, 'pull-4': DIGEST };
    expect([...pullKeys(project(keys))]).toEqual([
      ['pull-0', DIGEST],
      ['pull-1', TAGGED],
    ]);
    expect([...pullKeys(project(null))]).toEqual([]);
    expect([...pullKeys(project({ 'pull-2': '' }))]).toEqual([]);
  });

  it('keeps little of what somebody else has written there', () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`c${String(n)}`, DIGEST]));
    const { annotations } = project(many, { 'larder.dev/pull-identity': 'x'.repeat(9_999) }).metadata;
    expect(JSON.stringify(annotations).length).toBeLessThan(200);
  });

  it('keeps of what a kubelet tells no more than is read', () => {
    const page = 'x'.repeat(100_000);
    const states = [
      { waiting: { reason: 'ErrImagePull', message: page } },
      { running: { startedAt: '2026-11-01T10:00:00Z' } },
      { terminated: { finishedAt: '2026-11-01T10:00:00Z', message: page, containerID: 'containerd://1' } },
      {},
    ];
    const containerStatuses = states.map((state, n) => ({ name: `pull-${String(n)}`, imageID: '', state }));
    const raw = {
      metadata: { name: 'x' },
      spec: { containers },
      status: { message: page, containerStatuses },
    };
    const { status } = projectPullPod(raw);
    expect(JSON.stringify(status).length).toBeLessThan(10_000);
    expect(status?.containerStatuses?.map(({ state }) => state)).toEqual([
      { waiting: { reason: 'ErrImagePull', message: page.slice(0, 4_096) } },
      { running: { startedAt: '2026-11-01T10:00:00Z' } },
      { terminated: { finishedAt: '2026-11-01T10:00:00Z' } },
      {},
    ]);
  });
});
