/** The dashboard over HTTP: pages of what the caller may see, assets, errors, and the stream of changes. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ImageSource } from '../../../src/api/image-source.ts';
import { Authorizer } from '../../../src/server/authorize.ts';
import type { EventView } from '../../../src/server/dashboard/model.ts';
import { dashboardRoutes } from '../../../src/server/dashboard/routes.ts';
import { imageSource } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { attributeOf, findAll, inside, parseHtml, rowsOf, textOf } from '../../support/html.ts';
import { caller, FakeReviews, ServedGroups } from '../../support/http-server.ts';
import { nodeFacts } from '../../support/stock-builders.ts';
import { ClusterFake, stockedImage } from './cluster-fake.ts';
import { HOSTILE, NOW } from './models.ts';

const AT = '2026-11-21T11:59:00Z';

let cluster: ClusterFake;
let clock: FakeClock;
let events: EventView[] | undefined;
let server: ServedGroups;

async function serve(anonymousRead: boolean, serverClock?: FakeClock): Promise<void> {
  const reviews = new FakeReviews();
  const authorizer = new Authorizer({ reviews, clock, anonymousRead });
  const timing = serverClock === undefined ? {} : { clock: serverClock };
  const ports = { cluster, authorizer, clock, events: { list: () => Promise.resolve(events) } };
  server = await ServedGroups.start({ groups: [dashboardRoutes(ports)], reviews, anonymousRead, ...timing });
}

beforeEach(() => {
  clock = new FakeClock(NOW);
  cluster = new ClusterFake();
  events = [];
  cluster.put({
    sources: [lab()],
    nodes: ['node-1', 'node-2', 'node-3'].map((name) => nodeFacts(name, { labels: { pool: 'a' } })),
    images: [
      stockedImage('w_2026_46', 'a', { presentOn: ['node-1', 'node-2', 'node-3'] }),
      stockedImage('w_2026_47', 'b', {
        presentOn: ['node-1'],
        notPresent: [
          {
            node: 'node-2',
            state: 'Failed',
            reason: 'ManifestUnknown',
            message: HOSTILE,
            attempts: 3,
            lastAttempt: AT,
          },
          { node: 'node-3', state: 'Pulling', reason: 'Pulling', message: 'The pull pod runs' },
        ],
        backoff: { class: 'Image', attempts: 3, nextAttempt: '2026-11-21T12:05:00Z' },
      }),
    ],
  });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

function lab(message = 'Scanned'): ImageSource {
  const source = imageSource({ metadata: { name: 'lab' } });
  const digest = `sha256:${'b'.repeat(64)}`;
  const reference = 'registry.example.org/sciplat/lab:w_2026_47';
  const image = { reference, tag: 'w_2026_47', name: 'Weekly 2026_47', digest, prepulled: false };
  return {
    ...source,
    status: {
      conditions: [{ type: 'Ready', status: 'True', reason: 'Succeeded', message, lastTransitionTime: AT }],
      recommended: image,
      latestWeekly: image,
      images: [{ ...image, type: 'weekly', rules: ['weeklies'] }],
      counts: { known: 8, selected: 2, prepulled: 1 },
      lastScanTime: AT,
    },
  };
}

async function get(path: string, init?: RequestInit): Promise<ReturnType<typeof parseHtml>> {
  const response = await server.fetch(path, init);
  expect([path, response.status]).toEqual([path, 200]);
  return parseHtml(await response.text());
}

function rows(elements: ReturnType<typeof parseHtml>, id: string): readonly (readonly string[])[] {
  return rowsOf(inside(findAll(elements, 'section', { id })[0]));
}

describe('with --anonymous-read', () => {
  beforeEach(() => serve(true));

  it('the front page shows sources, pulls in flight and events', async () => {
    const object = { namespace: 'default', name: 'lab' };
    events = [
      {
        at: NOW - 60_000,
        isWarning: false,
        reason: 'Scanned',
        message: 'new tag',
        kind: 'ImageSource',
        object,
      },
    ];
    const page = await get('/');
    expect(rows(page, 'sources')[1]?.slice(1, 4)).toEqual(['✓ Ready Succeeded', 'w_2026_47', '1/2 1/2']);
    expect(rows(page, 'pulling')[1]?.slice(0, 2)).toEqual(['sciplat/lab:w_2026_47', 'node-3']);
    expect(rows(page, 'events')[1]?.[1]).toBe('ImageSource lab');
    expect(textOf(findAll(page, 'section', { id: 'figures' })[0])).toContain('Images on nodes4/6 1 failed');
  });

  it('the page of a source shows where its images are', async () => {
    const page = await get('/sources/default/lab');
    const [, row] = rows(page, 'images');
    expect(row?.[0]).toBe('w_2026_47 Weekly 2026_47');
    expect(row?.slice(4)).toEqual(['9.8 GiB', '–', '1/3 1/3', 'No']);
  });

  it('the page of an image says where it is missing, why, and when it is tried again', async () => {
    const page = await get('/images/default/lab-w-2026-47');
    expect(rows(page, 'missing')[1]).toEqual([
      'node-2',
      'Failed',
      `ManifestUnknown ${HOSTILE}`,
      '3',
      '1m ago',
      'in 5m',
    ]);
    expect(findAll(page, 'img')).toEqual([]);
  });

  it('the page of a node says what it has and misses', async () => {
    const page = await get('/nodes/node-2');
    expect(rows(page, 'present')[1]).toEqual(['sciplat/lab:w_2026_46', '9.8 GiB']);
    expect(rows(page, 'missing')[1]?.slice(0, 2)).toEqual(['sciplat/lab:w_2026_47', 'Failed']);
  });

  it('the list of nodes counts what each has', async () => {
    const page = await get('/nodes');
    expect(
      rows(page, 'nodes')
        .slice(1)
        .map((row) => [row[0], row[3], row[4]]),
    ).toEqual([
      ['node-1', '2/2 2/2', '0'],
      ['node-2', '1/2 1/2', '1'],
      ['node-3', '1/2 1/2', '0'],
    ]);
  });

  it('the matrix is filtered by the query', async () => {
    const signs = rows(await get('/matrix'), 'matrix').slice(1);
    expect(signs).toEqual([
      ['a 3 nodes', '−2', '✓'],
      ['node-1', '✓', '✓'],
      ['node-2', '✗', '✓'],
      ['node-3', '↻', '✓'],
    ]);
    const missing = rows(await get('/matrix?missing=1&node=node-2'), 'matrix');
    expect(missing.slice(1)).toEqual([
      ['a 1 node', '−1'],
      ['node-2', '✗'],
    ]);
    expect(rows(await get('/matrix?source=default%2Fother'), 'matrix')).toEqual([]);
  });

  it('hostile queries are shown as text', async () => {
    const page = await get(
      `/matrix?${new URLSearchParams({ image: HOSTILE, group: HOSTILE, pool: HOSTILE }).toString()}`,
    );
    expect(findAll(page, 'img')).toEqual([]);
    expect(findAll(page, 'input', { name: 'image' }).map((input) => attributeOf(input, 'value'))).toEqual([
      HOSTILE,
    ]);
  });

  it('assets are kept for good under their version, and asked for again without', async () => {
    const page = await get('/');
    const hrefs = [...findAll(page, 'link'), ...findAll(page, 'script')].map(
      (element) => attributeOf(element, 'href') ?? attributeOf(element, 'src') ?? '',
    );
    expect(hrefs).toHaveLength(3);
    for (const href of hrefs) {
      expect((await server.fetch(href)).headers.get('cache-control')).toContain('immutable');
    }
    expect((await server.fetch('/assets/style.css')).headers.get('cache-control')).toBe('private, no-cache');
    expect((await server.fetch('/assets/..%2f..%2fetc%2fpasswd')).status).toBe(404);
  });

  it('allows the browser nothing but own files', async () => {
    const policy = (await server.fetch('/')).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe|data:|\*/);
  });

  it('answers 304 while nothing has changed', async () => {
    const etag = (await server.fetch('/nodes')).headers.get('etag') ?? '';
    expect((await server.fetch('/nodes', { headers: { 'if-none-match': etag } })).status).toBe(304);
  });

  it.each(['/nodes/none', '/sources/default/none', '/images/x/y', '/sources/%ff/x', '/nothing'])(
    'what does not exist is a page for people and a problem for programs: %s',
    async (path) => {
      const html = await server.fetch(path, { headers: { accept: 'text/html,*/*' } });
      expect([html.status, html.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
      expect(textOf(findAll(parseHtml(await html.text()), 'h1')[0])).toBe('Not Found');
      const json = await server.fetch(path);
      expect(await json.json()).toMatchObject({ status: 404, code: 'NotFound' });
    },
  );
});

