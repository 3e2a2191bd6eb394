import { describe, expect, it } from 'vitest';
import {
  buildPullPod,
  type PullPod,
  projectPullPod,
  pullKeys,
  pullPodName,
  pullPodNumber,
} from '../../../src/controllers/node-stocker/pull-pod.ts';
import { judgePullPod } from '../../../src/controllers/node-stocker/pull-verdict.ts';
import type { Batch } from '../../../src/domain/stock-plan.ts';

const NODE = { name: 'n1', uid: '1111-2222' };
const DIGEST = `sha256:${'a'.repeat(64)}`;
const TAGGED = `reg.example/lab:w_1@${DIGEST}`;
const BATCH: Batch = {
  namespace: 'science',
  wants: [],
  pulls: [
    { key: DIGEST, reference: `reg.example/lab@${DIGEST}`, policy: 'IfNotPresent' },
    { key: TAGGED, reference: 'reg.example/lab:w_1', policy: 'Always' },
  ],
};
const IDENTITY = {
  pullSecrets: ['regcred'],
  serviceAccountName: undefined,
  priorityClassName: 'larder-pull',
  tolerations: [{ key: 'gpu', operator: 'Exists' as const }],
};

type Status = NonNullable<PullPod['status']>;
type ContainerStatus = NonNullable<Status['containerStatuses']>[number];

function podWith(...containerStatuses: ContainerStatus[]): PullPod {
  return podStatus({ phase: 'Pending', containerStatuses });
}

function podStatus(status: Status): PullPod {
  const { metadata } = buildPullPod(NODE, 1, BATCH, IDENTITY);
  return { metadata: { ...metadata, name: 'larder-x-1' }, spec: { nodeName: 'n1' }, status };
}

function pulled(name: string, finishedAt?: string): ContainerStatus {
  const state = finishedAt === undefined ? { running: {} } : { terminated: { finishedAt } };
  return { name, imageID: `reg.example/other@sha256:${'f'.repeat(64)}`, state };
}

function waiting(name: string, reason: string, message = ''): ContainerStatus {
  return { name, imageID: '', state: { waiting: { reason, message } } };
}

describe('buildPullPod', () => {
  it('is bound to the node, owned by it, and asks for nothing', () => {
    const pod = buildPullPod(NODE, 7, BATCH, IDENTITY);
    expect(pod.metadata).toMatchObject({
      name: pullPodName(NODE, 7),
      namespace: 'science',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid: '1111-2222', controller: true }],
    });
    expect(pod.spec).toMatchObject({
      nodeName: 'n1',
      automountServiceAccountToken: false,
      restartPolicy: 'Never',
      imagePullSecrets: [{ name: 'regcred' }],
      priorityClassName: 'larder-pull',
    });
    expect(pod.spec).not.toHaveProperty('volumes');
    expect(pod.spec).not.toHaveProperty('activeDeadlineSeconds');
    expect(pod.metadata.ownerReferences?.[0]).not.toHaveProperty('blockOwnerDeletion');
  });

  it('asks for a digest if absent and for a tag always', () => {
    const { spec } = buildPullPod(NODE, 1, BATCH, IDENTITY);
    expect(spec.containers.map(({ image, ...rest }) => [image, rest['imagePullPolicy']])).toEqual([
      [`reg.example/lab@${DIGEST}`, 'IfNotPresent'],
      ['reg.example/lab:w_1', 'Always'],
    ]);
  });
});

describe('pullPodNumber', () => {
  it('reads back its own names and nothing else', () => {
    const named = (name: string): PullPod => ({ metadata: { name }, spec: {} });
    expect(pullPodNumber(NODE, named(pullPodName(NODE, 12)))).toBe(12);
    expect(pullPodNumber(NODE, named(pullPodName({ name: 'n1', uid: 'reborn' }, 12)))).toBe(0);
    expect(pullPodNumber(NODE, named('someone-else-3'))).toBe(0);
  });
});

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
