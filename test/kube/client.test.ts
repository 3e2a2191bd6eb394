import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { ApiError, isAlreadyExists, isConflict, isGone, isNotFound } from '../../src/kube/api-error.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { CONFIG_MAP_REF, CONFIG_MAPS, WIDGET_REF, WIDGETS, widget } from './fixtures.ts';

let server: FakeApiServer;
let transport: Transport;
let client: KubeClient;

beforeEach(async () => {
  server = await FakeApiServer.start();
  ({ transport, client } = server.connect(systemClock));
});

afterEach(async () => {
  await transport.close();
  await server.close();
});

const key = { namespace: 'default', name: 'a' };

async function failureOf(work: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error(`expected an ApiError, got ${String(error)}`);
  return error;
}

describe('reading', () => {
  it('gets an object whole, unknown fields included', async () => {
    server.store.put(WIDGET_REF, { ...widget('a'), futureField: { x: 1 } });
    expect(await client.get(WIDGETS, key)).toMatchObject({ futureField: { x: 1 }, spec: { size: 1 } });
  });

  it('says undefined when there is none', async () => {
    expect(await client.get(WIDGETS, key)).toBeUndefined();
  });

  it('lists page by page from one snapshot', async () => {
    for (let index = 0; index < 7; index += 1) server.store.put(WIDGET_REF, widget(`w${index}`));
    const first = await client.listPage(WIDGETS, { limit: 3 });
    server.store.put(WIDGET_REF, widget('late'));
    expect(first.items).toHaveLength(3);
    const second = await client.listPage(WIDGETS, { limit: 10, continueToken: first.continueToken });
    expect(second.items.map((item) => item.metadata.name)).toEqual(['w3', 'w4', 'w5', 'w6']);
    expect(second.continueToken).toBeUndefined();
  });

  it('starts a list over when its snapshot expires', async () => {
    for (let index = 0; index < 3; index += 1) server.store.put(WIDGET_REF, widget(`w${index}`));
    const first = await client.listPage(WIDGETS, { limit: 1 });
    server.store.put(WIDGET_REF, widget('x'));
    server.store.compact();
    const error = await failureOf(client.listPage(WIDGETS, { limit: 1, continueToken: first.continueToken }));
    expect(isGone(error)).toBe(true);
    server.fail({
      when: (request) => request.verb === 'list',
      action: { kind: 'status', code: 410, reason: 'Expired' },
    });
    expect((await client.list(WIDGETS)).items).toHaveLength(4);
  });

  it('gives up a list that keeps expiring', async () => {
    server.fail({ when: () => true, times: 10, action: { kind: 'status', code: 410, reason: 'Expired' } });
    expect(isGone(await failureOf(client.list(WIDGETS)))).toBe(true);
    expect(server.count('list')).toBe(4);
  });

  it('selects by namespace, label and field', async () => {
    server.store.put(WIDGET_REF, {
      ...widget('a'),
      metadata: { ...widget('a').metadata, labels: { app: 'x' } },
    });
    server.store.put(WIDGET_REF, widget('b'));
    server.store.put(WIDGET_REF, widget('c', { size: 2 }, 'other'));
    async function names(options: Parameters<typeof client.list>[1]) {
      return (await client.list(WIDGETS, options)).items.map((item) => item.metadata.name);
    }
    expect(await names({ labelSelector: 'app=x' })).toEqual(['a']);
    expect(await names({ namespace: 'other' })).toEqual(['c']);
    expect(await names({ fieldSelector: 'metadata.name=b' })).toEqual(['b']);
  });
});

