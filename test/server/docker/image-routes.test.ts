/** The routes of images beyond the cases: logins, deletion, uniqueness, records that people made. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DockerImageRecordManifest } from '../../../src/api/docker-image-record.ts';
import type { ImageView } from '../../../src/server/docker/image-view.ts';
import { recordName } from '../../../src/server/docker/record-name.ts';
import { dockerImageRecord, type Overrides } from '../../support/builders.ts';
import { RECORDS_NAMESPACE, RECORDS_REF, RecordsApi, SECRETS_REF } from '../../support/records-api.ts';

const PASSWORD = 'planted-pa55';
const DEMO = {
  name: 'demo',
  version: '1.0',
  url: 'reg.example.com/demo:1.0',
  registry_url: 'reg.example.com',
  cuda_version: '11.1',
  framework: 1,
  domain: 'ic',
  tasks: ['Train'],
  min_hardware_generation: 'Pascal',
  licence: 'MIT',
};
const LOGIN = { registry_username: 'robot', registry_password: PASSWORD };

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ImageView & { readonly detail?: string };
}

let facade: RecordsApi;
beforeEach(async () => {
  facade = await RecordsApi.start();
});
afterEach(async () => {
  await facade[Symbol.asyncDispose]();
});

interface Sent {
  readonly as?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly to?: RecordsApi;
}

async function send(
  request: string,
  { as = 'admin', body, headers, to = facade }: Sent = {},
): Promise<Answer> {
  const [method = '', path = ''] = request.split(' ');
  const init = { method, headers: { 'content-type': 'application/json', ...headers } };
  const response = await to.served.fetchAs(
    as,
    path,
    body === undefined ? init : { ...init, body: JSON.stringify(body) },
  );
  const text = await response.text();
  const answer = (text === '' ? {} : JSON.parse(text)) as Answer['body'];
  return { status: response.status, headers: response.headers, body: answer };
}

function create(overrides: object = {}, to: RecordsApi = facade): Promise<Answer> {
  return send('POST /v1/docker/create', { body: { ...DEMO, ...overrides }, to });
}

interface StoredSecret {
  readonly metadata: {
    readonly name: string;
    readonly ownerReferences?: readonly { readonly uid: string; readonly kind: string }[];
  };
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

function secrets(): readonly StoredSecret[] {
  return facade.api.store.list(SECRETS_REF) as unknown as readonly StoredSecret[];
}

function secretData(): Readonly<Record<string, string>> {
  const entries = Object.entries(secrets()[0]?.data ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

/** A record that somebody applied. */
function putRecord(name: string, pk: number, overrides: Overrides<DockerImageRecordManifest> = {}): void {
  const labels = { 'larder.dev/pk': String(pk) };
  const record = dockerImageRecord({
    ...overrides,
    metadata: { name, namespace: RECORDS_NAMESPACE, labels },
  });
  facade.api.store.put(RECORDS_REF, record);
}

