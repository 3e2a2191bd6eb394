import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../src/kube/api-error.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { noMetrics, type RequestSample } from '../../src/kube/metrics.ts';
import type { Transport, TransportOptions } from '../../src/kube/transport.ts';
import { FakeApiServer, type FaultAction } from '../support/fake-api-server.ts';
import { eventually, FakeClock } from '../support/fake-clock.ts';
import { WIDGET_REF, WIDGETS, widget } from './fixtures.ts';

let server: FakeApiServer;
let transport: Transport;
let client: KubeClient;
let clock: FakeClock;
const key = { namespace: 'default', name: 'a' };
const manifest = { metadata: key, spec: { size: 1 } };

function connect(options: Partial<TransportOptions> = {}): void {
  ({ transport, client } = server.connect(clock, options));
}

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  connect();
});

afterEach(async () => {
  await transport.close();
  await server.close();
  expect(clock.pendingTimers).toBe(0);
});

function fail(action: FaultAction, times = 1): void {
  server.fail({ when: () => true, action, times });
}

/** Steps the clock until the work has settled. */
async function settled<T>(work: Promise<T>): Promise<T | ApiError> {
  let isDone = false;
  const outcome = work.then(
    (value) => value,
    (error: unknown) => {
      if (error instanceof ApiError) return error;
      throw error;
    },
  );
  void outcome.then(
    () => (isDone = true),
    () => (isDone = true),
  );
  await clock.advanceUntil(() => isDone, { stepMs: 50 });
  return outcome;
}

describe('connections', () => {
  it('reuses them: many calls, few handshakes', async () => {
    server.store.put(WIDGET_REF, widget('a'));
    for (let round = 0; round < 20; round += 1) await client.get(WIDGETS, key);
    await Promise.all(Array.from({ length: 100 }, () => client.get(WIDGETS, key)));
    expect(server.connections).toBeLessThanOrEqual(8);
  });

  it('reuses them for deletions, too, which have a body', async () => {
    for (let round = 0; round < 20; round += 1) {
      server.store.put(WIDGET_REF, widget('a'));
      const uid = (await client.get(WIDGETS, key))?.metadata.uid;
      await client.delete(WIDGETS, key, { preconditions: { uid } });
    }
    expect(server.connections).toBeLessThanOrEqual(8);
  });

  it('keeps watches from starving calls', async () => {
    const stop = new AbortController();
    const options = { resourceVersion: '1', timeoutSeconds: 300, signal: stop.signal };
    const bodies = await Promise.all(Array.from({ length: 12 }, () => client.watch(WIDGETS, options)));
    for (const body of bodies) body.on('error', () => undefined);
    await client.list(WIDGETS);
    stop.abort();
    await eventually(() => server.watches.length === 0);
  });

  it('lets go of everything when closed', async () => {
    await client.list(WIDGETS);
    await transport.close();
    await eventually(() => server.openConnections === 0);
  });
});