describe('writing', () => {
  it('creates, and tells a taken name from other conflicts', async () => {
    const created = await client.create(WIDGETS, {
      metadata: { name: 'a', namespace: 'default' },
      spec: { size: 3 },
    });
    expect(created).toMatchObject({ apiVersion: 'test.dev/v1', kind: 'Widget', spec: { size: 3 } });
    const error = await failureOf(client.create(WIDGETS, { metadata: { name: 'a', namespace: 'default' } }));
    expect([isAlreadyExists(error), isConflict(error)]).toEqual([true, true]);
  });

  it('applies: creates, changes, and removes what it no longer names', async () => {
    const metadata = { name: 'a', namespace: 'default' };
    await client.apply(CONFIG_MAPS, { metadata, data: { x: '1', y: '1' } });
    server.store.mergePatch(CONFIG_MAP_REF, 'default/a', { data: { foreign: 'z' } }, undefined);
    const applied = await client.apply(CONFIG_MAPS, { metadata, data: { y: '2' } });
    expect(applied.data).toEqual({ foreign: 'z', y: '2' });
  });

  it('applies a status without touching the rest', async () => {
    const stored = server.store.put(WIDGET_REF, widget('a'));
    const written = await client.applyStatus(WIDGETS, { metadata: key, status: { size: 9 } });
    expect(written).toMatchObject({ spec: { size: 1 }, status: { size: 9 } });
    expect(written.metadata.generation).toBe(stored.metadata['generation']);
  });

  it('refuses an apply to another version of the object', async () => {
    const { metadata } = server.store.put(WIDGET_REF, widget('a'));
    server.store.put(WIDGET_REF, widget('a', { size: 2 }));
    const stale = { ...key, resourceVersion: metadata.resourceVersion };
    expect(isConflict(await failureOf(client.applyStatus(WIDGETS, { metadata: stale, status: {} })))).toBe(
      true,
    );
  });

  it('patches by merge and by JSON patch', async () => {
    server.store.put(WIDGET_REF, widget('a'));
    expect((await client.patch(WIDGETS, key, { spec: { size: 5 } })).spec?.size).toBe(5);
    const patched = await client.patch(WIDGETS, key, [{ op: 'replace', path: '/spec/size', value: 6 }]);
    expect(patched.spec?.size).toBe(6);
    const status = await client.patch(WIDGETS, key, { status: { note: 'n' } }, { subresource: 'status' });
    expect(status.status?.note).toBe('n');
  });

  it('replaces a whole object under its version', async () => {
    server.store.put(WIDGET_REF, widget('a'));
    const read = await client.get(WIDGETS, key);
    if (read === undefined) throw new Error('not found');
    expect((await client.update(WIDGETS, { ...read, spec: { size: 8 } })).spec?.size).toBe(8);
    expect(isConflict(await failureOf(client.update(WIDGETS, { ...read, spec: { size: 9 } })))).toBe(true);
  });

  it('deletes only what it means', async () => {
    const { metadata } = server.store.put(WIDGET_REF, widget('a'));
    const foreign = client.delete(WIDGETS, key, { preconditions: { uid: 'someone else' } });
    expect(isConflict(await failureOf(foreign))).toBe(true);
    expect(await client.delete(WIDGETS, key, { preconditions: { uid: metadata.uid } })).toBe(true);
    expect(await client.delete(WIDGETS, key)).toBe(false);
  });

  it('names verb, resource and object in errors, and nothing of the request', async () => {
    const error = await failureOf(client.patch(WIDGETS, key, { spec: { password: 'hunter2' } }));
    expect(isNotFound(error)).toBe(true);
    expect(error.message).toBe('patch widgets default/a: widgets "a" not found');
    expect(JSON.stringify([error, error.message, error.stack])).not.toMatch(/hunter2|Bearer/);
  });

  it('sends its field manager and user agent', async () => {
    await client.apply(CONFIG_MAPS, { metadata: { name: 'a', namespace: 'default' } }, { dryRun: true });
    const [request] = server.requests;
    expect(request?.query.get('fieldManager')).toBe('larder');
    expect(request?.query.get('dryRun')).toBe('All');
    expect(request?.headers['user-agent']).toBe('larder/test');
    expect(request?.headers.authorization).toBe('Bearer test');
  });
});

describe('fenced', () => {
  it('lets reads through and stops writes before they are sent', async () => {
    server.store.put(WIDGET_REF, widget('a'));
    let mayWrite = true;
    const fenced = client.fenced(() => mayWrite);
    await fenced.patch(WIDGETS, key, { spec: { size: 2 } });
    mayWrite = false;
    await expect(fenced.patch(WIDGETS, key, { spec: { size: 3 } })).rejects.toThrow('no longer the leader');
    expect((await fenced.get(WIDGETS, key))?.spec?.size).toBe(2);
    expect(server.count('patch')).toBe(1);
  });

  it('asks again before a retry', async () => {
    server.store.put(WIDGET_REF, widget('a'));
    server.fail({ when: () => true, action: { kind: 'status', code: 429, reason: 'TooManyRequests' } });
    let asked = 0;
    const fenced = client.fenced(() => {
      asked += 1;
      return asked === 1;
    });
    await expect(fenced.patch(WIDGETS, key, { spec: { size: 3 } })).rejects.toThrow('no longer the leader');
    expect(server.count('patch')).toBe(1);
  });
});