describe('logins', () => {
  it('go into a Secret that goes with the record, and nowhere else', async () => {
    expect((await create(LOGIN)).status).toBe(201);
    const [record] = facade.records();
    const [secret] = secrets();
    expect(secret).toMatchObject({
      type: 'kubernetes.io/dockerconfigjson',
      metadata: { ownerReferences: [{ kind: 'DockerImageRecord', uid: record?.metadata.uid }] },
    });
    expect(secretData()).toEqual({
      '.dockerconfigjson': JSON.stringify({
        auths: {
          'reg.example.com': { username: 'robot', password: PASSWORD, auth: btoa(`robot:${PASSWORD}`) },
        },
      }),
      username: 'robot',
      password: PASSWORD,
    });
    expect(record?.spec.access.pullSecretRefs).toEqual([{ name: secret?.metadata.name }]);
    expect(JSON.stringify(record)).not.toContain(PASSWORD);
  });

  it('are shown to those who may get the Secret', async () => {
    await create(LOGIN);
    const [secret] = secrets();
    const { reviews } = facade.served;
    reviews.allow('keeper', `get /secrets ${RECORDS_NAMESPACE}/${secret?.metadata.name}`);
    reviews.allow('warden', `get /secrets ${RECORDS_NAMESPACE}`);
    expect((await send('GET /v1/docker/1', { as: 'reader' })).body).toMatchObject({
      registry_username: null,
      registry_password: null,
    });
    expect((await send('GET /v1/docker/1', { as: 'keeper' })).body).toMatchObject(LOGIN);
    const list = await send('POST /v1/docker/list', { as: 'warden' });
    expect(list.body).toMatchObject([LOGIN]);
    const ofReader = await send('POST /v1/docker/list', { as: 'reader' });
    expect(ofReader.body).toMatchObject([{ registry_username: null, registry_password: null }]);
  });

  it('are cleared by null, and the Secret goes with the last of them', async () => {
    await create(LOGIN);
    await send('PATCH /v1/docker/1', { body: { registry_password: null } });
    expect(secretData()).toEqual({ '.dockerconfigjson': '{"auths":{}}', username: 'robot' });
    await send('PATCH /v1/docker/1', { body: { registry_username: null } });
    expect(secrets()).toEqual([]);
    expect(facade.records()[0]?.spec.access.pullSecretRefs).toBeUndefined();
  });

  it('stay when they are left out, and are made later', async () => {
    await create();
    expect(secrets()).toEqual([]);
    expect((await send('PATCH /v1/docker/1', { body: LOGIN })).body).toMatchObject(LOGIN);
    const [record] = facade.records();
    expect(secrets()[0]?.metadata.ownerReferences?.[0]?.uid).toBe(record?.metadata.uid);
    expect((await send('PUT /v1/docker/1', { body: DEMO })).body).toMatchObject(LOGIN);
  });

  it.each([
    ['https://index.docker.io/v1/', 'https://index.docker.io/v1/'],
    ['docker.io', 'https://index.docker.io/v1/'],
    ['https://Reg.example.com:5000/v2/', 'reg.example.com:5000'],
  ])('of %s are found by the kubelet as %s', async (url, key) => {
    await create(LOGIN);
    await send('PATCH /v1/docker/1', { body: { registry_url: url } });
    const config = JSON.parse(secretData()['.dockerconfigjson'] ?? '') as { readonly auths: object };
    expect(Object.keys(config.auths)).toEqual([key]);
  });

  it('are sent to no other registry for who may not get the Secret', async () => {
    await create(LOGIN);
    const before = secretData();
    const { reviews } = facade.served;
    for (const verb of ['patch', 'update'])
      reviews.allow('staff', `${verb} larder.dev/dockerimagerecords ${RECORDS_NAMESPACE}`);
    const elsewhere = { registry_url: 'evil.example.net', url: 'evil.example.net/demo:1.0' };
    const attempts = [
      ['PATCH /v1/docker/1', elsewhere],
      ['PATCH /v1/docker/1', { registry_username: 'other' }],
      ['PUT /v1/docker/1', { ...DEMO, ...elsewhere }],
    ] as const;
    for (const [request, body] of attempts) {
      const { status, body: answer } = await send(request, { as: 'staff', body });
      expect(status).toBe(403);
      expect(answer.detail).toContain('State registry_password again');
    }
    expect(secretData()).toEqual(before);
    expect(facade.records()[0]?.spec.image).toBe(DEMO.url);
    const stated = { ...elsewhere, ...LOGIN, registry_password: 'own' };
    expect((await send('PATCH /v1/docker/1', { as: 'staff', body: stated })).status).toBe(200);
    expect(secretData()['.dockerconfigjson']).not.toContain(PASSWORD);
    const [secret] = secrets();
    reviews.allow('keeper', `patch larder.dev/dockerimagerecords ${RECORDS_NAMESPACE}`);
    reviews.allow('keeper', `get /secrets ${RECORDS_NAMESPACE}/${secret?.metadata.name}`);
    const back = { registry_url: DEMO.registry_url };
    expect((await send('PATCH /v1/docker/1', { as: 'keeper', body: back })).status).toBe(200);
  });

  it('are not taken within the URL, which everybody reads', async () => {
    const { status, body } = await create({ registry_url: `https://robot:${PASSWORD}@reg.example.com` });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).not.toContain(PASSWORD);
    expect(Object.keys(body)).toEqual(['registry_url']);
  });

  it('need a user for a password', async () => {
    await create();
    const { status, body } = await send('PATCH /v1/docker/1', { body: { registry_password: PASSWORD } });
    expect({ status, body }).toEqual({
      status: 400,
      body: { registry_username: ['This field is required with registry_password.'] },
    });
  });

  it('of Secrets that others made are read, and left alone', async () => {
    const auths = { 'registry.example.org:443': { username: 'team', password: PASSWORD } };
    facade.api.store.put(SECRETS_REF, {
      metadata: { name: 'team', namespace: RECORDS_NAMESPACE },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': btoa(JSON.stringify({ auths })) },
    });
    putRecord('yolo', 5, { spec: { access: { pullSecretRefs: [{ name: 'team' }, { name: 'more' }] } } });
    expect((await send('GET /v1/docker/5')).body).toMatchObject({
      registry_username: 'team',
      registry_password: PASSWORD,
    });
    const before = facade.api.store.find(SECRETS_REF, `${RECORDS_NAMESPACE}/team`);
    await send('PATCH /v1/docker/5', { body: { registry_password: 'another' } });
    expect(facade.api.store.find(SECRETS_REF, `${RECORDS_NAMESPACE}/team`)).toEqual(before);
    expect((await send('GET /v1/docker/5')).body).toMatchObject({
      registry_username: 'team',
      registry_password: 'another',
    });
    await send('PATCH /v1/docker/5', { body: { registry_username: null, registry_password: null } });
    expect(facade.records()[0]?.spec.access.pullSecretRefs).toEqual([{ name: 'more' }]);
    expect(secrets().map(({ metadata }) => metadata.name)).toEqual(['team']);
  });

  it('leave nothing behind when the record cannot be made', async () => {
    facade.api.fail({
      when: ({ verb, plural }) => verb === 'create' && plural === 'dockerimagerecords',
      action: { kind: 'status', code: 422, reason: 'Invalid', message: 'spec.name: not here' },
    });
    const { status, body } = await create(LOGIN);
    expect(status).toBe(400);
    expect(body).toMatchObject({ non_field_errors: [expect.stringContaining('not here')] });
    expect(secrets()).toEqual([]);
  });

  it('take the record back when the Secret cannot be given to it', async () => {
    facade.api.fail({
      when: ({ verb, plural }) => verb === 'patch' && plural === 'secrets',
      action: { kind: 'status', code: 403, reason: 'Forbidden', message: `no, ${PASSWORD}` },
    });
    const { status, body } = await create(LOGIN);
    expect(status).toBe(503);
    expect(body.detail).toBe(
      'The API server refused to adopt the Secret of the image: Forbidden; install the component records-facade for this namespace.',
    );
    expect(facade.records()).toEqual([]);
    expect(secrets()).toEqual([]);
  });

  it('are in no log line', async () => {
    await create(LOGIN);
    await create(LOGIN);
    await send('PATCH /v1/docker/1', { body: { registry_password: `${PASSWORD}2`, cuda_version: PASSWORD } });
    await send('GET /v1/docker/1');
    expect(facade.served.log.lines.length).toBeGreaterThan(0);
    expect(JSON.stringify(facade.served.log.lines)).not.toContain(PASSWORD);
    expect(await facade.served.metrics.registry.metrics()).not.toContain(PASSWORD);
  });
});

