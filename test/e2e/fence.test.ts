/**
 * What the operator could do with its rights to create pods and to patch nodes, were there no fence: each attempt is
 * refused by the API server itself, also when the account is made administrator of the whole cluster.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPullPod } from '../../src/controllers/node-stocker/pull-pod-manifest.ts';
import type { Pull } from '../../src/domain/want.ts';
import { eventually, type Stage, startStage } from '../support/dev-cluster.ts';
import { type Json, type Path, valueAt, withValue } from '../support/json-paths.ts';
import { type Answer, RawApi, refusalOf } from '../support/raw-api.ts';

let stage: Stage;
/** As the operator, with the rights of an administrator. */
let operator: RawApi;
/** A pull pod as the operator builds it. */
let pod: Json;
/** A node that waits for its stock. */
let node: Json;

const NOT_STOCKED = { key: 'larder.dev/not-stocked', effect: 'NoSchedule' };
const OTHER_TAINT = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' };

beforeAll(async () => {
  stage = await startStage({ nodes: 1, logFolder: 'reports/fence' });
  const { cluster } = stage;
  await cluster.kubectl([
    'create',
    'clusterrolebinding',
    'too-much',
    '--clusterrole=cluster-admin',
    '--serviceaccount=larder-system:larder',
  ]);
  operator = new RawApi(await cluster.serviceAccountKubeconfig('larder-system', 'larder'));
  await cluster.kubectl([
    'taint',
    'nodes',
    'node-1',
    'dedicated=gpu:NoSchedule',
    'larder.dev/not-stocked:NoSchedule',
  ]);
  node = await cluster.getJson<Json>(['node', 'node-1']);
  pod = pullPod();
  await eventually(async () => {
    expect((await createPod(withValue(pod, ['metadata', 'labels'], {}))).status).toBe(422);
    expect((await putNode(withValue(node, ['spec', 'unschedulable'], true))).status).toBe(422);
  });
});

afterAll(async () => {
  await operator[Symbol.asyncDispose]();
  await stage.cluster.stop({ keepLogs: true });
});

function pullPod(): Json {
  const uid = textAt(node, ['metadata', 'uid']);
  const reference = 'registry.example.org/lab@sha256:' + '0'.repeat(64);
  const pull: Pull = { key: reference, reference, policy: 'IfNotPresent' };
  const batch = { namespace: 'default', wants: [], pulls: [pull, { ...pull, key: 'second' }] };
  const manifest = buildPullPod({ name: 'node-1', uid }, 1, batch, {
    pullSecrets: ['regcred'],
    serviceAccountName: undefined,
    priorityClassName: 'larder-pull',
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
  });
  return { apiVersion: 'v1', kind: 'Pod', ...manifest } as unknown as Json;
}

function textAt(tree: Json, path: Path): string {
  const value = valueAt(tree, path);
  return typeof value === 'string' ? value : '';
}

/** What the server would say to a new pod. */
function createPod(object: Json): Promise<Answer> {
  return operator.send('POST', '/api/v1/namespaces/default/pods?dryRun=All', object);
}

function putNode(object: Json): Promise<Answer> {
  return operator.send('PUT', '/api/v1/nodes/node-1?dryRun=All', object);
}

async function refused(answer: Promise<Answer>, message: string): Promise<void> {
  const given = await answer;
  expect(refusalOf(given)).toContain(message);
  expect(given.status).toBe(422);
}

