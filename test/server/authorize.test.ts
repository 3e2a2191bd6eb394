import { Hono } from 'hono';
import { beforeEach, describe, expect, it } from 'vitest';
import { ANONYMOUS, Authorizer } from '../../src/server/authorize.ts';
import { respondJson } from '../../src/server/representation.ts';
import type { RouteGroup, ServerEnv } from '../../src/server/route-group.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { caller, FakeReviews, ServedGroups } from '../support/http-server.ts';

const SIGNAL = new AbortController().signal;
const SOURCES = { group: 'larder.dev', resource: 'imagesources' };
const ANN = caller('ann');

let clock: FakeClock;
let reviews: FakeReviews;
let authorizer: Authorizer;

beforeEach(() => {
  clock = new FakeClock();
  reviews = new FakeReviews();
  reviews.tokens.set('good', ANN);
  authorizer = new Authorizer({ reviews, clock, anonymousRead: false });
});

function source(namespace: string, name: string) {
  return { metadata: { namespace, name } };
}

describe('authenticate', () => {
  it('asks the API server, and believes it for a while', async () => {
    expect(await authorizer.authenticate('good', SIGNAL)).toEqual(ANN);
    await authorizer.authenticate('good', SIGNAL);
    expect(reviews.asked).toEqual(['token']);
    reviews.tokens.delete('good');
    await clock.advance(30_000);
    await expect(authorizer.authenticate('good', SIGNAL)).rejects.toMatchObject({ code: 'Unauthorized' });
  });

  it('remembers tokens that are not valid, more briefly', async () => {
    await expect(authorizer.authenticate('new', SIGNAL)).rejects.toMatchObject({ code: 'Unauthorized' });
    reviews.tokens.set('new', ANN);
    await expect(authorizer.authenticate('new', SIGNAL)).rejects.toMatchObject({ code: 'Unauthorized' });
    await clock.advance(10_000);
    expect(await authorizer.authenticate('new', SIGNAL)).toEqual(ANN);
    expect(reviews.asked).toHaveLength(2);
  });

  it('asks once for all who come with the same token at the same moment', async () => {
    await Promise.all(Array.from({ length: 10 }, () => authorizer.authenticate('good', SIGNAL)));
    expect(reviews.asked).toHaveLength(1);
  });

  it('does not take silence of the API server for an answer, and does not remember it', async () => {
    reviews.isDown = true;
    await expect(authorizer.authenticate('good', SIGNAL)).rejects.toMatchObject({ code: 'Unavailable' });
    reviews.isDown = false;
    expect(await authorizer.authenticate('good', SIGNAL)).toEqual(ANN);
  });

  it('asks nobody about a text that is far too long', async () => {
    await expect(authorizer.authenticate('x'.repeat(20_000), SIGNAL)).rejects.toMatchObject({
      code: 'Unauthorized',
    });
    expect(reviews.asked).toEqual([]);
  });
});

describe('require', () => {
  it('refuses in the words of the API server', async () => {
    const access = { ...SOURCES, verb: 'get', namespace: 'science', name: 'lab' } as const;
    await expect(authorizer.require(ANN, access, SIGNAL)).rejects.toThrow(
      'User "ann" cannot get imagesources.larder.dev "lab" in the namespace "science"',
    );
    reviews.allow('ann', 'get larder.dev/imagesources science/lab');
    await clock.advance(10_000);
    await authorizer.require(ANN, access, SIGNAL);
  });

  it('asks nobody about callers without token: they may nothing, or read everything', async () => {
    const read = { ...SOURCES, verb: 'get', namespace: 'science', name: 'lab' } as const;
    await expect(authorizer.require(ANONYMOUS, read, SIGNAL)).rejects.toMatchObject({ code: 'Unauthorized' });
    const open = new Authorizer({ reviews, clock, anonymousRead: true });
    await open.require(ANONYMOUS, read, SIGNAL);
    await open.require(ANN, read, SIGNAL);
    await expect(open.require(ANONYMOUS, { ...read, verb: 'create' }, SIGNAL)).rejects.toMatchObject({
      code: 'Unauthorized',
    });
    await expect(open.require(ANN, { ...read, verb: 'create' }, SIGNAL)).rejects.toMatchObject({
      code: 'Forbidden',
    });
  });
});

describe('open reading', () => {
  const open = () => new Authorizer({ reviews, clock, anonymousRead: true });
  const access = (verb: 'get' | 'list' | 'delete', group: string, resource: string) => ({
    verb,
    group,
    resource,
    namespace: 'science',
  });

  it.each([
    ['get', 'larder.dev', 'imagesources', true],
    ['list', 'larder.dev', 'dockerimagerecords', true],
    ['list', '', 'nodes', true],
    ['list', 'events.k8s.io', 'events', true],
    ['delete', 'larder.dev', 'imagesources', false],
    ['get', '', 'secrets', false],
    ['list', '', 'secrets', false],
    ['get', '', 'configmaps', false],
    ['get', 'other.dev', 'nodes', false],
  ] as const)('%s of %s/%s is open: %s', async (verb, group, resource, isOpen) => {
    expect(await open().allows(ANONYMOUS, access(verb, group, resource), SIGNAL)).toBe(isOpen);
    expect(await open().allows(ANN, access(verb, group, resource), SIGNAL)).toBe(isOpen);
  });
});

