import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/clock.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { Informer, type InformerOptions } from '../../src/kube/informer.ts';
import { noMetrics, type WatchEnd } from '../../src/kube/metrics.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { FakeApiServer, type FaultAction } from '../support/fake-api-server.ts';
import { eventually, FakeClock } from '../support/fake-clock.ts';
import { memoryLog, WIDGET_REF, WIDGETS, type Widget, widget } from './fixtures.ts';

/** Bytes in use after a full collection. */
function usedHeap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

let server: FakeApiServer;
let transport: Transport;
let client: KubeClient;
let clock: FakeClock;
let stop: AbortController;
let informer: Informer<Widget>;
let running: Promise<void>;
let seen: string[];
let ends: WatchEnd[];
const { log, lines } = memoryLog();

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  ({ transport, client } = server.connect(clock));
  stop = new AbortController();
  seen = [];
  ends = [];
  lines.length = 0;
});

afterEach(async () => {
  server.thaw();
  stop.abort();
  await running;
  await eventually(() => server.watches.length === 0);
  await transport.close();
  await server.close();
  expect(clock.pendingTimers).toBe(0);
});

function start(options: Partial<InformerOptions<Widget>> = {}): void {
  const metrics = {
    ...noMetrics,
    watchEnded: (_resource: string, end: WatchEnd) => {
      ends.push(end);
    },
  };
  informer = new Informer<Widget>({
    client,
    type: WIDGETS,
    clock,
    log,
    metrics,
    random: () => 0.5,
    ...options,
  });
  informer.subscribe({
    onAdd: (object) => seen.push(`+${object.metadata.name}`),
    onUpdate: (_old, object) => seen.push(`~${object.metadata.name}`),
    onDelete: (object) => seen.push(`-${object.metadata.name}`),
  });
  running = informer.run(stop.signal);
}

async function synced(): Promise<void> {
  await clock.advanceUntil(() => informer.hasSynced && server.watches.length > 0, { stepMs: 0 });
}

/** What the server has, by name and version. */
function truth(): string[] {
  return server.store
    .list(WIDGET_REF)
    .map((each) => `${each.metadata.name}@${each.metadata.resourceVersion}`);
}

function cached(): string[] {
  return informer.lister
    .list()
    .map((each) => `${each.metadata.name}@${each.metadata.resourceVersion ?? ''}`)
    .sort();
}

async function converged(limitMs = 300_000): Promise<void> {
  await clock.advanceUntil(() => JSON.stringify(cached()) === JSON.stringify(truth().sort()), {
    stepMs: 200,
    limitMs,
  });
}

function put(name: string, size = 1): void {
  server.store.put(WIDGET_REF, widget(name, { size }));
}

function drop(name: string): void {
  server.store.delete(WIDGET_REF, `default/${name}`);
}

describe('in good weather', () => {
  it('lists, publishes, then follows', async () => {
    put('a');
    put('b');
    start();
    expect(informer.hasSynced).toBe(false);
    await informer.whenSynced(stop.signal);
    expect(seen).toEqual(['+a', '+b']);
    await synced();
    put('c');
    put('a', 2);
    drop('b');
    await converged();
    expect(seen).toEqual(['+a', '+b', '+c', '~a', '-b']);
    expect(server.count('list')).toBe(1);
  });

  it('pages through large lists', async () => {
    for (let index = 0; index < 1_200; index += 1) put(`w${index}`);
    start();
    await synced();
    expect(informer.lister.size).toBe(1_200);
    expect(server.count('list')).toBe(3);
  });

  it('keeps what the projection keeps', async () => {
    put('a');
    start({ project: (raw) => ({ metadata: raw.metadata, spec: { size: 42 } }) });
    await synced();
    expect(informer.lister.get({ namespace: 'default', name: 'a' })?.spec?.size).toBe(42);
  });

  it('drops managedFields by default', async () => {
    server.store.create(WIDGET_REF, 'default', widget('a') as never);
    start();
    await synced();
    expect(informer.lister.list()[0]?.metadata).not.toHaveProperty('managedFields');
  });

  it('tells a late subscriber what is there, and nothing after it leaves', async () => {
    put('a');
    start();
    await synced();
    const late: string[] = [];
    const leave = informer.subscribe({ onAdd: (object) => late.push(object.metadata.name) });
    put('b');
    await converged();
    leave();
    put('c');
    await converged();
    expect(late).toEqual(['a', 'b']);
  });

  it('follows a selection: what leaves it is deleted here', async () => {
    put('a');
    start({ fieldSelector: 'spec.color=red', namespace: 'default' });
    await synced();
    const red = { ...widget('r'), spec: { size: 1, color: 'red' } };
    server.store.put(WIDGET_REF, red);
    await eventually(() => informer.lister.size === 1);
    server.store.put(WIDGET_REF, { ...red, spec: { size: 1, color: 'blue' } });
    await eventually(() => informer.lister.size === 0);
    expect(seen).toEqual(['+r', '-r']);
  });

  it('resumes at the version of the last bookmark', async () => {
    start();
    await synced();
    server.store.skipVersions(500);
    server.watches[0]?.bookmark(600);
    await eventually(() => clock.pendingTimers > 0);
    await sleep(systemClock, 20);
    server.watches[0]?.reset();
    await clock.advanceUntil(() => server.count('watch') === 2);
    expect(server.requests.at(-1)?.query.get('resourceVersion')).toBe('600');
    expect(server.requests.at(-1)?.query.get('allowWatchBookmarks')).toBe('true');
    expect(server.count('list')).toBe(1);
  });

  it('asks for watches of five to ten minutes', async () => {
    start({ random: () => 0.999 });
    await synced();
    const seconds = Number(server.requests.at(-1)?.query.get('timeoutSeconds'));
    expect(seconds).toBeGreaterThanOrEqual(300);
    expect(seconds).toBeLessThanOrEqual(600);
  });

  it('stops waiting for the first list when asked to', async () => {
    server.fail({ when: () => true, action: { kind: 'hang' } });
    start();
    const waiting = informer.whenSynced(AbortSignal.any([stop.signal]));
    stop.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
  });

  it('keeps a failing subscriber away from the others', async () => {
    start();
    informer.subscribe({
      onAdd: () => {
        throw new Error('subscriber bug');
      },
    });
    await synced();
    put('a');
    put('b');
    await converged();
    expect(seen).toEqual(['+a', '+b']);
    expect(lines.filter((line) => line.message === 'subscriber failed')).toHaveLength(2);
  });
});

