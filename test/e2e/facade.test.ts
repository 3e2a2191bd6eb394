/** The records API of two replicas on a real API server, under the rights of the component records-facade. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../../hack/dev-cluster/daemon.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import type { DockerImageRecord } from '../../src/api/docker-image-record.ts';
import type { ImageView } from '../../src/server/docker/image-view.ts';
import { prepulledImageManifest } from '../support/builders.ts';
import { apply, eventually, type Stage, startStage } from '../support/dev-cluster.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const NAMESPACE = 'larder-records';
const PASSWORD = 'planted-pa55-e2e';
/** Exit code of the fuzzer where there is no PyPI. */
const CANNOT_INSTALL = 75;
const DEMO = {
  version: '1.0',
  url: 'reg.invalid/demo:1.0',
  registry_url: 'reg.invalid',
  cuda_version: '11.1',
  framework: 1,
  domain: 'ic',
  tasks: ['Train'],
  min_hardware_generation: 'Pascal',
  licence: 'MIT',
};

const { ufdl } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../cases/data/ufdl-pushsource-cases.json'), 'utf8'),
) as { readonly ufdl: { readonly catalogue: { readonly dockerImages: readonly ImageView[] } } };
const IMAGES = ufdl.catalogue.dockerImages;

interface Replica {
  readonly daemon: Daemon;
  readonly url: string;
  readonly metricsUrl: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ImageView & { readonly detail?: string };
}

let stage: Stage;
let replicas: readonly [Replica, Replica];
const tokens = new Map<string, string>();
/** Everything that readers without rights were ever told. */
let toldReaders = '';

/** kubectl of the administrator, in the namespace of the records. */
async function kubectl(...args: readonly string[]): Promise<string> {
  return (await stage.cluster.kubectl(['-n', NAMESPACE, ...args])).stdout;
}

async function startReplica(name: string): Promise<Replica> {
  const daemon = await startOperator(stage.cluster, {
    name,
    flags: [`--records-namespace=${NAMESPACE}`, '--http-rate=0'],
  });
  const line = (await readFile(daemon.logFile, 'utf8'))
    .split('\n')
    .find((each) => each.includes('"httpPort":'));
  const { httpPort, healthPort } = JSON.parse(line ?? '{}') as { httpPort: number; healthPort: number };
  return {
    daemon,
    url: `http://127.0.0.1:${httpPort}`,
    metricsUrl: `http://127.0.0.1:${healthPort}/metrics`,
  };
}

/** A ServiceAccount whose Role in the namespace has these rules, and its token. */
async function addPerson(name: string, ...rules: readonly object[]): Promise<void> {
  const metadata = { name, namespace: NAMESPACE };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name };
  const api = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata };
  await apply(
    stage.cluster,
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { ...api, kind: 'Role', rules },
    {
      ...api,
      kind: 'RoleBinding',
      roleRef,
      subjects: [{ kind: 'ServiceAccount', name, namespace: NAMESPACE }],
    },
  );
  tokens.set(name, (await kubectl('create', 'token', name)).trim());
}

interface Sent {
  readonly as?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Which replica answers. */
  readonly replica?: 0 | 1;
}

async function send(
  request: string,
  { as = 'staff', body, headers, replica = 0 }: Sent = {},
): Promise<Answer> {
  const [method = '', path = ''] = request.split(' ');
  const response = await fetch(`${replicas[replica].url}${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens.get(as)}`, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (as === 'reader') toldReaders += text;
  const answer = (text === '' ? {} : JSON.parse(text)) as Answer['body'];
  return { status: response.status, headers: response.headers, body: answer };
}

function create(name: string, overrides: object = {}, replica: 0 | 1 = 0): Promise<Answer> {
  return send('POST /v1/docker/create', { body: { ...DEMO, name, ...overrides }, replica });
}

async function records(...args: readonly string[]): Promise<readonly DockerImageRecord[]> {
  const { items } = await stage.cluster.getJson<{ items: DockerImageRecord[] }>([
    'dir',
    '-n',
    NAMESPACE,
    ...args,
  ]);
  return items;
}

async function recordOf(pk: number): Promise<DockerImageRecord | undefined> {
  return (await records('-l', `larder.dev/pk=${pk}`))[0];
}

async function larder(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'dist', 'larder.js'), ...args], {
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

beforeAll(async () => {
  stage = await startStage({ logFolder: join('reports', 'e2e-facade'), nodes: 1 });
  await stage.cluster.kubectl(['apply', '-f', join(ROOT, 'config/components/records-facade/role.yaml')]);
  replicas = [await startReplica('replica-a'), await startReplica('replica-b')];
  const kinds = { apiGroups: ['larder.dev'], resources: ['dockerimagerecords'] };
  const secrets = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] };
  await addPerson('staff', { ...kinds, verbs: ['create', 'update', 'patch', 'delete'] }, secrets);
  await addPerson('reader', { ...kinds, verbs: ['list'] });
});

