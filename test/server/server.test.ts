import { connect, type Socket } from 'node:net';
import { type Handler, Hono } from 'hono';
import { afterEach, describe, expect, it } from 'vitest';
import { ProblemError } from '../../src/server/problem.ts';
import { respondJson } from '../../src/server/representation.ts';
import type { RouteGroup, ServerEnv } from '../../src/server/route-group.ts';
import { eventually, FakeClock } from '../support/fake-clock.ts';
import { ServedGroups, type ServedOptions } from '../support/http-server.ts';

let served: ServedGroups | undefined;
afterEach(async () => {
  await served?.[Symbol.asyncDispose]();
  served = undefined;
});

function routesOf(answers: Readonly<Record<string, Handler<ServerEnv>>>): Hono<ServerEnv> {
  const routes = new Hono<ServerEnv>();
  for (const [path, answer] of Object.entries(answers)) routes.get(path, answer);
  return routes;
}

/** Routes that do one thing each. */
function shelf(overrides: Partial<RouteGroup> = {}): RouteGroup {
  const routes = new Hono<ServerEnv>();
  routes.get('/jam', (context) => respondJson(context, { jam: 'plum' }));
  routes.get('/who', (context) => respondJson(context, context.get('exchange').caller));
  routes.get('/hot/:secret', () => {
    throw new ProblemError('Conflict', 'the jar is hot', { headers: { 'retry-after': '7' } });
  });
  routes.get('/broken', () => {
    throw new Error('password hunter2');
  });
  routes.post('/jam', async (context) => {
    context.get('exchange').subject = 'Jam shelf/plum';
    return context.json({ length: (await context.req.text()).length }, 201);
  });
  return { name: 'shelf', basePath: '/v1/shelf', routes, authentication: 'Bearer', ...overrides };
}

async function start(options: Partial<ServedOptions> = {}): Promise<ServedGroups> {
  served = await ServedGroups.start({ groups: [shelf()], ...options });
  return served;
}

/** Sends bytes as they are and returns all that comes back until the server closes, or `until` is seen. */
function talk(port: number, bytes: string, until?: string): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (until !== undefined && answer.includes(until)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(answer);
    });
    socket.write(bytes);
  });
}