describe('after a fault', () => {
  async function begin(): Promise<void> {
    put('a');
    put('gone');
    start();
    await synced();
    // What happens here must be known later, however the watch ended.
    server.watches[0]?.freeze();
    put('a', 2);
    drop('gone');
    put('new');
  }

  it('recovers from a reset', async () => {
    await begin();
    server.resetConnections();
    await converged();
    expect(seen.slice(2).sort()).toEqual(['+new', '-gone', '~a']);
    expect(server.count('list')).toBe(1);
  });

  it('recovers from an orderly end without delay', async () => {
    await begin();
    await clock.advance(10_000);
    server.watches[0]?.end();
    const before = clock.monotonic();
    await eventually(() => server.count('watch') === 2);
    expect(clock.monotonic()).toBe(before);
    await converged();
  });

  it('notices a connection that only looks alive', async () => {
    await begin();
    await clock.advance(99_000);
    await sleep(systemClock, 10);
    expect(server.count('watch')).toBe(1);
    await clock.advance(1_100);
    await converged();
    expect(ends).toEqual(['stalled']);
  });

  it('recovers from a frozen server', async () => {
    await begin();
    server.freeze();
    await clock.advance(150_000);
    server.thaw();
    await converged();
    expect(seen.slice(2).sort()).toEqual(['+new', '-gone', '~a']);
  });

  it('recovers from a restart', async () => {
    await begin();
    await server.down();
    await clock.advance(20_000);
    await sleep(systemClock, 20);
    await server.up();
    await converged();
  });

  it('lists again when its version has expired, without false updates', async () => {
    put('same');
    await begin();
    server.store.compact();
    server.watches[0]?.thaw();
    server.resetConnections();
    await converged();
    expect(server.count('list')).toBe(2);
    expect(seen.filter((each) => each.endsWith('same'))).toEqual(['+same']);
    expect(seen.slice(3).sort()).toEqual(['+new', '-gone', '~a']);
    expect(ends).toContain('expired');
  });

  it('lists again after an ERROR event of any kind', async () => {
    put('a');
    start();
    await synced();
    server.watches[0]?.error(500, 'InternalError');
    put('b');
    await converged();
    await clock.advanceUntil(() => server.count('list') === 2);
  });

  it.each([
    ['torn JSON', '{"type":"ADDED","obj\n'],
    ['something that is no event', '[1,2,3]\n'],
    ['an unknown type', '{"type":"SURPRISE","object":{"metadata":{}}}\n'],
    ['an object without metadata', '{"type":"ADDED","object":{}}\n'],
  ])('reconnects after %s', async (_name, line) => {
    put('a');
    start();
    await synced();
    server.watches[0]?.send(line);
    await clock.advanceUntil(() => server.count('watch') === 2);
    put('b');
    await converged();
  });

  it('ignores duplicated, replayed and late events', async () => {
    put('a');
    start();
    await synced();
    const first = server.store.get(WIDGET_REF, 'default/a');
    put('a', 2);
    await converged();
    for (const type of ['ADDED', 'MODIFIED', 'MODIFIED']) server.watches[0]?.event(type, first);
    drop('a');
    await converged();
    server.watches[0]?.event('MODIFIED', first);
    put('z');
    await converged();
    expect(seen).toEqual(['+a', '~a', '-a', '+z']);
  });

  it.each([
    ['429 with Retry-After', { kind: 'status', code: 429, retryAfter: 7 }],
    ['429 without', { kind: 'status', code: 429 }],
    ['403', { kind: 'status', code: 403, reason: 'Forbidden' }],
    ['500', { kind: 'status', code: 500 }],
    ['a reset', { kind: 'reset' }],
    ['no answer', { kind: 'hang' }],
    ['half a list', { kind: 'truncate' }],
    ['HTML', { kind: 'text', text: '<html>' }],
  ] satisfies [string, FaultAction][])('gets its first list in spite of %s', async (_name, action) => {
    put('a');
    server.fail({ when: (request) => request.verb === 'list', times: 3, action });
    start();
    await clock.advanceUntil(() => informer.hasSynced, { stepMs: 500 });
    expect(cached()).toEqual(truth());
  });

  it('starts a list over when its pages expire', async () => {
    for (let index = 0; index < 700; index += 1) put(`w${index}`);
    const isSecondPage = { when: (request: { query: URLSearchParams }) => request.query.has('continue') };
    server.fail({ ...isSecondPage, action: { kind: 'status', code: 410, reason: 'Expired' } });
    start();
    await synced();
    expect(informer.lister.size).toBe(700);
    expect(server.count('list')).toBe(4);
  });

  it('does not mind a slow list', async () => {
    put('a');
    server.fail({
      when: (request) => request.verb === 'list',
      action: { kind: 'wait', until: sleep(clock, 45_000) },
    });
    start();
    await clock.advanceUntil(() => informer.hasSynced, { stepMs: 1_000 });
    expect(server.count('list')).toBe(1);
  });

  it('lists again when its version lies in the future of a restored server', async () => {
    put('a');
    start();
    await synced();
    server.fail({
      when: (request) => request.verb === 'watch',
      times: 6,
      action: { kind: 'status', code: 504, reason: 'Timeout', message: 'Too large resource version' },
    });
    server.resetConnections();
    await clock.advanceUntil(() => server.count('list') === 2, { stepMs: 500 });
  });
});

