/** What clients are told when the API server refuses, is busy, or is asked for what it cannot have. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FaultAction } from '../../support/fake-api-server.ts';
import { RecordsApi, SECRETS_REF } from '../../support/records-api.ts';

const DEMO = {
  name: 'demo',
  version: '1.0',
  url: 'reg.example.com/demo:1.0',
  registry_url: 'reg.example.com',
  registry_username: 'robot',
  registry_password: 'planted-pa55',
  cuda_version: '11.1',
  framework: 1,
  domain: 'ic',
  tasks: [],
  min_hardware_generation: 'Pascal',
  licence: 'MIT',
};

let facade: RecordsApi;
beforeEach(async () => {
  facade = await RecordsApi.start();
});
afterEach(async () => {
  await facade[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: unknown;
}

async function send(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const response = await facade.served.fetchAs('admin', path, {
    method,
    headers,
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: text === '' ? undefined : JSON.parse(text),
  };
}

function create(): Promise<Answer> {
  return send('POST', '/v1/docker/create', JSON.stringify(DEMO));
}

function failAlways(verb: string, plural: string, action: Partial<FaultAction & { kind: 'status' }>): void {
  facade.api.fail({
    when: (request) => request.verb === verb && request.plural === plural,
    action: { kind: 'status', code: 500, ...action },
    times: 100,
  });
}

describe('an API server that', () => {
  it('forbids to write records: the component is missing', async () => {
    failAlways('create', 'dockerimagerecords', { code: 403, reason: 'Forbidden' });
    expect(await create()).toMatchObject({
      status: 503,
      body: { detail: 'Larder may not do this: install the component records-facade for its namespace.' },
    });
  });

  it.each(['get', 'update', 'delete'])('forbids to %s Secrets: the same', async (verb) => {
    await create();
    failAlways(verb, 'secrets', { code: 403, reason: 'Forbidden', message: 'planted-pa55' });
    const login =
      verb === 'delete'
        ? { registry_username: null, registry_password: null }
        : { registry_password: 'other' };
    const answer = await send('PATCH', '/v1/docker/1', JSON.stringify(login));
    expect(answer.status).toBe(503);
    expect(JSON.stringify(answer.body)).toMatch(
      /to (get|update|delete) the Secret of the image: Forbidden; install the component/,
    );
    expect(JSON.stringify(answer.body)).not.toContain('planted-pa55');
  });

  it('is busy: later, and when', async () => {
    failAlways('list', 'dockerimagerecords', { code: 429, reason: 'TooManyRequests', retryAfter: 3_600 });
    expect(await send('GET', '/v1/docker/1')).toMatchObject({
      status: 503,
      retryAfter: '3600',
      body: { detail: 'The API server does not answer; try again.' },
    });
  });

  it('refuses for reasons of its own: in its words, by its causes if it tells them', async () => {
    failAlways('create', 'dockerimagerecords', {
      code: 422,
      reason: 'Invalid',
      message: 'denied by policy p',
    });
    expect(await create()).toMatchObject({
      status: 400,
      body: { non_field_errors: [expect.stringContaining('denied by policy p')] },
    });
  });

  it('makes a mistake: nothing but the id of the request', async () => {
    failAlways('create', 'dockerimagerecords', { message: 'planted-pa55' });
    expect(await create()).toMatchObject({
      status: 500,
      body: { detail: 'this should not have happened; the log has more' },
    });
    expect(facade.records()).toEqual([]);
  });

  it('has all names of the image taken: a conflict', async () => {
    failAlways('create', 'dockerimagerecords', { code: 409, reason: 'AlreadyExists' });
    failAlways('get', 'dockerimagerecords', { code: 409, reason: 'Conflict' });
    expect((await create()).status).toBe(409);
  });
});

it('a body that is no UTF-8 is refused as the original does', async () => {
  expect(await send('POST', '/v1/docker/create', new Uint8Array([0x22, 0xff, 0x22]))).toMatchObject({
    status: 400,
    body: { detail: "JSON parse error - 'utf-8' codec can't decode the body" },
  });
});

it('a record that vanishes while it is changed is not there any more', async () => {
  await create();
  facade.api.fail({
    when: ({ verb, plural }) => verb === 'update' && plural === 'dockerimagerecords',
    action: { kind: 'status', code: 409, reason: 'Conflict' },
  });
  facade.api.fail({
    when: ({ verb, plural }) => verb === 'get' && plural === 'dockerimagerecords',
    action: { kind: 'status', code: 404, reason: 'NotFound' },
  });
  expect(await send('PATCH', '/v1/docker/1', '{"licence": "GPL3"}')).toMatchObject({
    status: 404,
    body: { detail: 'No DockerImage matches the given query.' },
  });
});

it('an image that is still being deleted is told as such, after a while', async () => {
  await create();
  const [record] = facade.records();
  const name = record?.metadata.name ?? '';
  const metadata = {
    ...record?.metadata,
    name,
    deletionTimestamp: '2026-01-01T00:00:00Z',
    finalizers: ['a/b'],
  };
  facade.api.store.put(
    { group: 'larder.dev', version: 'v1alpha1', plural: 'dockerimagerecords' },
    { ...record, metadata },
  );
  expect(await create()).toMatchObject({
    status: 409,
    body: { detail: 'An image of this name and version is still being deleted; try again.' },
  });
});

it('form data is told apart from JSON', async () => {
  const { served } = facade;
  const headers = { 'content-type': 'multipart/form-data; boundary=x' };
  const init = { method: 'POST', headers, body: '--x--' };
  const created = await served.fetchAs('admin', '/v1/docker/create', init);
  expect(created.status).toBe(415);
  expect(await created.json()).toEqual({
    detail: 'Unsupported media type "multipart/form-data; boundary=x" in request.',
  });
  expect((await served.fetchAs('admin', '/v1/cuda/list', init)).status).toBe(400);
});

it('a client that hangs up leaves no half of an image behind', async () => {
  const held = Promise.withResolvers<undefined>();
  facade.api.fail({
    when: ({ verb, plural }) => verb === 'create' && plural === 'dockerimagerecords',
    action: { kind: 'wait', until: held.promise },
  });
  const client = new AbortController();
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(DEMO), signal: client.signal };
  const asked = facade.served.fetchAs('admin', '/v1/docker/create', init);
  await vi.waitFor(() => {
    expect(facade.api.count('create', 'dockerimagerecords')).toBe(1);
  });
  client.abort();
  await expect(asked).rejects.toThrow();
  held.resolve(undefined);
  await vi.waitFor(() => {
    const [record] = facade.records();
    const [secret] = facade.api.store.list(SECRETS_REF);
    expect(secret?.metadata['ownerReferences']).toMatchObject([{ uid: record?.metadata.uid }]);
  });
});