describe('visible among very many', () => {
  it('asks the API server for few things at a time, and for a bounded number of objects', async () => {
    let running = 0;
    let most = 0;
    const ask = reviews.reviewAccess.bind(reviews);
    reviews.reviewAccess = async (who, access) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      return ask(who, access);
    };
    const all = Array.from({ length: 20_000 }, (_, index) => source(`ns-${index % 100}`, `s-${index}`));
    reviews.allow('ann', 'list larder.dev/imagesources ns-99');
    reviews.allow('ann', 'get larder.dev/imagesources ns-0/s-0');
    const found = await authorizer.visible(ANN, SOURCES, all, SIGNAL);
    expect(found).toHaveLength(201);
    expect(most).toBeLessThanOrEqual(32);
    expect(reviews.asked.length).toBeLessThanOrEqual(1 + 100 + 1_024);
    const before = reviews.asked.length;
    await authorizer.visible(ANN, SOURCES, all, SIGNAL);
    expect(reviews.asked).toHaveLength(before);
  });
});

describe('visible', () => {
  const all = [
    source('science', 'lab'),
    source('science', 'hub'),
    source('gpu', 'cuda'),
    source('gpu', 'rocm'),
  ];
  const seen = async () =>
    (await authorizer.visible(ANN, SOURCES, all, SIGNAL)).map(
      ({ metadata: { namespace, name } }) => `${namespace}/${name}`,
    );

  it('is everything for who may list everywhere', async () => {
    reviews.allow('ann', 'list larder.dev/imagesources');
    expect(await seen()).toHaveLength(4);
    expect(reviews.asked).toHaveLength(1);
  });

  it('is what the namespaces and single objects allow, in the old order', async () => {
    reviews.allow('ann', 'list larder.dev/imagesources gpu');
    reviews.allow('ann', 'get larder.dev/imagesources science/hub');
    expect(await seen()).toEqual(['science/hub', 'gpu/cuda', 'gpu/rocm']);
  });

  it('is nothing for who may nothing', async () => {
    expect(await seen()).toEqual([]);
  });
});

describe('who calls', () => {
  const routes = new Hono<ServerEnv>();
  routes.get('/', (context) => respondJson(context, context.get('exchange').caller.username));
  routes.post('/', (context) => respondJson(context, context.get('exchange').caller.username));
  const group: RouteGroup = { name: 'who', basePath: '/who', routes, authentication: 'Bearer' };

  it.each([
    ['no token', undefined, false, 401],
    ['no token, open for reading', undefined, true, 200],
    ['a bad token, even if open for reading', 'Bearer bad', true, 401],
    ['a password', 'Basic YTpi', true, 401],
    ['nothing after the scheme', 'Bearer ', true, 401],
    ['a good token', 'Bearer good', false, 200],
    ['a good token in capitals', 'BEARER good', false, 200],
  ])('with %s', async (_what, authorization, anonymousRead, status) => {
    await using served = await ServedGroups.start({ groups: [group], anonymousRead, reviews });
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const answer = await served.fetch('/who', { headers });
    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="larder"');
  });

  it('may not write without a token, however open reading is', async () => {
    await using served = await ServedGroups.start({ groups: [group], anonymousRead: true, reviews });
    expect((await served.fetch('/who', { method: 'POST' })).status).toBe(401);
  });

  it('may be told from a cookie where the group says so', async () => {
    const cookie: RouteGroup = {
      ...group,
      tokenOf: (context) => context.req.header('cookie')?.slice('t='.length),
    };
    await using served = await ServedGroups.start({ groups: [cookie], anonymousRead: false, reviews });
    const answer = await served.fetch('/who', { headers: { cookie: 't=good' } });
    expect(await answer.json()).toBe('ann');
  });

  it('is not asked of the API server over and over by one client that guesses', async () => {
    await using served = await ServedGroups.start({ groups: [group], reviews, clock, ratePerClient: 10 });
    const guess = (count: number) =>
      served.fetch('/who', { headers: { authorization: `Bearer guess-${count}` } });
    const statuses = [];
    for (let count = 0; count < 10; count += 1) statuses.push((await guess(count)).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(2);
    expect(statuses.filter((status) => status === 429)).toHaveLength(8);
  });

  it('costs nobody anything while the API server is silent', async () => {
    await using served = await ServedGroups.start({ groups: [group], reviews, clock, ratePerClient: 10 });
    reviews.isDown = true;
    const statuses = [];
    for (let count = 0; count < 10; count += 1)
      statuses.push((await served.fetch('/who', { headers: { authorization: 'Bearer good' } })).status);
    expect(statuses).toEqual(Array<number>(10).fill(503));
  });

  it('is guessed no faster where the routes themselves find out who calls', async () => {
    const own: RouteGroup = { ...group, authentication: 'Own', routes: new Hono<ServerEnv>() };
    own.routes.get('*', (context) => context.json('no', 401));
    await using served = await ServedGroups.start({ groups: [own], reviews, clock, ratePerClient: 10 });
    const statuses = [];
    for (let count = 0; count < 10; count += 1) statuses.push((await served.fetch('/who')).status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(8);
  });
});