describe('under permanent trouble', () => {
  /** Requests in ten minutes of trouble: 30 s apart at the end, a dozen at the beginning, times five attempts. */
  const BUSY = 150;

  it.each([
    ['refuses everything', { kind: 'status', code: 503 }],
    ['cuts everything', { kind: 'reset' }],
    ['expires every watch', { kind: 'status', code: 410, reason: 'Expired' }],
  ] satisfies [string, FaultAction][])('does not knock in a busy loop: %s', async (_name, action) => {
    start();
    await synced();
    server.requests.length = 0;
    server.fail({ when: (request) => request.verb !== 'list', times: 1_000_000, action });
    server.resetConnections();
    await clock.advanceUntil(() => false, { stepMs: 1_000, limitMs: 600_000 }).catch(() => undefined);
    expect(server.requests.length).toBeGreaterThan(15);
    expect(server.requests.length).toBeLessThan(BUSY);
    server.clearFaults();
    put('a');
    await converged();
  });

  it('leaves nothing behind after a hundred watches', async () => {
    for (let index = 0; index < 200; index += 1) put(`w${index}`);
    start();
    await synced();
    let heapBefore = 0;
    for (let round = 0; round < 120; round += 1) {
      if (round === 20) heapBefore = usedHeap();
      const before = server.count('watch');
      if (round % 2 === 0) server.watches[0]?.reset();
      else server.watches[0]?.end();
      await clock.advanceUntil(() => server.count('watch') > before && server.watches.length === 1, {
        stepMs: 1_000,
      });
    }
    expect(getEventListeners(stop.signal, 'abort').length).toBeLessThan(4);
    expect(clock.pendingTimers).toBeLessThan(4);
    expect(server.openConnections).toBeLessThan(4);
    expect(server.count('list')).toBe(1);
    // The server's log of requests is in there too.
    expect(usedHeap() - heapBefore).toBeLessThan(3_000_000);
  });

  it('does not reopen in a busy loop a watch that ends at once', async () => {
    start();
    await synced();
    server.requests.length = 0;
    const ending = setInterval(() => {
      for (const watch of server.watches) watch.end();
    }, 1);
    await clock.advanceUntil(() => false, { stepMs: 1_000, limitMs: 300_000 }).catch(() => undefined);
    clearInterval(ending);
    expect(server.requests.length).toBeLessThan(40);
    put('a');
    await converged();
  });
});