describe('the HTTP server', () => {
  it('gives each request to the group with the longest base path', async () => {
    const inner = routesOf({ '/': (context) => context.text('inner') });
    const outer = routesOf({
      '/shelf': (context) => context.text('outer'),
      '/': (context) => context.text('root'),
    });
    const server = await start({
      groups: [
        { name: 'root', basePath: '/', routes: outer, authentication: 'Bearer' },
        { name: 'inner', basePath: '/v1/shelf', routes: inner, authentication: 'Bearer' },
      ],
    });
    expect(await (await server.fetch('/v1/shelf')).text()).toBe('inner');
    expect(await (await server.fetch('/shelf')).text()).toBe('outer');
    expect(await (await server.fetch('/')).text()).toBe('root');
    expect((await server.fetch('/v1/shelfish')).status).toBe(404);
  });

  it('says as problem details what is wrong', async () => {
    const server = await start();
    const answer = await server.fetch('/v1/shelf/hot/one', { headers: { 'x-request-id': 'mine-1' } });
    expect(answer.status).toBe(409);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('retry-after')).toBe('7');
    expect(await answer.json()).toEqual({
      type: 'tag:larder.dev,2026:problem/Conflict',
      title: 'Conflict',
      status: 409,
      detail: 'the jar is hot',
      code: 'Conflict',
      instance: 'urn:larder:request:mine-1',
    });
  });

  it('tells callers nothing of a failure that no route foresaw, and the log everything', async () => {
    const server = await start();
    const answer = await server.fetch('/v1/shelf/broken');
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('hunter2');
    expect(server.log.lines.find(({ level }) => level === 'error')?.fields['err']).toBeInstanceOf(Error);
  });

  it('knows which methods a path has', async () => {
    const server = await start();
    const answer = await server.fetchAs('ann', '/v1/shelf/jam', { method: 'DELETE' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD', 'POST']);
    expect((await server.fetch('/v1/shelf/jam', { method: 'HEAD' })).status).toBe(200);
  });

  it('lets a group write errors its own way', async () => {
    const problemResponse: RouteGroup['problemResponse'] = ({ status, detail }) =>
      new Response(`no: ${detail}`, { status });
    const server = await start({ groups: [shelf({ problemResponse })] });
    expect(await (await server.fetch('/v1/shelf/nothing')).text()).toBe('no: there is nothing at this path');
  });

  it('puts headers on every answer that keep browsers from guessing, framing and loading', async () => {
    const server = await start();
    for (const path of ['/v1/shelf/jam', '/v1/shelf/broken', '/nowhere']) {
      const { headers } = await server.fetch(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
    }
  });

  it('answers 503 until the caches are filled', async () => {
    let ready = false;
    const server = await start({ isReady: () => ready });
    expect((await server.fetch('/v1/shelf/jam')).status).toBe(503);
    ready = true;
    expect((await server.fetch('/v1/shelf/jam')).status).toBe(200);
  });
});

describe('what is answered again', () => {
  it('is 304 for who has it, and gzip for who reads it', async () => {
    const routes = routesOf({ '/': (context) => respondJson(context, 'jam '.repeat(1_000)) });
    const server = await start({
      groups: [{ name: 'long', basePath: '/long', routes, authentication: 'Bearer' }],
    });
    const answer = await server.fetch('/long');
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    const etag = answer.headers.get('etag') ?? '';
    expect(await answer.json()).toBe('jam '.repeat(1_000));
    const again = await server.fetch('/long', { headers: { 'if-none-match': `"other", ${etag}` } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
    const plain = await server.fetch('/long', { headers: { 'accept-encoding': 'gzip;q=0' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
  });
});

describe('limits', () => {
  it('refuses a long body by its length, and one that lies about it as soon as it is too long', async () => {
    const server = await start();
    const long = await server.fetchAs('ann', '/v1/shelf/jam', { method: 'POST', body: 'x'.repeat(65_537) });
    expect(long.status).toBe(413);
    const fits = await server.fetchAs('ann', '/v1/shelf/jam', { method: 'POST', body: 'x'.repeat(65_536) });
    expect(await fits.json()).toEqual({ length: 65_536 });
    const head =
      'POST /v1/shelf/jam HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-of-ann\r\nTransfer-Encoding: chunked\r\n\r\n';
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const answer = await talk(server.port, `${head}${chunk.repeat(4)}`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  it.each(['GET', 'POST'])('does not read 100 MB that nobody wants with %s', async (method) => {
    const server = await start();
    let sent = 0;
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const closed = new Promise<void>((resolve) =>
      socket.on('close', () => {
        resolve();
      }),
    );
    socket.resume();
    socket.write(`${method} /v1/shelf/jam HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n`);
    const piece = Buffer.alloc(1_000_000);
    const push = (): void => {
      while (!socket.destroyed && sent < 100) {
        sent += 1;
        if (!socket.write(piece)) {
          socket.once('drain', push);
          return;
        }
      }
    };
    push();
    await closed;
    expect(sent).toBeLessThan(30);
  });

  it('cuts a client that sends a header now and then', { timeout: 20_000 }, async () => {
    const server = await start();
    const began = performance.now();
    const answer = await talk(server.port, 'GET /v1/shelf/jam HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    expect(answer).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  it('lets one client ask for so much and no more', async () => {
    const clock = new FakeClock();
    const server = await start({ clock, ratePerClient: 10 });
    const statuses = [];
    for (let count = 0; count < 22; count += 1) statuses.push((await server.fetch('/v1/shelf/jam')).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(20);
    const refused = await server.fetch('/v1/shelf/jam');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    await clock.advance(1_000);
    expect((await server.fetch('/v1/shelf/jam')).status).toBe(200);
    expect(await server.metrics.registry.metrics()).toContain(
      'larder_http_turned_away_total{cause="rate"} 3',
    );
  });

  it('lets one client hold so many connections and no more', async () => {
    const server = await start();
    const sockets = Array.from({ length: 300 }, () => connect(server.port, '127.0.0.1'));
    for (const socket of sockets) socket.on('error', () => undefined);
    await eventually(async () =>
      (await server.metrics.registry.metrics()).includes(
        'larder_http_turned_away_total{cause="connections"} 44',
      ),
    );
    for (const socket of sockets) socket.destroy();
    await eventually(
      async () => (await server.fetch('/v1/shelf/jam').catch(() => undefined))?.status === 200,
    );
  });
});

describe('hostile requests', () => {
  it.each([
    ['two lengths', 'Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd'],
    ['a length and chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a strange coding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['a blank before the colon', 'Content-Length : 4\r\n\r\nabcd'],
    ['a folded header', 'X-A: b\r\n c\r\n\r\n'],
  ])('smuggle nothing in by %s', async (_what, rest) => {
    const server = await start();
    const hidden = 'GET /v1/shelf/who HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await talk(server.port, `POST /v1/shelf/jam HTTP/1.1\r\nHost: x\r\n${rest}${hidden}`);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it.each([
    '/v1/shelf/../../etc/passwd',
    '/v1/shelf/%2e%2e/%2e%2e/who',
    '/v1/shelf/..%2fjam',
    '/%00',
    '/v1/shelf/%zz',
    'http://other/v1',
    '\\\\x',
  ])('find nothing at %s', async (target) => {
    const server = await start();
    const answer = await talk(server.port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it('cannot use a Host header that is none', async () => {
    const server = await start();
    const answer = await talk(
      server.port,
      'GET /v1/shelf/jam HTTP/1.1\r\nHost: a b/@evil\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('the log', () => {
  it('names the route and never the path, which may hold a token', async () => {
    const server = await start();
    await server.fetch('/v1/shelf/hot/s3cr3t?token=s3cr3t');
    const line = server.log.lines.find(({ message }) => message === 'request');
    expect(line?.fields).toMatchObject({
      group: 'shelf',
      method: 'GET',
      route: '/v1/shelf/hot/:secret',
      status: 409,
      user: 'system:anonymous',
    });
    expect(JSON.stringify(server.log.lines)).not.toContain('s3cr3t');
  });

  it('has an audit line for every mutation, and only those, whether it worked or not', async () => {
    const server = await start({ accessLog: false });
    await server.fetchAs('ann', '/v1/shelf/jam', { method: 'POST', body: 'secret jam' });
    await server.fetchAs('ann', '/v1/shelf/jam');
    await server.fetch('/v1/shelf/jam', { method: 'POST', body: 'secret jam' });
    const audits = server.log.lines.filter(({ level }) => level === 'info');
    expect(audits.map(({ fields }) => [fields['user'], fields['status'], fields['subject']])).toEqual([
      ['ann', 201, 'Jam shelf/plum'],
      ['system:anonymous', 401, undefined],
    ]);
    expect(JSON.stringify(server.log.lines)).not.toContain('secret jam');
  });
});

describe('closing', () => {
  it('ends streams that have no end and lets answers end that are under way', async () => {
    const gate = Promise.withResolvers<undefined>();
    const routes = new Hono<ServerEnv>();
    routes.get('/slow', async (context) => {
      await gate.promise;
      return context.text('done');
    });
    const streamed = Promise.withResolvers<undefined>();
    routes.get('/stream', (context) => {
      const { closing } = context.get('exchange');
      const stream = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('data: 1\n\n'));
          streamed.resolve(undefined);
          closing.addEventListener('abort', () => {
            controller.close();
          });
        },
      });
      return new Response(stream);
    });
    const server = await start({
      groups: [{ name: 'slow', basePath: '/', routes, authentication: 'Bearer' }],
    });
    const stream = server.fetch('/stream').then((answer) => answer.text());
    const slow = server.fetch('/slow').then((answer) => answer.text());
    await streamed.promise;
    const closed = server[Symbol.asyncDispose]();
    served = undefined;
    expect(await stream).toBe('data: 1\n\n');
    gate.resolve(undefined);
    expect(await slow).toBe('done');
    await closed;
    await expect(server.fetch('/slow')).rejects.toThrow('fetch failed');
  });
});
