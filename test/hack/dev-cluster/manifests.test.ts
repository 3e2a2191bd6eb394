import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { kubeconfig } from '../../../hack/dev-cluster/kubeconfig.ts';
import { nodeList } from '../../../hack/dev-cluster/simulated-node.ts';
import { nodeFacts } from '../../../src/controllers/node.ts';

it('a kubeconfig is YAML with one context that is the current one', () => {
  const text = kubeconfig({ server: 'https://127.0.0.1:6443', authority: Buffer.from('PEM'), token: 't' });
  expect(parse(text)).toMatchObject({
    kind: 'Config',
    'current-context': 'dev',
    contexts: [{ name: 'dev', context: { cluster: 'dev', user: 'dev' } }],
    clusters: [{ cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority-data': 'UEVN' } }],
    users: [{ user: { token: 't' } }],
  });
});

it('simulated nodes are what the operator takes for nodes', () => {
  const taints = [{ key: 'gpu', effect: 'NoSchedule' }];
  const text = nodeList([
    { name: 'n1' },
    { name: 'n2', architecture: 'arm64', labels: { pool: 'gpu' }, taints },
  ]);
  const { items } = JSON.parse(text) as { readonly items: readonly Parameters<typeof nodeFacts>[0][] };
  expect(items.map(nodeFacts)).toMatchObject([
    { name: 'n1', os: 'linux', architecture: 'amd64', taints: [], ephemeralBytes: 2 ** 40, machineId: 'n1' },
    { name: 'n2', architecture: 'arm64', labels: { pool: 'gpu', 'kubernetes.io/arch': 'arm64' }, taints },
  ]);
});