describe('without --anonymous-read', () => {
  beforeEach(() => serve(false));

  it('nobody is let in without a token', async () => {
    const response = await server.fetch('/', { headers: { accept: 'text/html' } });
    expect(response.status).toBe(401);
    expect(await response.text()).toContain('a bearer token is needed');
  });

  it('everybody sees what they may list or get', async () => {
    server.reviews.allow('ann', 'get larder.dev/imagesources default/lab');
    server.reviews.allow('ann', 'get larder.dev/prepulledimages default/lab-w-2026-47');
    const page = parseHtml(await (await server.fetchAs('ann', '/')).text());
    expect(rows(page, 'sources')).toHaveLength(2);
    expect(textOf(findAll(page, 'section', { id: 'figures' })[0])).toContain('Nodes ready0/0');
    expect((await server.fetchAs('ann', '/images/default/lab-w-2026-46')).status).toBe(403);
    expect((await server.fetchAs('ann', '/matrix')).status).toBe(403);
    const other = parseHtml(await (await server.fetchAs('bob', '/')).text());
    expect(textOf(findAll(other, 'section', { id: 'sources' })[0])).toContain(
      'no ImageSource that you may see',
    );
  });

  it('whoever may see a source alone sees nothing of its PrepulledImages', async () => {
    server.reviews.allow('ann', 'get larder.dev/imagesources default/lab');
    const read = async () => (await server.fetchAs('ann', '/sources/default/lab')).text();
    expect(await read()).not.toContain('/images/default/');
    server.reviews.allow('bob', 'get larder.dev/imagesources default/lab');
    server.reviews.allow('bob', 'list larder.dev/prepulledimages default');
    const whole = await (await server.fetchAs('bob', '/sources/default/lab')).text();
    expect(whole).toContain('/images/default/');
  });

  it('whoever may list nodes sees them, with the images that they may see', async () => {
    server.reviews.allow('ops', 'list /nodes');
    server.reviews.allow('ops', 'list larder.dev/prepulledimages default');
    const page = parseHtml(await (await server.fetchAs('ops', '/nodes/node-2')).text());
    expect(rows(page, 'missing')).toHaveLength(2);
  });
});