describe('DELETE', () => {
  it('takes images with tasks, and never gives their key again', async () => {
    await create();
    expect(await send('DELETE /v1/docker/1')).toMatchObject({ status: 204, body: {} });
    expect(await send('GET /v1/docker/1')).toMatchObject({
      status: 404,
      body: { detail: 'No DockerImage matches the given query.' },
    });
    expect((await send('DELETE /v1/docker/1')).status).toBe(404);
    expect((await create()).body.pk).toBe(2);
  });

  it('leaves what is in use, and says so', async () => {
    await create();
    const name = recordName('demo', '1.0');
    const holder = { apiVersion: 'v1', kind: 'Pod', namespace: RECORDS_NAMESPACE, name: 'train-7f' };
    facade.references.set(name, [holder]);
    const before = facade.records();
    const silent = await send('DELETE /v1/docker/1');
    expect(silent.status).toBe(204);
    expect(silent.headers.get('warning')).toBe(
      '299 larder "The image is in use by Pod records/train-7f and was not deleted"',
    );
    const strict = await send('DELETE /v1/docker/1', {
      headers: { prefer: 'return=minimal, handling=strict' },
    });
    expect(strict).toMatchObject({
      status: 409,
      body: { detail: 'The image is in use by Pod records/train-7f; nothing was deleted.' },
    });
    expect(strict.headers.get('preference-applied')).toBe('handling=strict');
    expect(facade.records()).toEqual(before);
  });

  it('asks nobody about records that need no protection', async () => {
    putRecord('yolo', 5, { spec: { deletionPolicy: 'Orphan' } });
    facade.references.set('yolo', [
      { apiVersion: 'v1', kind: 'Pod', namespace: RECORDS_NAMESPACE, name: 'a' },
    ]);
    expect((await send('DELETE /v1/docker/5')).headers.get('warning')).toBeNull();
    expect(facade.records()).toEqual([]);
  });

  it('hides what is about to vanish, and makes the same image again as soon as it has', async () => {
    await create();
    const [record] = facade.records();
    facade.api.store.put(RECORDS_REF, {
      ...record,
      metadata: {
        ...record?.metadata,
        name: record?.metadata.name ?? '',
        finalizers: ['larder.dev/reference-protection'],
      },
    });
    expect((await send('DELETE /v1/docker/1')).status).toBe(204);
    expect((await send('GET /v1/docker/1')).status).toBe(404);
    const again = create();
    // The controller lets go while the second one waits.
    await vi.waitFor(() => {
      expect(facade.api.count('get', 'dockerimagerecords')).toBeGreaterThan(0);
    });
    const key = `${RECORDS_NAMESPACE}/${record?.metadata.name}`;
    facade.api.store.mergePatch(RECORDS_REF, key, { metadata: { finalizers: null } }, undefined);
    expect(await again).toMatchObject({ status: 201, body: { pk: 2 } });
  });

  it('tries again when somebody changes the record meanwhile', async () => {
    await create();
    facade.api.fail({
      when: ({ verb }) => verb === 'delete',
      action: { kind: 'status', code: 409, reason: 'Conflict' },
      times: 2,
    });
    expect((await send('DELETE /v1/docker/1')).status).toBe(204);
    expect(facade.records()).toEqual([]);
  });
});