afterAll(async () => {
  await stage.cluster.stop({ keepLogs: true });
});

describe('the shipped catalogue of 23 images', () => {
  it('is imported with its keys', async () => {
    const file = join(stage.cluster.folder, 'images.json');
    await writeFile(file, JSON.stringify(IMAGES));
    const argv = ['record', 'import', file, '-n', NAMESPACE, '--kubeconfig', stage.cluster.kubeconfigFile];
    const rows = JSON.parse(await larder([...argv, '-o', 'json'])) as readonly {
      pk: number;
      result: string;
    }[];
    expect(rows.map(({ pk, result }) => [pk, result])).toEqual(IMAGES.map(({ pk }) => [pk, 'created']));
    const again = JSON.parse(await larder([...argv, '-o', 'json'])) as typeof rows;
    expect(new Set(again.map(({ result }) => result))).toEqual(new Set(['unchanged']));
  });

  it.each([0, 1] as const)('is served as it was by replica %i', async (replica) => {
    expect((await send('POST /v1/docker/list', { replica })).body).toEqual(IMAGES);
    const masked = IMAGES.map((image) => ({ ...image, registry_username: null, registry_password: null }));
    expect((await send('POST /v1/docker/list', { as: 'reader', replica })).body).toEqual(masked);
  });

  it('keeps its keys when the controller has seen it', async () => {
    await eventually(async () => {
      const found = await records();
      expect(found.map(({ status }) => status?.pk).toSorted((left = 0, right = 0) => left - right)).toEqual(
        IMAGES.map(({ pk }) => pk),
      );
    });
    expect((await send('POST /v1/docker/list')).body).toEqual(IMAGES);
  });

  it.each([
    ['spec.domain=od', 12],
    ['spec.cpu=true', 8],
    ['spec.framework.name=yolo,spec.cpu=false', 3],
    ['spec.licence=Apache 2.0', 11],
  ])('answers field selector %s with %i of them (12)', async (selector, count) => {
    expect(await records('--field-selector', selector)).toHaveLength(count);
  });

  it('is exported as it was', async () => {
    const argv = ['record', 'export', '-n', NAMESPACE, '--kubeconfig', stage.cluster.kubeconfigFile];
    expect(JSON.parse(await larder([...argv, '--with-credentials']))).toEqual(IMAGES);
  });
});

describe('filters', () => {
  it.each<[string, object, readonly number[]]>([
    ['exact, by the API server', { type: 'exact', field: 'name', value: 'yolo' }, [14, 15, 16]],
    [
      'exact, with blanks',
      { type: 'exact', field: 'licence.name', value: 'Mozilla Public License 2.0' },
      [21, 22, 23],
    ],
    ['numeric', { type: 'compare', field: 'cuda_version.version', operator: '>', value: '11.1' }, [23]],
  ])('%s', async (_, expression, pks) => {
    const { body } = await send('POST /v1/docker/list', {
      as: 'reader',
      body: { expressions: [expression] },
    });
    expect((body as unknown as readonly ImageView[]).map(({ pk }) => pk)).toEqual(pks);
  });

  it.each(['a,b', 'a=b', 'a\\b', '', '!=x', 'é😀'])(
    'exact %j finds nothing, and breaks nothing',
    async (value) => {
      const body = { expressions: [{ type: 'exact', field: 'name', value }] };
      expect(await send('POST /v1/docker/list', { as: 'reader', body })).toMatchObject({
        status: 200,
        body: [],
      });
    },
  );
});

