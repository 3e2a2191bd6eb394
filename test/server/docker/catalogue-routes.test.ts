import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVED_TABLES } from '../../../src/server/docker/catalogue-tables.ts';
import { catalogueOperations, IMAGE_OPERATIONS } from '../../../src/server/docker/operations.ts';
import { RecordsApi } from '../../support/records-api.ts';

let facade: RecordsApi;
beforeAll(async () => {
  facade = await RecordsApi.start();
});
afterAll(() => facade[Symbol.asyncDispose]());

async function send(
  request: string,
  as: string,
  body?: unknown,
): Promise<{ status: number; body: unknown; headers: Headers }> {
  const [method = '', path = ''] = request.split(' ');
  const headers = { 'content-type': 'application/json' };
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  const response = await facade.served.fetchAs(as, path, init);
  const text = await response.text();
  return {
    status: response.status,
    body: text === '' ? undefined : JSON.parse(text),
    headers: response.headers,
  };
}

describe.each(SERVED_TABLES.map((table) => [table.path, table] as const))(
  '/v1/%s',
  (path, { model, schema }) => {
    it('lists rows that are as its schema says', async () => {
      const { body } = await send(`POST /v1/${path}/list`, 'anybody');
      expect((body as readonly unknown[]).length).toBeGreaterThan(0);
      for (const row of body as readonly unknown[])
        expect(schema.strict().safeParse(row).error).toBeUndefined();
    });

    it('filters and orders them', async () => {
      const expressions = [{ type: 'compare', field: 'pk', operator: '<=', value: 2 }];
      const order_by = [{ field: 'pk', ascending: false }];
      const { body } = await send(`POST /v1/${path}/list`, 'anybody', { expressions, order_by });
      expect(body).toMatchObject([{ pk: 2 }, { pk: 1 }]);
      expect((await send(`POST /v1/${path}/list`, 'anybody', { order_by: [{ field: 'nope' }] })).status).toBe(
        400,
      );
    });

    it('retrieves one, and knows no other', async () => {
      expect(await send(`GET /v1/${path}/1/`, 'anybody')).toMatchObject({ status: 200, body: { pk: 1 } });
      for (const pk of ['0', '999', '99999999999999999999']) {
        expect(await send(`GET /v1/${path}/${pk}`, 'anybody')).toMatchObject({
          status: 404,
          body: { detail: `No ${model} matches the given query.` },
        });
      }
    });

    it.each(['POST /create', 'PUT /1', 'PATCH /1', 'DELETE /1'])(
      'refuses %s, and says where to change it',
      async (request) => {
        const refused = await send(request.replace(' ', ` /v1/${path}`), 'admin', {});
        expect(refused.status).toBe(405);
        expect(refused.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
        expect((refused.body as { detail: string }).detail).toMatch(
          /ConfigMap larder-system\/larder-catalogue\.$/,
        );
        expect((await send(request.replace(' ', ` /v1/${path}`), 'anybody', {})).status).toBe(403);
      },
    );

    it('takes no other methods, and nobody without a token', async () => {
      expect((await send(`GET /v1/${path}/list`, 'anybody')).headers.get('allow')).toBe('POST, OPTIONS');
      expect((await facade.served.fetch(`/v1/${path}/1`)).status).toBe(401);
      expect((await send(`OPTIONS /v1/${path}/1`, 'anybody')).status).toBe(200);
    });
  },
);

describe('paths', () => {
  it.each([
    '/v1/docker',
    '/v1/docker/',
    '/v1/docker/list/1',
    '/v1/docker/1/tags',
    '/v1/docker/%',
    '/v1/docker/1%2F',
    '/v1/cuda/x',
    '/v1/hardware/get-hardware-generation/',
  ])('there is nothing at %s', async (path) => {
    expect(await send(`GET ${path}`, 'admin')).toMatchObject({ status: 404, body: { detail: 'Not found.' } });
  });

  it('get-hardware-generation takes what Python takes for a number', async () => {
    for (const compute of ['6.1', '%2B6.1', '6.1e0', '.61e1']) {
      expect(await send(`GET /v1/hardware/get-hardware-generation/${compute}`, 'anybody')).toMatchObject({
        body: { generation: 'Pascal' },
      });
    }
  });

  it('/v1/auth says where tokens come from', async () => {
    for (const path of ['/v1/auth/obtain', '/v1/auth/refresh/']) {
      const response = await facade.served.fetch(path, { method: 'POST' });
      expect(response.status).toBe(501);
      expect(await response.json()).toMatchObject({
        detail: expect.stringContaining('kubectl create token') as string,
      });
    }
  });

  it('a body that is too long is refused in the same shape', async () => {
    const { status, body } = await send('POST /v1/docker/list', 'admin', 'x'.repeat(70_000));
    expect({ status, body }).toEqual({
      status: 413,
      body: { detail: 'the body is longer than 65536 bytes' },
    });
  });
});

describe('the description', () => {
  const operations = [...IMAGE_OPERATIONS, ...SERVED_TABLES.flatMap(catalogueOperations)];

  it('names every operation once', () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(operations).toHaveLength(6 + 6 * 2 + 1);
  });

  it('leads to routes that are there', async () => {
    for (const { method, path } of operations) {
      const url = path.replace('{pk}', '1').replace('{compute}', '6.1');
      expect([
        path,
        (await send(`${method.toUpperCase()} ${url}`, 'admin', method === 'get' ? undefined : {})).status,
      ]).not.toEqual([path, 405]);
    }
  });
});
