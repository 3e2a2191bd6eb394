import { describe, expect, it } from 'vitest';
import type { PullPod } from '../../../src/controllers/node-stocker/pull-pod.ts';
import { buildPullPod } from '../../../src/controllers/node-stocker/pull-pod-manifest.ts';
import { judgePullPod } from '../../../src/controllers/node-stocker/pull-verdict.ts';
import { BATCH, DIGEST, NODE, SETTINGS, TAGGED } from './pull-pod-fixture.ts';

type Status = NonNullable<PullPod['status']>;
type ContainerStatus = NonNullable<Status['containerStatuses']>[number];

function podWith(...containerStatuses: ContainerStatus[]): PullPod {
  return podStatus({ phase: 'Pending', containerStatuses });
}

function podStatus(status: Status): PullPod {
  const { metadata } = buildPullPod(NODE, 1, BATCH, SETTINGS);
  return { metadata: { ...metadata, name: 'larder-x-1' }, spec: { nodeName: 'n1' }, status };
}

function pulled(name: string, finishedAt?: string): ContainerStatus {
  const state = finishedAt === undefined ? { running: {} } : { terminated: { finishedAt } };
  return { name, imageID: `reg.example/other@sha256:${'f'.repeat(64)}`, state };
}

function waiting(name: string, reason: string, message = ''): ContainerStatus {
  return { name, imageID: '', state: { waiting: { reason, message } } };
}

describe('judgePullPod', () => {
  it('knows nothing of a pod the kubelet has not seen', () => {
    expect(judgePullPod(podStatus({ phase: 'Pending' }))).toEqual({
      present: [],
      failed: [],
      finished: false,
    });
  });

  it('waits while containers are created', () => {
    const pod = podWith(waiting('pull-0', 'ContainerCreating'), waiting('pull-1', 'ContainerCreating'));
    expect(judgePullPod(pod)).toEqual({ present: [], failed: [], finished: false });
  });

  it('takes an image id as proof, whatever digest it shows and however the container ended', () => {
    const pod = podStatus({
      phase: 'Failed',
      containerStatuses: [pulled('pull-0', '2026-11-01T10:00:00Z'), pulled('pull-1', '2026-11-01T10:00:05Z')],
    });
    expect(judgePullPod(pod)).toEqual({
      present: [DIGEST, TAGGED],
      failed: [],
      finished: true,
      finishedAt: Date.parse('2026-11-01T10:00:05Z'),
    });
  });

  it('is not finished while a container that has its image still runs', () => {
    const pod = podWith(pulled('pull-0'), pulled('pull-1', '2026-11-01T10:00:00Z'));
    expect(judgePullPod(pod)).toMatchObject({ present: [DIGEST, TAGGED], finished: false });
  });

  it('is not held up by an image whose `true` never ends', () => {
    const pod = podWith(
      { ...pulled('pull-0'), state: { running: { startedAt: '2026-11-01T10:00:00Z' } } },
      pulled('pull-1', '2026-11-01T10:00:00Z'),
    );
    const since = Date.parse('2026-11-01T10:00:00Z');
    expect(judgePullPod(pod)).toMatchObject({ present: [DIGEST, TAGGED], finished: false, runsSince: since });
    expect(judgePullPod(podWith(pulled('pull-0'), pulled('pull-1'))).runsSince).toBeUndefined();
    const pulling = podWith(
      { ...pulled('pull-0'), state: { running: { startedAt: '2026-11-01T10:00:00Z' } } },
      waiting('pull-1', 'ContainerCreating'),
    );
    expect(judgePullPod(pulling).runsSince).toBeUndefined();
  });

  it.each(['CreateContainerError', 'CreateContainerConfigError', 'RunContainerError'])(
    'gives up a container that the kubelet will never run: %s',
    (reason) => {
      const message = 'failed to create containerd container: mount callback failed';
      const pod = podWith(waiting('pull-0', reason, message), waiting('pull-1', reason, message));
      expect(judgePullPod(pod)).toMatchObject({
        present: [],
        finished: true,
        failed: [
          { key: DIGEST, failure: { class: 'Node', reason: 'RuntimeFailed', message } },
          { key: TAGGED, failure: { reason: 'RuntimeFailed' } },
        ],
      });
    },
  );

  it('does not wait for a sidecar that somebody injected', () => {
    const ended = '2026-11-01T10:00:00Z';
    const pod = podWith(pulled('pull-0', ended), pulled('pull-1', ended), pulled('proxy'));
    expect(judgePullPod(pod)).toMatchObject({ finished: true, finishedAt: Date.parse(ended) });
  });

  it('harvests the good images of a pod that will never finish because of a bad one', () => {
    const message = 'rpc error: code = NotFound desc = failed to pull and unpack image';
    const pod = podWith(
      pulled('pull-0', '2026-11-01T10:00:00Z'),
      waiting('pull-1', 'ImagePullBackOff', message),
    );
    expect(judgePullPod(pod)).toMatchObject({
      present: [DIGEST],
      failed: [{ key: TAGGED, failure: { class: 'Image', reason: 'ImageNotFound' } }],
      finished: true,
    });
  });

  it('says who refused a pod that was never run', () => {
    const pod = podStatus({
      phase: 'Failed',
      reason: 'OutOfpods',
      message: 'Pod was rejected: too many pods',
    });
    expect(judgePullPod(pod)).toMatchObject({
      finished: true,
      failed: [
        { key: DIGEST, failure: { class: 'Admission', reason: 'PodRefused' } },
        { key: TAGGED, failure: { message: 'OutOfpods: Pod was rejected: too many pods' } },
      ],
    });
  });

  it('believes nothing of a pod whose annotation is not ours', () => {
    const pod: PullPod = {
      ...podWith(pulled('pull-0')),
      metadata: { name: 'x', annotations: { 'larder.dev/pull-keys': '[' } },
    };
    expect(judgePullPod(pod).present).toEqual([]);
  });
});

describe('a pod that pulls by digest and by tag', () => {
  const ended = { terminated: { finishedAt: '2026-11-01T10:00:00Z' } };
  const show = (tagImageId: string): PullPod =>
    podWith(
      { name: 'pull-0', imageID: 'reg.example/x@sha256:1', state: ended },
      { name: 'pull-1', imageID: tagImageId, state: ended },
    );

  it('proves the tag if both containers show one image', () => {
    expect(judgePullPod(show('reg.example/x@sha256:1')).present).toEqual([DIGEST, TAGGED]);
  });

  it('does not, if the tag has moved meanwhile', () => {
    expect(judgePullPod(show('reg.example/x@sha256:2'))).toMatchObject({
      present: [DIGEST],
      failed: [{ key: TAGGED, failure: { reason: 'ImagePullFailed' } }],
      finished: true,
    });
  });
});
