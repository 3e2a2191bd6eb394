/**
 * Every right has a call that needs it, and no call lacks one: the operator does all it can do, the audit log of the
 * API server says what it asked for, and that is compared with the rules of config/, verb by verb.
 */

import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../hack/dev-cluster/daemon.ts';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import { operatorRequests, refusals, writeAuditPolicy } from '../support/audit.ts';
import {
  dockerImageRecordManifest,
  imageSourceManifest,
  prepulledImageManifest,
} from '../support/builders.ts';
import {
  apply,
  conditionOf,
  eventually,
  getSource,
  listImages,
  listPods,
  type Stage,
  startStage,
} from '../support/dev-cluster.ts';
import { isUse, rightsOf, rolesOf } from '../support/rights.ts';

const CONFIG = resolve(import.meta.dirname, '../../config');
const LOGS = join('reports', 'e2e-rights');
const COMPONENTS = ['warm-gate', 'webhooks', 'records-facade'];
const ROLE_FOLDERS = ['rbac', ...COMPONENTS.map((name) => join('components', name))];

/** As a client of UFDL writes it. */
const DEMO_IMAGE = {
  name: 'demo',
  version: '1',
  url: 'registry.invalid/demo:1',
  registry_url: 'registry.invalid',
  registry_username: 'puller',
  registry_password: 'planted-secret-2',
  cuda_version: '11.1',
  framework: 1,
  domain: 'ic',
  tasks: ['Train'],
  min_hardware_generation: 'Pascal',
  licence: 'MIT',
};

const roles = rolesOf(ROLE_FOLDERS);
const rights = roles.flatMap(rightsOf);

let stage: Stage;
let url: string;

beforeAll(async () => {
  const auditPolicy = await writeAuditPolicy(LOGS);
  stage = await startStage({ logFolder: LOGS, nodes: 2, auditPolicy });
  const { cluster, registry } = stage;
  for (const folder of COMPONENTS) {
    for (const file of readdirSync(join(CONFIG, 'components', folder))) {
      if (file !== 'kustomization.yaml')
        await cluster.kubectl(['apply', '-f', join(CONFIG, 'components', folder, file)]);
    }
  }
  const reader = ['--clusterrole=larder-credential-reader', '--serviceaccount=larder-system:larder'];
  await cluster.kubectl(['create', 'rolebinding', 'larder-credentials', ...reader]);
  await cluster.kubectl(['taint', 'node', 'node-2', 'larder.dev/not-stocked:NoSchedule']);
  await apply(cluster, ...(await credentials()));
  const lab = new ImageWriter(registry.host, 'sciplat/lab');
  for (const tag of ['w_2026_46', 'w_2026_47']) await lab.push({ seed: tag }, [tag]);
  const [port = 0] = await freePorts(1);
  url = `http://127.0.0.1:${port}`;
  await startOperator(cluster, {
    flags: [`--http-port=${port}`, '--warm-gate=true', '--records-namespace=larder-records'],
  });
});

afterAll(async () => {
  await stage.cluster.stop({ keepLogs: true });
});

const metadata = (name: string): object => ({ name, namespace: 'default' });

/** One of each kind that `access` can name. */
async function credentials(): Promise<readonly object[]> {
  const auths = JSON.stringify({
    auths: { 'registry.example.org': { auth: Buffer.from('a:b').toString('base64') } },
  });
  const certificate = await readFile(join(stage.cluster.folder, 'certs', 'apiserver.crt'), 'utf8');
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/dockerconfigjson',
      metadata: metadata('regcred'),
      stringData: { '.dockerconfigjson': auths },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata('puller') },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata('internal-ca'),
      data: { 'ca.crt': certificate },
    },
  ];
}