describe('retries', () => {
  it('waits as long as Retry-After says', async () => {
    fail({ kind: 'status', code: 429, reason: 'TooManyRequests', retryAfter: 3 });
    const work = client.list(WIDGETS);
    await eventually(() => clock.nextTimerMs === 3_000);
    await clock.advance(2_900);
    expect(server.requests).toHaveLength(1);
    await clock.advance(200);
    await work;
    expect(server.requests).toHaveLength(2);
  });

  it('backs off by itself without Retry-After', async () => {
    fail({ kind: 'status', code: 429, reason: 'TooManyRequests' }, 2);
    await settled(client.list(WIDGETS));
    expect(server.requests).toHaveLength(3);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(750);
  });

  it('repeats a create only if it was refused or never sent', async () => {
    fail({ kind: 'status', code: 429, reason: 'TooManyRequests' });
    await settled(client.create(WIDGETS, manifest));
    expect(server.count('create')).toBe(2);
    fail({ kind: 'status', code: 503 });
    expect(await settled(client.create(WIDGETS, { metadata: { ...key, name: 'b' } }))).toMatchObject({
      status: 503,
    });
    expect(server.count('create')).toBe(3);
  });

  it('does not create twice when the answer is lost', async () => {
    fail({ kind: 'lose-answer' });
    const error = await settled(
      client.create(WIDGETS, { metadata: { generateName: 'a-', namespace: 'default' } }),
    );
    expect(error).toMatchObject({ reason: 'ConnectionLost', sent: true, temporary: true });
    expect(server.store.list(WIDGET_REF)).toHaveLength(1);
  });

  it('deletes again only with a uid, and takes "gone" for success', async () => {
    const { metadata } = server.store.put(WIDGET_REF, widget('a'));
    fail({ kind: 'lose-answer' });
    expect(await settled(client.delete(WIDGETS, key, { preconditions: { uid: metadata.uid } }))).toBe(false);
    expect(server.count('delete')).toBe(2);
    server.store.put(WIDGET_REF, widget('a'));
    fail({ kind: 'lose-answer' });
    expect(await settled(client.delete(WIDGETS, key))).toMatchObject({ reason: 'ConnectionLost' });
    expect(server.count('delete')).toBe(3);
  });

  it.each([
    ['a reset connection', { kind: 'reset' }],
    ['a truncated body', { kind: 'truncate' }],
    ['a page of HTML', { kind: 'text', text: '<html>maintenance</html>' }],
    ['504 Timeout', { kind: 'status', code: 504, reason: 'Timeout' }],
    ['500 with a reason', { kind: 'status', code: 500, reason: 'InternalError' }],
  ] satisfies [string, FaultAction][])('survives %s', async (_name, action) => {
    server.store.put(WIDGET_REF, widget('a'));
    fail(action, 2);
    expect(await settled(client.list(WIDGETS))).toMatchObject({ items: [{ metadata: { name: 'a' } }] });
    expect(server.count('list')).toBe(3);
  });

  it('does not repeat what cannot succeed', async () => {
    fail({ kind: 'status', code: 500 }, 3);
    expect(await settled(client.apply(WIDGETS, manifest))).toMatchObject({ status: 500, temporary: false });
    expect(server.requests).toHaveLength(1);
  });

  it('gives up after five attempts', async () => {
    fail({ kind: 'status', code: 503 }, 100);
    expect(await settled(client.list(WIDGETS))).toMatchObject({ status: 503, reason: 'ServiceUnavailable' });
    expect(server.requests).toHaveLength(5);
  });

  it('does not wait beyond its deadline', async () => {
    fail({ kind: 'status', code: 429, retryAfter: 60 });
    const error = await settled(client.list(WIDGETS, { timeoutMs: 10_000 }));
    expect(error).toMatchObject({ status: 429, retryAfterMs: 60_000 });
    expect(clock.monotonic()).toBeLessThan(1_000);
  });

  it('says that a refused connection was never used', async () => {
    await server.down();
    const error = await settled(client.create(WIDGETS, manifest, { timeoutMs: 2_000 }));
    expect(error).toMatchObject({ status: 0, reason: 'ConnectionFailed', sent: false });
    await server.up();
  });

  it('creates once the server is back', async () => {
    await server.down();
    const work = client.create(WIDGETS, manifest);
    await eventually(() => (clock.nextTimerMs ?? Infinity) < 1_000);
    await server.up();
    expect(await settled(work)).toMatchObject({ spec: { size: 1 } });
    expect(server.store.list(WIDGET_REF)).toHaveLength(1);
  });
});

describe('deadlines', () => {
  it('ends a call that gets no answer', async () => {
    fail({ kind: 'hang' });
    const error = await settled(client.list(WIDGETS, { timeoutMs: 5_000 }));
    expect(error).toMatchObject({ reason: 'DeadlineExceeded' });
    expect(server.requests).toHaveLength(1);
  });

  it('ends with the reason of the caller', async () => {
    fail({ kind: 'hang' });
    const stop = new AbortController();
    const work = client.list(WIDGETS, { signal: stop.signal });
    await eventually(() => server.requests.length === 1);
    stop.abort(new Error('enough'));
    await expect(work).rejects.toThrow('enough');
  });

  it('sends nothing once the caller has given up', async () => {
    await expect(client.list(WIDGETS, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
    expect(server.requests).toHaveLength(0);
  });

  it('covers the opening of a watch, but not its life', async () => {
    fail({ kind: 'hang' });
    const options = { resourceVersion: '1', timeoutSeconds: 300, timeoutMs: 4_000 };
    expect(await settled(client.watch(WIDGETS, options))).toMatchObject({ reason: 'DeadlineExceeded' });
    const stop = new AbortController();
    const body = await client.watch(WIDGETS, { ...options, signal: stop.signal });
    body.on('error', () => undefined);
    await clock.advance(60_000);
    expect(body.destroyed).toBe(false);
    stop.abort();
    await eventually(() => server.watches.length === 0);
  });
});

describe('rate limit', () => {
  it('lets a burst through and spreads the rest', async () => {
    await transport.close();
    connect({ rate: { qps: 10, burst: 5 } });
    const work = Promise.all(Array.from({ length: 8 }, () => client.list(WIDGETS)));
    await eventually(() => server.requests.length === 5 && clock.nextTimerMs === 100);
    await clock.advance(101);
    await eventually(() => server.requests.length === 6);
    await clock.advance(250);
    await work;
  });

  it('does not hold back a client that must not wait', async () => {
    await transport.close();
    connect({ rate: { qps: 0.001, burst: 0 } });
    await client.unlimited().list(WIDGETS);
    expect(server.requests).toHaveLength(1);
  });
});

describe('metrics', () => {
  it('count by verb, resource and code', async () => {
    const samples: RequestSample[] = [];
    await transport.close();
    connect({ metrics: { ...noMetrics, request: (sample) => samples.push(sample) } });
    server.store.put(WIDGET_REF, widget('a'));
    await client.applyStatus(WIDGETS, { metadata: key, status: {} });
    await client.get(WIDGETS, { ...key, name: 'b' });
    fail({ kind: 'reset' });
    await settled(client.list(WIDGETS));
    expect(samples.map(({ verb, resource, code }) => `${verb} ${resource} ${code}`)).toEqual([
      'apply widgets/status 200',
      'get widgets 404',
      'list widgets <error>',
      'list widgets 200',
    ]);
  });
});