/** The events of a stream, until it is left or closed. */
class Stream implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #lines: string[] = [];
  #done: Promise<void> = Promise.resolve();

  static async open(path: string, token?: string): Promise<Stream> {
    const stream = new Stream();
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await server.fetch(path, { headers, signal: stream.#abort.signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    stream.#done = stream.#read(response);
    return stream;
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? [])
        this.#lines.push(...decoder.decode(chunk as Uint8Array).split('\n'));
    } catch {
      // Left by the test, or closed by the server.
    }
  }

  get comments(): number {
    return this.#lines.filter((line) => line.startsWith(':')).length;
  }

  get events(): readonly string[] {
    return this.#lines.flatMap((line) => (line.startsWith('event: ') ? [line.slice(7)] : []));
  }

  get sections(): readonly { readonly id: string; readonly html: string }[] {
    const data = this.#lines.flatMap((line) => (line.startsWith('data: {') ? [line.slice(6)] : []));
    return data.map((text) => JSON.parse(text) as { id: string; html: string });
  }

  get ended(): Promise<void> {
    return this.#done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }
}

describe('the live stream', () => {
  beforeEach(() => serve(true));

  async function open(path: string): Promise<Stream> {
    const page = await get(path);
    const revision = attributeOf(findAll(page, 'main')[0] ?? fail('no main'), 'data-revision') ?? '';
    const stream = await Stream.open(`/live?${new URLSearchParams({ path, revision }).toString()}`);
    await expect.poll(() => stream.comments).toBeGreaterThan(0);
    return stream;
  }

  /** Steps the clock until the condition holds. */
  async function step(holds: () => boolean): Promise<void> {
    await expect
      .poll(async () => {
        await clock.advance(1_000);
        return holds();
      })
      .toBe(true);
  }

  it('sends the sections that have changed, and only these', async () => {
    await using stream = await open('/sources/default/lab');
    cluster.put({ sources: [lab('Scanned again')] });
    await step(() => stream.sections.length > 0);
    expect(stream.sections.map(({ id }) => id)).toEqual(['state', 'conditions']);
    expect(stream.sections[0]?.html).toContain('Scanned again');
  });

  it('sends everything to a page that is older than the stream', async () => {
    await using stream = await Stream.open('/live?path=%2Fsources%2Fdefault%2Flab&revision=old');
    await expect
      .poll(() => stream.sections.map(({ id }) => id))
      .toEqual(['state', 'named', 'images', 'conditions']);
  });

  it('stays silent while nothing changes, but for a sign of life', async () => {
    await using stream = await open('/nodes');
    await step(() => stream.comments >= 2);
    expect(stream.events).toEqual([]);
  });

  it('says when the page is gone, and ends', async () => {
    await using stream = await open('/sources/default/lab');
    cluster.put({ sources: [] });
    await step(() => stream.events.includes('gone'));
    await stream.ended;
  });

  it('refuses what is no page', async () => {
    for (const path of ['https://example.org/', '//example.org/', '/assets/style.css', '/nothing']) {
      const response = await server.fetch(`/live?path=${encodeURIComponent(path)}`);
      expect([path, response.status >= 400]).toEqual([path, true]);
    }
  });

  it('ends with the server, and leaves no timer behind when the reader goes', async () => {
    const stream = await open('/');
    await stream[Symbol.asyncDispose]();
    await expect.poll(() => clock.pendingTimers).toBe(0);
  });
});