/** All of its work that can be seen here. */
describe('the operator', () => {
  it('scans with credentials, makes children, stocks nodes and lets a new node go', async () => {
    const { cluster, registry } = stage;
    const access = {
      plainHTTP: true,
      pullSecretRefs: [{ name: 'regcred' }],
      serviceAccountName: 'puller',
    };
    const spec = {
      image: `${registry.host}/sciplat/lab`,
      interval: '10s',
      access,
      tags: { grammar: 'RSP' as const },
    };
    await apply(cluster, imageSourceManifest({ spec: { ...spec, prepull: {}, webhook: { enabled: true } } }));
    // Nobody answers over TLS there; the bundle is read all the same.
    const caBundleRef = { kind: 'ConfigMap' as const, name: 'internal-ca', key: 'ca.crt' };
    const encrypted = { image: `${registry.host}/sciplat/lab`, access: { caBundleRef } };
    await apply(cluster, imageSourceManifest({ metadata: { name: 'encrypted' }, spec: encrypted }));
    await eventually(async () => {
      const source = await getSource(cluster, 'default', 'lab');
      expect(source.status?.counts, JSON.stringify(source.status)).toMatchObject({
        selected: 2,
        prepulled: 2,
      });
      const { spec: node } = await cluster.getJson<{ spec: { taints?: object[] } }>(['node', 'node-2']);
      expect(node.taints ?? []).toEqual([]);
    });
  });

  it('takes a push event, and retires a child', async () => {
    const { cluster, registry } = stage;
    const jsonpath = 'jsonpath={.data.token}';
    const { stdout } = await cluster.kubectl(['get', 'secret', 'lab-webhook', '-o', jsonpath]);
    const token = Buffer.from(stdout, 'base64').toString();
    const digest = await new ImageWriter(registry.host, 'sciplat/lab').push({ seed: 'new' }, ['w_2026_48']);
    const target = {
      repository: 'sciplat/lab',
      tag: 'w_2026_48',
      digest,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
    };
    const event = {
      id: 'e1',
      timestamp: new Date().toISOString(),
      action: 'push',
      target,
      request: { host: registry.host },
    };
    // A replica learns of a new Secret within a minute.
    await eventually(async () => {
      const answer = await fetch(`${url}/hooks/${token}`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.docker.distribution.events.v1+json' },
        body: JSON.stringify({ events: [event] }),
      });
      expect(answer.status, await answer.text()).toBeLessThan(300);
    }, 90_000);
    await eventually(async () => {
      const images = await listImages(cluster, 'default');
      expect(images.map(({ spec }) => /w_2026_\d+/.exec(spec.image)?.[0]).sort()).toEqual([
        'w_2026_47',
        'w_2026_48',
      ]);
    });
  });

  it('asks who calls its API, and what they may see', async () => {
    const { stdout } = await stage.cluster.kubectl(['create', 'token', 'default']);
    const headers = { authorization: `Bearer ${stdout.trim()}` };
    expect((await fetch(`${url}/v1/sources/default/lab/images`, { headers })).status).toBe(403);
  });

  it('keeps records, and looks for references before it lets one go', async () => {
    const { cluster, registry } = stage;
    const plain = {
      image: `${registry.host}/sciplat/lab:w_2026_47`,
      access: { plainHTTP: true },
      prepull: {},
    };
    for (const name of ['first', 'second']) {
      await apply(cluster, dockerImageRecordManifest({ metadata: { name }, spec: { ...plain, name } }));
    }
    await eventually(async () => {
      const record = await cluster.getJson<Parameters<typeof conditionOf>[0]>(['dir', 'second']);
      expect(conditionOf(record, 'Accepted')?.status).toBe('True');
    });
    await cluster.kubectl(['delete', 'dir', 'second', '--timeout=30s']);
  });

  it('serves records with logins', async () => {
    const clerk = ['--clusterrole=cluster-admin', '--serviceaccount=larder-records:clerk'];
    await stage.cluster.kubectl(['create', 'serviceaccount', 'clerk', '-n', 'larder-records']);
    await stage.cluster.kubectl(['create', 'clusterrolebinding', 'clerk', ...clerk]);
    const { stdout } = await stage.cluster.kubectl(['create', 'token', 'clerk', '-n', 'larder-records']);
    const token = stdout.trim();
    const send = async (
      method: string,
      path: string,
      body?: object,
    ): Promise<{ status: number; pk: number }> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const request = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
      const answer = await fetch(`${url}/v1/docker/${path}`, request);
      const text = await answer.text();
      expect(answer.status, text).toBeLessThan(300);
      return { status: answer.status, pk: text === '' ? 0 : (JSON.parse(text) as { pk: number }).pk };
    };
    const { pk } = await send('POST', 'create', DEMO_IMAGE);
    await send('GET', String(pk));
    await send('PATCH', String(pk), { registry_password: 'changed' });
    await send('PATCH', String(pk), { registry_username: null, registry_password: null });
    await send('PATCH', String(pk), { url: 'registry.invalid/demo:2' });
    await send('DELETE', String(pk));
  });

  it('takes a pull pod away that brought nothing', async () => {
    const { cluster, registry } = stage;
    const spec = {
      image: `${registry.host}/missing/lab:1@sha256:${'5'.repeat(64)}`,
      access: { plainHTTP: true },
    };
    await apply(cluster, prepulledImageManifest({ metadata: { name: 'missing' }, spec }));
    await eventually(async () => {
      const image = await cluster.getJson<PrepulledImage>(['prepulledimage', 'missing']);
      expect(image.status?.nodes, JSON.stringify(image.status)).toMatchObject({ eligible: 2, failed: 2 });
      const images = (await listPods(cluster)).flatMap(({ spec: { containers } }) => containers);
      expect(images.filter((container) => container.image.includes('/missing/'))).toEqual([]);
    });
  });
});

/** Needed, and not seen here: role, resource and verb, with the reason. */
const UNSEEN: Readonly<Record<string, string>> = {
  'larder-records-facade dockerimagerecords get':
    'only after two clients have written the same record at once',
};

it.each(roles.map(({ metadata: { name } }) => name))('%s grants nothing that is not used', async (role) => {
  await eventually(async () => {
    const requests = await operatorRequests(stage.cluster);
    const unused = rights.filter(
      (right) =>
        right.role === role &&
        UNSEEN[`${role} ${right.resource} ${right.verb}`] === undefined &&
        !requests.some((request) => isUse(request, right)),
    );
    expect(unused).toEqual([]);
  }, 30_000);
});

it('nothing was refused', async () => {
  expect(refusals(await operatorRequests(stage.cluster))).toEqual([]);
});