describe('logins', () => {
  it('go into a Secret that goes with the record, and are shown to those who may get it (7)', async () => {
    const login = { registry_username: 'robot', registry_password: PASSWORD };
    const created = await create('secretive', login);
    expect(created).toMatchObject({ status: 201, body: login });
    const { pk } = created.body;
    const record = await recordOf(pk);
    const name = record?.spec.access.pullSecretRefs?.[0]?.name ?? '';
    const secret = JSON.parse(await kubectl('get', 'secret', name, '-o', 'json')) as {
      readonly type: string;
      readonly metadata: { readonly ownerReferences: readonly { readonly uid: string }[] };
    };
    expect(secret.type).toBe('kubernetes.io/dockerconfigjson');
    expect(secret.metadata.ownerReferences[0]?.uid).toBe(record?.metadata.uid);
    expect(JSON.stringify(secret)).not.toContain(PASSWORD);
    expect((await send(`GET /v1/docker/${pk}`, { as: 'reader', replica: 1 })).body).toMatchObject({
      registry_username: null,
      registry_password: null,
    });
    expect((await send(`GET /v1/docker/${pk}`, { replica: 1 })).body).toMatchObject(login);
    expect((await send('DELETE /v1/docker/1', { as: 'reader' })).status).toBe(403);
  });

  it('are cleared by null and kept when left out (8)', async () => {
    const { pk } = (await create('keeper', { registry_username: 'robot', registry_password: PASSWORD })).body;
    const path = `/v1/docker/${pk}`;
    const replaced = await send(`PUT ${path}`, {
      body: { ...DEMO, name: 'keeper', licence: 'GPL3' },
      replica: 1,
    });
    expect(replaced.body).toMatchObject({ licence: 'GPL3', registry_password: PASSWORD });
    await send(`PATCH ${path}`, { body: { registry_password: null } });
    const record = await recordOf(pk);
    const name = record?.spec.access.pullSecretRefs?.[0]?.name ?? '';
    const data = await kubectl('get', 'secret', name, '-o', 'jsonpath={.data}');
    expect(Object.keys(JSON.parse(data) as object).toSorted()).toEqual(['.dockerconfigjson', 'username']);
    expect((await send(`GET ${path}`)).body).toMatchObject({
      registry_username: 'robot',
      registry_password: null,
    });
    await send(`PATCH ${path}`, { body: { registry_username: null } });
    expect(await kubectl('get', 'secrets', '-o', 'name')).not.toContain(name);
  });

  it('vanish with their image', async () => {
    const { pk } = (await create('short-lived', { registry_username: 'robot', registry_password: PASSWORD }))
      .body;
    const name = (await recordOf(pk))?.spec.access.pullSecretRefs?.[0]?.name ?? '';
    expect(await kubectl('get', 'secrets', '-o', 'name')).toContain(name);
    expect((await send(`DELETE /v1/docker/${pk}`)).status).toBe(204);
    await eventually(async () => {
      expect(await kubectl('get', 'secrets', '-o', 'name')).not.toContain(name);
    });
  });
});

describe('DELETE', () => {
  it('leaves an image that is in use untouched, and says so (5)', async () => {
    const { pk } = (await create('in-use')).body;
    const record = await recordOf(pk);
    const recordName = record?.metadata.name ?? '';
    await apply(
      stage.cluster,
      prepulledImageManifest({
        metadata: { name: 'holder', namespace: NAMESPACE },
        spec: { recordRef: { name: recordName }, suspend: true },
      }),
    );
    const silent = await send(`DELETE /v1/docker/${pk}`);
    expect(silent.status).toBe(204);
    expect(silent.headers.get('warning')).toContain(`in use by PrepulledImage ${NAMESPACE}/holder`);
    const strict = await send(`DELETE /v1/docker/${pk}`, { headers: { prefer: 'handling=strict' } });
    expect(strict.status).toBe(409);
    expect((await recordOf(pk))?.metadata).not.toHaveProperty('deletionTimestamp');
    expect((await send(`GET /v1/docker/${pk}`)).status).toBe(200);
    await kubectl('delete', 'ppi', 'holder');
    expect((await send(`DELETE /v1/docker/${pk}`)).headers.get('warning')).toBeNull();
    expect((await send(`GET /v1/docker/${pk}`)).status).toBe(404);
  });

  it('frees name and version, never the key (9)', async () => {
    const first = (await create('again')).body.pk;
    expect((await send(`DELETE /v1/docker/${first}`, { replica: 1 })).status).toBe(204);
    const second = await create('again', {}, 1);
    expect(second).toMatchObject({ status: 201, body: { pk: first + 1 } });
  });
});

it('keys survive a backup that drops the status (10)', async () => {
  const { pk } = (await create('restored')).body;
  await eventually(async () => {
    expect((await recordOf(pk))?.status?.pk).toBe(pk);
  });
  const { metadata, spec } = (await recordOf(pk)) ?? {};
  await kubectl('delete', 'dir', metadata?.name ?? '');
  const restored = { name: metadata?.name, namespace: NAMESPACE, labels: metadata?.labels };
  await apply(stage.cluster, {
    apiVersion: 'larder.dev/v1alpha1',
    kind: 'DockerImageRecord',
    metadata: restored,
    spec,
  });
  await eventually(async () => {
    expect((await recordOf(pk))?.status?.pk).toBe(pk);
  });
  expect((await send(`GET /v1/docker/${pk}`)).body).toMatchObject({ pk, name: 'restored' });
});