describe('name and version', () => {
  it('are taken once, however many ask, on however many replicas', async () => {
    const other = await RecordsApi.start(facade.api);
    try {
      const asked = Array.from({ length: 50 }, (_, index) => create(LOGIN, index % 2 === 0 ? facade : other));
      const statuses = (await Promise.all(asked)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 201)).toHaveLength(1);
      expect(statuses.filter((status) => status === 400)).toHaveLength(49);
      expect(facade.records()).toHaveLength(1);
      expect(secrets()).toHaveLength(1);
    } finally {
      await other.stop();
    }
  });

  it('get different keys on different replicas', async () => {
    const other = await RecordsApi.start(facade.api);
    try {
      const asked = Array.from({ length: 20 }, (_, index) =>
        create({ version: `${index}` }, index % 2 === 0 ? facade : other),
      );
      const pks = (await Promise.all(asked)).map(({ body }) => body.pk).sort((left, right) => left - right);
      expect(new Set(pks).size).toBe(20);
    } finally {
      await other.stop();
    }
  });

  it('that were given up may be taken, although the object keeps its name', async () => {
    await create();
    expect((await send('PATCH /v1/docker/1', { body: { name: 'renamed' } })).status).toBe(200);
    expect(await create()).toMatchObject({ status: 201, body: { pk: 2 } });
    expect(facade.records().map(({ metadata }) => metadata.name)).toEqual([
      recordName('demo', '1.0'),
      `${recordName('demo', '1.0')}-2`,
    ]);
    expect(await send('PATCH /v1/docker/1', { body: { name: 'demo' } })).toMatchObject({
      status: 400,
      body: { non_field_errors: ['The fields name, version must make a unique set.'] },
    });
  });

  it('that differ only where names of objects may not, do not meet', async () => {
    expect((await create({ version: '1_0' })).status).toBe(201);
    expect((await create({ version: '1-0' })).status).toBe(201);
    expect((await create({ name: '___', version: '+' })).status).toBe(201);
  });
});

describe('PUT and PATCH', () => {
  it('try again when they meet another change, and give up after five', async () => {
    await create();
    const conflict = (times: number): void => {
      facade.api.fail({
        when: ({ verb, plural }) => verb === 'update' && plural === 'dockerimagerecords',
        action: { kind: 'status', code: 409, reason: 'Conflict' },
        times,
      });
    };
    conflict(4);
    expect(await send('PATCH /v1/docker/1', { body: { licence: 'GPL3' } })).toMatchObject({
      status: 200,
      body: { licence: 'GPL3' },
    });
    conflict(5);
    expect((await send('PATCH /v1/docker/1', { body: { licence: 'MIT' } })).status).toBe(409);
  });

  it('write nothing if nothing changes', async () => {
    await create(LOGIN);
    const { version } = facade.api.store;
    expect((await send('PUT /v1/docker/1', { body: { ...DEMO, ...LOGIN } })).status).toBe(200);
    expect((await send('PATCH /v1/docker/1')).status).toBe(200);
    expect(facade.api.store.version).toBe(version);
  });

  it('leave everything alone that the original knows nothing of', async () => {
    const kept = {
      prepull: { keepWarm: true },
      provenance: { build: 'a-1-1' },
      interval: '1h',
      matchByImage: true,
    };
    putRecord('yolo', 5, { spec: kept });
    await send('PATCH /v1/docker/5', { body: { licence: 'MIT', registry_url: 'mirror.example.org' } });
    expect(facade.records()[0]?.spec).toMatchObject({
      ...kept,
      licence: 'MIT',
      registry: { url: 'mirror.example.org' },
    });
  });

  it('ask no hardware of source images', async () => {
    putRecord('sources', 6, {
      spec: {
        contentKind: 'Source',
        cuda: undefined,
        minHardwareGeneration: undefined,
        domain: undefined,
        framework: undefined,
      },
    });
    expect(await send('PATCH /v1/docker/6', { body: { name: 'sources' } })).toMatchObject({
      status: 200,
      body: { framework: null, domain: null, cuda_version: { version: '0.0' } },
    });
  });

  it('keep tasks in their places and add new ones behind', async () => {
    putRecord('yolo', 5, { spec: { tasks: ['Train', 'Export'] } });
    const { body } = await send('PATCH /v1/docker/5', { body: { tasks: ['Predict', 'Export', 'Train'] } });
    expect(body.tasks).toEqual(['Train', 'Export', 'Predict']);
  });
});