describe('the live stream of a person', () => {
  beforeEach(() => serve(false, clock));

  beforeEach(() => {
    server.reviews.tokens.set('of-ann', caller('ann'));
    server.reviews.allow('ann', 'get larder.dev/imagesources default/lab');
  });

  const open = () => Stream.open('/live?path=%2Fsources%2Fdefault%2Flab&revision=old', 'of-ann');

  async function steps(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) await clock.advance(1_000);
  }

  async function stepUntil(holds: () => boolean): Promise<void> {
    await expect
      .poll(async () => {
        await steps(5);
        return holds();
      })
      .toBe(true);
  }

  it('ends when the token is no longer valid', async () => {
    await using stream = await open();
    await expect.poll(() => stream.sections.length).toBeGreaterThan(0);
    server.reviews.tokens.clear();
    await stepUntil(() => stream.events.includes('gone'));
    await stream.ended;
  });

  it('ends when the right is taken away', async () => {
    await using stream = await open();
    await expect.poll(() => stream.sections.length).toBeGreaterThan(0);
    server.reviews.forbid('ann', 'get larder.dev/imagesources default/lab');
    await stepUntil(() => stream.events.includes('gone'));
    await stream.ended;
  });

  it('outlives a silence of the API server, and shows nothing meanwhile', async () => {
    await using stream = await open();
    await expect.poll(() => stream.sections.length).toBeGreaterThan(0);
    server.reviews.isDown = true;
    await steps(40);
    const before = stream.sections.length;
    cluster.put({ sources: [lab('Scanned again')] });
    await steps(5);
    expect(stream.sections).toHaveLength(before);
    server.reviews.isDown = false;
    await stepUntil(() => stream.sections.length > before);
    expect(stream.events).not.toContain('gone');
  });

  it('leaves half of the places to others, however many are asked for at once', async () => {
    const streams = await Promise.allSettled(Array.from({ length: 120 }, open));
    const opened = streams.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(opened).toHaveLength(100);
    server.reviews.tokens.set('of-bob', caller('bob'));
    server.reviews.allow('bob', 'get larder.dev/imagesources default/lab');
    await using other = await Stream.open('/live?path=%2Fsources%2Fdefault%2Flab', 'of-bob');
    await Promise.all(opened.map((stream) => stream[Symbol.asyncDispose]()));
    await expect.poll(() => clock.pendingTimers).toBeLessThanOrEqual(1);
    await using again = await open();
    await expect.poll(() => again.comments + other.comments).toBeGreaterThan(1);
  });
});

function fail(message: string): never {
  throw new Error(message);
}
