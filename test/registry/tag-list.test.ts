import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRegistryError, registryReason } from '../../src/registry/errors.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { sendJSON } from '../support/registry-exchange.ts';
import { failureOf } from '../support/registry-failure.ts';
import { PAGING_STYLES } from '../support/registry-paging.ts';
import { numberedTags, openSession, REPOSITORY } from '../support/registry-session.ts';

const LIST = `/v2/${REPOSITORY}/tags/list`;

describe('pagination', () => {
  it.each(PAGING_STYLES.filter((style) => style !== 'none'))('follows links that are %s', async (style) => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.paging = style;
    registry.maxPage = 3;
    registry.setTags(REPOSITORY, numberedTags(10));
    expect(await session.list(registry)).toMatchObject({ tags: numberedTags(10), pages: 4, junk: 0 });
    expect(session.meter).toEqual({ requests: 4, headRequests: 0, pages: 4 });
  });

  it('asks a registry without links once what follows a full first page', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.paging = 'none';
    registry.setTags(REPOSITORY, numberedTags(2500));
    expect((await session.list(registry)).tags).toEqual(numberedTags(2500));
    registry.setTags(REPOSITORY, numberedTags(1000));
    registry.log.length = 0;
    expect((await session.list(registry)).tags).toEqual(numberedTags(1000));
    expect(registry.log).toHaveLength(2);
    registry.setTags(REPOSITORY, numberedTags(999));
    registry.log.length = 0;
    await session.list(registry);
    expect(registry.log).toHaveLength(1);
  });

  it('is content with a registry that ignores n and last', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.intercept = (_, response) => {
      sendJSON(response, 200, { tags: numberedTags(1000) });
      return true;
    };
    expect((await session.list(registry)).tags).toHaveLength(1000);
    expect(registry.log).toHaveLength(2);
  });

  it('counts a tag that two pages repeat once', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.intercept = ({ query }, response) => {
      if (query.has('p')) sendJSON(response, 200, { tags: ['b', 'c'] });
      else sendJSON(response.setHeader('link', `<${LIST}?p=2>; rel=next`), 200, { tags: ['a', 'b'] });
      return true;
    };
    expect((await session.list(registry)).tags).toEqual(['a', 'b', 'c']);
  });

  it('goes on after an empty page that has a next one', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.intercept = ({ query }, response) => {
      if (query.has('p')) sendJSON(response, 200, { tags: ['a'] });
      else sendJSON(response.setHeader('link', `<${LIST}?p=2>; rel=next`), 200, { tags: [] });
      return true;
    };
    expect((await session.list(registry)).tags).toEqual(['a']);
  });

  it("takes only the query of Artifactory's links", async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.setTags(REPOSITORY, numberedTags(5));
    registry.maxPage = 2;
    registry.paging = 'none';
    registry.intercept = ({ query }, response) => {
      const last = query.get('last') ?? '';
      const next = last === '' ? 't000001' : 't000003';
      response.setHeader('x-jfrog-version', 'Artifactory/7');
      if (last !== 't000003')
        response.setHeader('link', `</artifactory/api/docker/wrong?n=2&last=${next}>; rel="next"`);
      return false;
    };
    expect((await session.list(registry)).tags).toEqual(numberedTags(5));
  });

  it('stays at the host that a redirect led to, without credentials', async () => {
    await using registry = await FakeRegistry.start();
    await using target = await FakeRegistry.start();
    await using session = openSession();
    target.setTags(REPOSITORY, numberedTags(5));
    target.maxPage = 2;
    registry.intercept = (_, response) => {
      response.writeHead(307, { location: `${target.url}${LIST}` }).end();
      return true;
    };
    expect((await session.list(registry)).tags).toEqual(numberedTags(5));
    expect(registry.log).toHaveLength(1);
  });

  it('asks again without a page size where that is refused', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.setTags(REPOSITORY, ['a']);
    registry.intercept = ({ query }, response) => {
      if (!query.has('n')) return false;
      sendJSON(response, 400, { errors: [{ code: 'PAGINATION_NUMBER_INVALID' }] });
      return true;
    };
    expect((await session.list(registry)).tags).toEqual(['a']);
  });

  it('reads a page that did not change from memory', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.etags = true;
    registry.maxPage = 2;
    registry.setTags(REPOSITORY, numberedTags(5));
    await session.list(registry);
    expect((await session.list(registry)).tags).toEqual(numberedTags(5));
    expect(registry.log.map(({ headers }) => headers['if-none-match'] !== undefined)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
    ]);
    registry.setTags(REPOSITORY, numberedTags(6));
    expect((await session.list(registry)).tags).toEqual(numberedTags(6));
  });
});

