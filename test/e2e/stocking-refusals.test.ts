/** Pull pods that the API server refuses, changes or admits under strict rules: real quotas, limit ranges and policies. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply, conditionOf, eventually, listPods } from '../support/dev-cluster.ts';
import { digest, HOST, image, StockingStage } from './stocking-stage.ts';

let world: StockingStage;

beforeAll(async () => {
  world = await StockingStage.start({ name: 'stocking-refusals', nodes: 2 });
});

afterAll(() => world.stop());

async function namespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
  await apply(world.cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
}

function limitRange(name: string, of: string, limit: object): object {
  const limits = [{ type: 'Container', ...limit }];
  return { apiVersion: 'v1', kind: 'LimitRange', metadata: { name, namespace: of }, spec: { limits } };
}

/** Every node fails, and the object says who refused. */
async function untilRefused(of: string, words: string): Promise<void> {
  await eventually(async () => {
    const found = await world.find('lab', of);
    expect(found.status?.notPresent?.map(({ state, reason }) => [state, reason])).toEqual([
      ['Failed', 'PodRefused'],
      ['Failed', 'PodRefused'],
    ]);
    expect(found.status?.notPresent?.[0]?.message).toContain(words);
    expect(conditionOf(found, 'Prepulled')).toMatchObject({ status: 'False', reason: 'AdmissionRefused' });
    expect(conditionOf(found, 'Prepulled')?.message).toContain(words);
  });
}

describe('a pull pod is refused, and the image says so,', () => {
  it('by a quota of the namespace', async () => {
    await namespace('tight');
    await world.cluster.kubectl(['create', 'quota', 'none', '-n', 'tight', '--hard=pods=0']);
    await apply(world.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('a1')}` }, 'tight'));
    await untilRefused('tight', 'Refused by ResourceQuota none: exceeded quota');
  });

  it('by a limit range that asks for more than a pull pod wants', async () => {
    await namespace('large');
    await apply(world.cluster, limitRange('large', 'large', { min: { cpu: '500m' } }));
    await apply(world.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('a2')}` }, 'large'));
    await untilRefused('large', 'Refused by LimitRange of the namespace: minimum cpu usage per Container');
  });

  it('by an admission policy', async () => {
    await namespace('guarded', { guarded: 'yes' });
    await apply(world.cluster, ...policy());
    // Policies come into force a moment after they are made.
    await eventually(async () => {
      const refused = world.cluster.kubectl([
        'run',
        'probe',
        '-n',
        'guarded',
        '--image=x',
        '--dry-run=server',
      ]);
      await expect(refused).rejects.toThrow('no-pods');
    });
    await apply(world.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('a3')}` }, 'guarded'));
    await untilRefused('guarded', 'Refused by ValidatingAdmissionPolicy no-pods');
  });

  it('by a webhook that does not answer', async () => {
    await namespace('hooked', { hooked: 'yes' });
    await apply(world.cluster, deadWebhook());
    await apply(world.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('a4')}` }, 'hooked'));
    await untilRefused('hooked', 'Refused by admission webhook, which does not answer, dead.example.org');
  });

  it('for an account that is not there', async () => {
    await namespace('nobody');
    const access = { plainHTTP: true, serviceAccountName: 'ghost' };
    const spec = { image: `${HOST}/fine/lab@${digest('a5')}`, access };
    await apply(world.cluster, image('lab', spec, 'nobody'));
    await eventually(async () => {
      const [pair] = (await world.find('lab', 'nobody')).status?.notPresent ?? [];
      expect(pair?.message).toContain('Refused by missing ServiceAccount');
    });
  });
});

describe('a pull pod is admitted', () => {
  it('where a limit range gives defaults and bounds', async () => {
    await namespace('bounded');
    const limit = { default: { cpu: '2' }, defaultRequest: { cpu: '1' }, max: { cpu: '4', memory: '8Gi' } };
    await apply(world.cluster, limitRange('bounds', 'bounded', limit));
    await apply(world.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('a6')}` }, 'bounded'));
    await world.untilReady('lab', '2/2', 'bounded');
  });

  it('where only restricted pods are', async () => {
    await namespace('strict', { 'pod-security.kubernetes.io/enforce': 'restricted' });
    await apply(world.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('a7')}` }, 'strict'));
    await world.untilReady('lab', '2/2', 'strict');
  });

  it('one after the other under a quota of one pod', async () => {
    await namespace('narrow');
    await world.cluster.kubectl(['create', 'quota', 'one', '-n', 'narrow', '--hard=pods=1']);
    // The quota is in force once its controller has counted.
    await world.cluster.kubectl([
      'wait',
      'quota/one',
      '-n',
      'narrow',
      '--for=jsonpath={.status.hard.pods}=1',
    ]);
    await apply(world.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('a9')}` }, 'narrow'));
    await world.untilReady('lab', '2/2', 'narrow');
    const pods = (await listPods(world.cluster)).filter(({ metadata }) => metadata.namespace === 'narrow');
    const made = pods.map(({ metadata }) => Date.parse(metadata.creationTimestamp)).toSorted();
    expect(made).toHaveLength(2);
    const [first = 0, second = 0] = made;
    expect(second - first).toBeGreaterThan(0);
    expect(second - first).toBeLessThan(20_000);
  });

  it('once the quota that refused it is gone', async () => {
    await namespace('healed');
    await world.cluster.kubectl(['create', 'quota', 'none', '-n', 'healed', '--hard=pods=0']);
    await apply(world.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('a8')}` }, 'healed'));
    await untilRefused('healed', 'ResourceQuota none');
    await world.cluster.kubectl(['delete', 'quota', 'none', '-n', 'healed']);
    await world.untilReady('lab', '2/2', 'healed');
    const pods = await listPods(world.cluster);
    expect(pods.filter(({ metadata }) => metadata.namespace === 'healed')).toHaveLength(2);
  });
});

function policy(): readonly object[] {
  const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const namespaceSelector = { matchLabels: { guarded: 'yes' } };
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'no-pods' },
      spec: {
        matchConstraints: { resourceRules: rules },
        validations: [{ expression: 'false', message: 'no pods here' }],
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'no-pods' },
      spec: { policyName: 'no-pods', validationActions: ['Deny'], matchResources: { namespaceSelector } },
    },
  ];
}

function deadWebhook(): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'dead' },
    webhooks: [
      {
        name: 'dead.example.org',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        timeoutSeconds: 1,
        clientConfig: { url: 'https://127.0.0.1:1/admit' },
        namespaceSelector: { matchLabels: { hooked: 'yes' } },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
    ],
  };
}