it('one of 50 writers on two replicas gets a name and version, the others 400 (11)', async () => {
  const login = { registry_username: 'robot', registry_password: PASSWORD };
  const before = (await kubectl('get', 'secrets', '-o', 'name')).split('\n').length;
  const asked = Array.from({ length: 50 }, (_, index) => create('wanted', login, index % 2 === 0 ? 0 : 1));
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 201)).toHaveLength(1);
  expect(statuses.filter((status) => status === 400)).toHaveLength(49);
  expect(await records('--field-selector', 'spec.name=wanted')).toHaveLength(1);
  expect((await kubectl('get', 'secrets', '-o', 'name')).split('\n')).toHaveLength(before + 1);
});

it('a younger twin that somebody applies is not served (2)', async () => {
  const { pk } = (await create('twin')).body;
  const { spec, metadata: elder } = (await recordOf(pk)) ?? {};
  // Timestamps of objects are whole seconds; within one, the uid decides who is younger.
  const created = Date.parse(elder?.creationTimestamp ?? '');
  await eventually(() => {
    expect(Date.now()).toBeGreaterThan(created + 1_000);
  });
  const metadata = { name: 'younger-twin', namespace: NAMESPACE };
  await apply(stage.cluster, {
    apiVersion: 'larder.dev/v1alpha1',
    kind: 'DockerImageRecord',
    metadata,
    spec,
  });
  const twins = { body: { expressions: [{ type: 'exact', field: 'name', value: 'twin' }] } };
  await eventually(async () => {
    const found = (await records('--field-selector', 'spec.name=twin')).find(
      (each) => each.metadata.name === 'younger-twin',
    );
    expect(found?.status?.conditions?.find(({ type }) => type === 'Accepted')?.status).toBe('False');
  });
  expect((await send('POST /v1/docker/list', twins)).body).toMatchObject([{ pk }]);
});

it('the OpenAPI document describes it', async () => {
  const { body } = await send('GET /openapi.json', { as: 'reader' });
  const { paths } = body as unknown as { readonly paths: Readonly<Record<string, object>> };
  expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/v1/docker/{pk}', '/v1/cuda/list']));
});

it('no planted password is anywhere but in Secrets', async () => {
  // In error texts: a body that is refused on every field.
  const wrong = {
    ...DEMO,
    name: 'x',
    domain: PASSWORD,
    url: PASSWORD,
    registry_username: null,
    registry_password: PASSWORD,
  };
  await send('POST /v1/docker/create', { body: wrong });
  await send('PATCH /v1/docker/1', { as: 'reader', body: { registry_password: PASSWORD } });
  const places: Record<string, string> = {
    objects: await kubectl(
      'get',
      'dir,ppi,pods,events,configmaps,events.events.k8s.io',
      '-o',
      'yaml',
      '--show-managed-fields',
    ),
    'objects of the operator': (
      await stage.cluster.kubectl(['get', 'configmaps,leases,events', '-n', 'larder-system', '-o', 'yaml'])
    ).stdout,
    'answers to readers': toldReaders,
    'export without credentials': await larder([
      'record',
      'export',
      '-n',
      NAMESPACE,
      '--kubeconfig',
      stage.cluster.kubeconfigFile,
    ]),
  };
  for (const { daemon, metricsUrl } of replicas) {
    places[`log of ${daemon.name}`] = await readFile(daemon.logFile, 'utf8');
    places[`arguments of ${daemon.name}`] = await readFile(`/proc/${daemon.pid}/cmdline`, 'utf8');
    places[`metrics of ${daemon.name}`] = await (await fetch(metricsUrl)).text();
  }
  for (const [place, text] of Object.entries(places)) {
    expect([place, text.length > 0]).toEqual([place, true]);
    expect([place, text.includes(PASSWORD) || text.includes(btoa(PASSWORD))]).toEqual([place, false]);
  }
});

it('withstands half a minute of schemathesis', async (context) => {
  const program = join(ROOT, 'hack/fuzz/records.ts');
  const env = { ...process.env, LARDER_FUZZ_URL: replicas[1].url, LARDER_FUZZ_TOKEN: tokens.get('staff') };
  const options = { env, maxBuffer: 64 * 1024 * 1024 };
  const failure = await promisify(execFile)(process.execPath, [program, '30', '1'], options).then(
    ({ stdout }) => {
      expect(stdout).toMatch(/No issues found/);
    },
    (error: unknown) => error as { readonly code: number; readonly stdout: string; readonly stderr: string },
  );
  if (failure?.code === CANNOT_INSTALL) context.skip(failure.stderr.split('\n')[0]);
  expect(failure && `${failure.stdout}\n${failure.stderr}`).toBeUndefined();
  expect(await replicas[1].daemon.hasLogged('a route failed')).toBe(false);
});