describe('records that people made', () => {
  it('are served once they have a key, unless they are refused', async () => {
    putRecord('good', 1);
    putRecord('twin', 2, {
      status: {
        conditions: [
          {
            type: 'Accepted',
            status: 'False',
            reason: 'DuplicateNameVersion',
            message: '',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
    });
    facade.api.store.put(
      RECORDS_REF,
      dockerImageRecord({ metadata: { name: 'new', namespace: RECORDS_NAMESPACE } }),
    );
    facade.api.store.put(
      RECORDS_REF,
      dockerImageRecord({ metadata: { name: 'elsewhere', labels: { 'larder.dev/pk': '4' } } }),
    );
    expect((await send('POST /v1/docker/list')).body).toMatchObject([{ pk: 1 }]);
    expect((await send('GET /v1/docker/2')).status).toBe(404);
    expect((await send('GET /v1/docker/4')).status).toBe(404);
  });

  it('are shown although the catalogue lost their rows', async () => {
    putRecord('yolo', 5);
    const catalogue = facade.catalogue;
    if (catalogue === undefined) throw new Error('no catalogue');
    facade.catalogue = { ...catalogue, cuda: [], hardware: [], frameworks: [], domains: [] };
    expect(await send('GET /v1/docker/5')).toMatchObject({
      status: 200,
      body: {
        cuda_version: { pk: null, version: '11.1' },
        framework: { pk: null, name: 'yolo' },
        domain: 'od',
        min_hardware_generation: { pk: null, generation: 'Pascal' },
      },
    });
  });

  it('are not shown as long as there is no catalogue', async () => {
    putRecord('yolo', 5);
    facade.catalogue = undefined;
    expect(await send('POST /v1/docker/list')).toMatchObject({
      status: 503,
      body: { detail: 'ConfigMap larder-system/larder-catalogue is missing or not valid.' },
    });
  });
});

describe('rights', () => {
  it.each([
    ['create', 'POST /v1/docker/create'],
    ['update', 'PUT /v1/docker/1'],
    ['patch', 'PATCH /v1/docker/1'],
    ['delete', 'DELETE /v1/docker/1'],
  ])('to %s records are those to %s', async (verb, request) => {
    await create();
    expect((await send(request, { as: 'helper', body: {} })).status).toBe(403);
    facade.served.reviews.allow('editor', `${verb} larder.dev/dockerimagerecords ${RECORDS_NAMESPACE}`);
    expect((await send(request, { as: 'editor', body: {} })).status).not.toBe(403);
  });

  it('are told before anything about the body', async () => {
    const headers = { 'content-type': 'text/plain' };
    expect((await send('POST /v1/docker/create', { as: 'helper', body: '{', headers })).status).toBe(403);
  });

  it.each([
    ['Bearer', 'Authorization header must contain two space-delimited values'],
    ['Bearer a b', 'Authorization header must contain two space-delimited values'],
    ['Basic YTpi', 'Authentication credentials were not provided.'],
  ])('are refused to %s', async (authorization, detail) => {
    const response = await facade.served.fetch('/v1/docker/1', { headers: { authorization } });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="api"');
    expect(await response.json()).toMatchObject({ detail });
  });

  it("are nobody's guess while the API server does not answer", async () => {
    facade.served.reviews.isDown = true;
    expect((await send('GET /v1/docker/1')).status).toBe(503);
  });

  it('put the caller into the audit line', async () => {
    await create();
    const audit = facade.served.log.lines.find(({ message }) => message === 'audit');
    expect(audit?.fields).toMatchObject({
      user: 'admin',
      status: 201,
      subject: `DockerImageRecord ${RECORDS_NAMESPACE}/${recordName('demo', '1.0')}`,
    });
  });
});