/** One forbidden thing: where it is written, what, and the words of the refusal. */
const POD_BREAKS: readonly (readonly [what: string, path: Path, value: Json | undefined, message: string])[] =
  [
    ['no label', ['metadata', 'labels'], {}, 'only pods with the label'],
    ['a foreign label', ['metadata', 'labels', 'larder.dev/component'], 'x', 'only pods with the label'],
    ['a name of its own', ['metadata', 'name'], 'larder-x', 'is named larder-'],
    ['no node', ['spec', 'nodeName'], undefined, 'names its node'],
    ['no owner', ['metadata', 'ownerReferences'], undefined, 'that node owns it'],
    ['another owner', ['metadata', 'ownerReferences', 0, 'name'], 'node-2', 'that node owns it'],
    ['an owner of another kind', ['metadata', 'ownerReferences', 0, 'kind'], 'Pod', 'that node owns it'],
    ['a token', ['spec', 'automountServiceAccountToken'], true, 'no service account token'],
    ['a token by default', ['spec', 'automountServiceAccountToken'], undefined, 'no service account token'],
    ['a volume', ['spec', 'volumes'], [{ name: 's', secret: { secretName: 's' } }], 'has no volume'],
    ['a host path', ['spec', 'volumes'], [{ name: 'h', hostPath: { path: '/' } }], 'has no volume'],
    ['the network of the host', ['spec', 'hostNetwork'], true, 'shares nothing with its host'],
    ['the processes of the host', ['spec', 'hostPID'], true, 'shares nothing with its host'],
    ['the memory of the host', ['spec', 'hostIPC'], true, 'shares nothing with its host'],
    ['shared processes', ['spec', 'shareProcessNamespace'], true, 'shares nothing with its host'],
    ['names of hosts', ['spec', 'hostAliases'], [{ ip: '127.0.0.1', hostnames: ['x'] }], 'shares nothing'],
    ['an init container', ['spec', 'initContainers'], [{ name: 'i', image: 'x' }], 'and no others'],
    ['a command', ['spec', 'containers', 1, 'command'], ['sh'], 'the command "true"'],
    ['the command of the image', ['spec', 'containers', 0, 'command'], undefined, 'the command "true"'],
    ['arguments', ['spec', 'containers', 0, 'args'], ['x'], 'the command "true"'],
    ['environment', ['spec', 'containers', 1, 'env'], [{ name: 'A', value: 'b' }], 'no environment'],
    [
      'a secret as environment',
      ['spec', 'containers', 0, 'envFrom'],
      [{ secretRef: { name: 's' } }],
      'no environment',
    ],
    [
      'a port',
      ['spec', 'containers', 0, 'ports'],
      [{ containerPort: 1, hostPort: 1 }],
      'no environment, mount, port',
    ],
    [
      'a hook',
      ['spec', 'containers', 0, 'lifecycle'],
      { preStop: { sleep: { seconds: 1 } } },
      'hook or probe',
    ],
    [
      'privilege',
      ['spec', 'containers', 0, 'securityContext'],
      { privileged: true },
      'cannot gain privileges',
    ],
    [
      'a way to privilege',
      ['spec', 'containers', 1, 'securityContext', 'allowPrivilegeEscalation'],
      true,
      'cannot gain',
    ],
    [
      'capabilities',
      ['spec', 'containers', 0, 'securityContext', 'capabilities'],
      { add: ['SYS_ADMIN'] },
      'drops all',
    ],
    [
      'a writable root',
      ['spec', 'containers', 0, 'securityContext', 'readOnlyRootFilesystem'],
      false,
      'drops all',
    ],
    ['root', ['spec', 'securityContext', 'runAsUser'], 0, 'as user 65534'],
    [
      'a container as root',
      ['spec', 'containers', 0, 'securityContext', 'runAsUser'],
      0,
      'cannot gain privileges',
    ],
    [
      'no seccomp profile',
      ['spec', 'securityContext', 'seccompProfile'],
      { type: 'Unconfined' },
      'seccomp profile',
    ],
    ['more memory', ['spec', 'containers', 0, 'resources', 'limits', 'memory'], '1Gi', 'limited to 100m'],
    ['no limits', ['spec', 'containers', 0, 'resources'], {}, 'limited to 100m'],
    ['restarts', ['spec', 'restartPolicy'], 'Always', 'runs once'],
    ['system priority', ['spec', 'priorityClassName'], 'system-node-critical', 'below system priority'],
  ];