describe('bounds', () => {
  it('are kept on tags, pages and bytes', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.maxPage = 2;
    registry.setTags(REPOSITORY, numberedTags(10));
    const list = (limits: object): Promise<unknown> =>
      session.client.collectTags({ registry: registry.host, repository: REPOSITORY }, session.access, {
        ...session,
        limits,
      });
    expect(registryReason(await failureOf(list({ maxTags: 9 }), session.clock))).toBe('ListTooLarge');
    expect(registryReason(await failureOf(list({ maxPages: 4 }), session.clock))).toBe('ListTooLarge');
    expect(registryReason(await failureOf(list({ maxPageBytes: 10 }), session.clock))).toBe(
      'InvalidResponse',
    );
    await list({ maxTags: 10, maxPages: 5 });
  });

  it('end pages that bring nothing new', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.intercept = ({ query }, response) => {
      response.setHeader('link', `<?p=${Number(query.get('p')) + 1}>; rel="next"`);
      sendJSON(response, 200, { tags: ['a'] });
      return true;
    };
    const error = await failureOf(session.list(registry), session.clock);
    expect(error.message).toContain('nothing new');
    expect(registry.log.length).toBeLessThan(20);
  });

  it('refuse a page that only wastes memory', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.intercept = (_, response) => {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(`{"tags":[${'[],'.repeat(1_500_000)}[]]}`);
      return true;
    };
    const started = performance.now();
    expect(registryReason(await failureOf(session.list(registry), session.clock))).toBe('InvalidResponse');
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('what is no tag list', () => {
  it.each([
    ['text/html', '<html></html>'],
    ['application/json', '<html></html>'],
    ['application/json', ''],
    ['application/json', '{}'],
    ['application/json', '[]'],
    ['application/json', 'null'],
    ['application/json', '{"tags": {}}'],
    ['application/json', '{"tags": "a"}'],
    ['application/json', '{"errors": []}'],
    ['application/json', '{"tags": ["a"'],
  ])('%s %s is an error', async (type, body) => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.intercept = (_, response) => {
      response.writeHead(200, { 'content-type': type }).end(body);
      return true;
    };
    expect(registryReason(await failureOf(session.list(registry), session.clock))).toBe('InvalidResponse');
  });
});

describe('digests in the list', () => {
  it("are read from Google's manifest map", async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    const digest = `sha256:${'a'.repeat(64)}`;
    const manifest = {
      [digest]: {
        tag: ['v1', 'latest'],
        mediaType: 'application/vnd.oci.image.index.v1+json',
        imageSizeBytes: '1234',
      },
      [`sha256:${'b'.repeat(64)}`]: { tag: ['v0'], imageSizeBytes: '-1' },
      junk: { tag: ['x'] },
      [`sha256:${'c'.repeat(64)}`]: { tag: 'not a list' },
    };
    registry.intercept = (_, response) => {
      sendJSON(response, 200, { name: REPOSITORY, tags: ['latest', 'v0', 'v1'], child: [], manifest });
      return true;
    };
    const list = await session.list(registry);
    const fact = { digest, mediaType: 'application/vnd.oci.image.index.v1+json', size: 1234 };
    expect(Object.fromEntries(list.facts)).toEqual({
      v1: fact,
      latest: fact,
      v0: { digest: `sha256:${'b'.repeat(64)}` },
    });
    expect(session.meter.requests).toBe(1);
  });
});

describe('property', () => {
  const tag = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,10}$/);
  const junk = fc.constantFrom<unknown>(null, '', 'bad tag!', 7, `sha256:${'a'.repeat(64)}`);

  const entry = fc.oneof({ weight: 9, arbitrary: tag }, { weight: 1, arbitrary: junk });

  it('the list is exact or an error, never silently short', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession({}, { budget: { perSecond: 1e6, burst: 1e6 } });
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          entries: fc.uniqueArray(entry, { maxLength: 60, selector: String }),
          paging: fc.constantFrom(...PAGING_STYLES.filter((style) => style !== 'none')),
          maxPage: fc.integer({ min: 1, max: 20 }),
          faultAt: fc.option(fc.nat(8)),
          status: fc.constantFrom(200, 404, 500, 403),
        }),
        async ({ entries, paging, maxPage, faultAt, status }) => {
          registry.log.length = 0;
          registry.setTags(REPOSITORY, entries);
          Object.assign(registry, { paging, maxPage });
          registry.intercept = (_, response) => {
            if (faultAt === null || registry.log.length !== faultAt + 1) return false;
            response.writeHead(status, { 'content-type': 'application/json' }).end('{"tags":');
            return true;
          };
          const outcome = await collect(session, registry);
          if (outcome === 'error') expect(faultAt).not.toBeNull();
          else
            expect(outcome).toEqual(
              entries.filter((text) => typeof text === 'string' && /^\w[\w.-]{0,127}$/.test(text)),
            );
        },
      ),
      { numRuns: 200 },
    );
  });

  async function collect(
    session: ReturnType<typeof openSession>,
    registry: FakeRegistry,
  ): Promise<readonly string[] | 'error'> {
    let done = false;
    const listing = session.list(registry).then(
      ({ tags }) => tags,
      (error: unknown) => {
        if (!isRegistryError(error)) throw error;
        return 'error' as const;
      },
    );
    const mark = (): void => {
      done = true;
    };
    listing.then(mark, mark);
    await session.clock.advanceUntil(() => done, { stepMs: 1000 });
    return listing;
  }
});
