import { describe, expect, it } from 'vitest';
import { pullPodName } from '../../../src/controllers/node-stocker/pull-pod.ts';
import { buildPullPod } from '../../../src/controllers/node-stocker/pull-pod-manifest.ts';
import { BATCH, DIGEST, NODE, SETTINGS } from './pull-pod-fixture.ts';

describe('buildPullPod', () => {
  it('is bound to the node, owned by it, and asks for nothing', () => {
    const pod = buildPullPod(NODE, 7, BATCH, SETTINGS);
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
    const { spec } = buildPullPod(NODE, 1, BATCH, SETTINGS);
    expect(spec.containers.map(({ image, ...rest }) => [image, rest['imagePullPolicy']])).toEqual([
      [`reg.example/lab@${DIGEST}`, 'IfNotPresent'],
      ['reg.example/lab:w_1', 'Always'],
    ]);
  });
});