describe('the operator may create', () => {
  it('its own pull pods', async () => {
    const { status, body } = await createPod(pod);
    expect([status, body]).toMatchObject([201, { kind: 'Pod' }]);
  });

  it.each(POD_BREAKS)('no pod with %s', async (_what, path, value, message) => {
    await refused(createPod(withValue(pod, path, value)), message);
  });

  it('no pod with more than 20 containers', async () => {
    const first = valueAt(pod, ['spec', 'containers', 0]) as Json;
    const containers = Array.from({ length: 21 }, (_, index) => withValue(first, ['name'], `pull-${index}`));
    await refused(createPod(withValue(pod, ['spec', 'containers'], containers)), 'at most 20 containers');
  });
});

describe('the operator may', () => {
  const path = '/api/v1/namespaces/default/pods';

  it('delete its pull pods and change none of them', async () => {
    const created = await operator.send('POST', path, pod);
    const name = textAt(pod, ['metadata', 'name']);
    // Its kubelet may have written its status meanwhile: that is no conflict of ours.
    const current = withValue(created.body as Json, ['metadata', 'resourceVersion'], undefined);
    const changed = withValue(current, ['metadata', 'labels', 'x'], 'y');
    await refused(operator.send('PUT', `${path}/${name}?dryRun=All`, changed), 'never changes a pod');
    expect((await operator.send('DELETE', `${path}/${name}`)).status).toBe(200);
  });

  it('not delete the pods of others', async () => {
    await stage.cluster.kubectl([
      'run',
      'stranger',
      '--image=x',
      '--overrides={"spec":{"nodeName":"node-1"}}',
    ]);
    await refused(operator.send('DELETE', `${path}/stranger`), 'only pods with the label');
  });
});

const NODE_BREAKS: readonly (readonly [
  what: string,
  path: Path,
  value: Json | undefined,
  message: string,
])[] = [
  [
    'relabel it',
    ['metadata', 'labels', 'node-role.kubernetes.io/control-plane'],
    '',
    'does not change labels',
  ],
  ['annotate it', ['metadata', 'annotations', 'a'], 'b', 'does not change labels, annotations'],
  ['keep it from being deleted', ['metadata', 'finalizers'], ['larder.dev/x'], 'finalizers'],
  ['cordon it', ['spec', 'unschedulable'], true, 'nothing in a node'],
  ['name its provider', ['spec', 'providerID'], 'x://y', 'nothing in a node'],
  ['take all taints off', ['spec', 'taints'], undefined, 'only removes the taint'],
  ['take the taint of somebody else off', ['spec', 'taints'], [NOT_STOCKED], 'only removes the taint'],
  ['taint it', ['spec', 'taints'], [OTHER_TAINT, { ...OTHER_TAINT, key: 'x' }], 'only removes the taint'],
  ['weaken a taint', ['spec', 'taints'], [{ ...OTHER_TAINT, effect: 'PreferNoSchedule' }], 'only removes'],
];

describe('on a node, the operator may', () => {
  it('take the startup taint off, and nothing else', async () => {
    expect(valueAt(node, ['spec', 'taints'])).toEqual([OTHER_TAINT, NOT_STOCKED]);
    const { status } = await putNode(withValue(node, ['spec', 'taints'], [OTHER_TAINT]));
    expect(status).toBe(200);
  });

  it.each(NODE_BREAKS)('not %s', async (_what, path, value, message) => {
    await refused(putNode(withValue(node, path, value)), message);
  });

  it('not write its status, delete it or make another one', async () => {
    const message = 'neither creates nor deletes nodes';
    await refused(operator.send('PUT', '/api/v1/nodes/node-1/status?dryRun=All', node), message);
    await refused(operator.send('DELETE', '/api/v1/nodes/node-1?dryRun=All'), message);
    const other = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-2' } };
    await refused(operator.send('POST', '/api/v1/nodes?dryRun=All', other), message);
  });
});

it('the fence holds nobody else back, and the API server finds no fault with it', async () => {
  const { cluster } = stage;
  await cluster.kubectl(['label', 'node', 'node-1', 'pool=gpu']);
  await cluster.kubectl(['run', 'somebody', '--image=x', '--dry-run=server']);
  for (const name of ['larder-pull-pods', 'larder-nodes']) {
    const policy = await cluster.getJson<Json>(['validatingadmissionpolicy', name]);
    expect(valueAt(policy, ['status', 'typeChecking']), name).toEqual({});
  }
});
