/** Every server behaviour of registry-http-scenarios.json, played by the fake registry over HTTP. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRegistryError, type RegistryError, registryReason } from '../../src/registry/errors.ts';
import { basicAuthKeychain } from '../../src/registry/keychain.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../support/fake-registry.ts';
import { sendJSON } from '../support/registry-exchange.ts';
import { numberedTags, openSession, REPOSITORY, type RegistrySession } from '../support/registry-session.ts';

interface Scenario {
  readonly name: string;
  readonly server: string;
  readonly want: string;
}

interface Stage {
  readonly registry: FakeRegistry;
  /** Another origin that must not be trusted. */
  readonly evil: FakeRegistry;
  readonly session: RegistrySession;
}

const FOLDER = process.env['LARDER_CASES'] ?? join(import.meta.dirname, 'data');
const { scenarios } = JSON.parse(readFileSync(join(FOLDER, 'registry-http-scenarios.json'), 'utf8')) as {
  scenarios: readonly Scenario[];
};

const USER = { username: 'user', password: 'pass' };
const LIST = `/v2/${REPOSITORY}/tags/list`;

async function onStage(
  play: (stage: Stage) => Promise<void>,
  options: FakeRegistryOptions = {},
): Promise<void> {
  await using registry = await FakeRegistry.start(options);
  await using evil = await FakeRegistry.start();
  evil.setTags(REPOSITORY, ['evil']);
  const credentials = basicAuthKeychain(registry.host, USER.username, USER.password);
  await using session = openSession(options.auth === undefined ? {} : { credentials });
  await play({ registry, evil, session });
}

async function failure(promise: Promise<unknown>): Promise<RegistryError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isRegistryError(error)) throw new Error(`expected a RegistryError, got ${String(error)}`);
  return error;
}

/** Five tags in pages of two. */
async function fiveTags({ registry, session }: Stage): Promise<void> {
  registry.setTags(REPOSITORY, numberedTags(5));
  registry.maxPage = 2;
  expect((await session.list(registry)).tags).toEqual(numberedTags(5));
  expect(registry.apiRequests).toHaveLength(3);
}

const CLEAR_OF_SECRETS = (stage: Stage): void => {
  for (const { authorization } of stage.evil.log) expect(authorization).toBeUndefined();
};

const PLAYS: Readonly<Record<string, () => Promise<void>>> = {
  relLink: () => onStage(fiveTags),

  absLink: () =>
    onStage(async (stage) => {
      stage.registry.paging = 'absolute';
      await fiveTags(stage);
    }),

  bareLink: () =>
    onStage(async (stage) => {
      stage.registry.paging = 'bare';
      await fiveTags(stage);
    }),

  shortPage: () =>
    onStage(async ({ registry, session }) => {
      registry.setTags(REPOSITORY, numberedTags(250));
      registry.maxPage = 100;
      expect((await session.list(registry)).tags).toEqual(numberedTags(250));
      expect(registry.apiRequests).toHaveLength(3);
    }),

  nullTags: () =>
    onStage(async ({ registry, session }) => {
      registry.intercept = (_, response) => {
        sendJSON(response, 200, { name: REPOSITORY, tags: null });
        return true;
      };
      expect((await session.list(registry)).tags).toEqual([]);
    }),

  notFound: () =>
    onStage(async ({ registry, session }) => {
      const error = await failure(session.list(registry));
      expect(error).toMatchObject({ code: 'NAME_UNKNOWN', status: 404, temporary: false });
      expect(registryReason(error)).toBe('RepositoryNotFound');
    }),

  odd: () =>
    onStage(async ({ registry, session }) => {
      registry.setTags(REPOSITORY, ['ok', null, '', `sha256:${'a'.repeat(64)}`, 'bad tag!', 'ok2']);
      expect(await session.list(registry)).toMatchObject({ tags: ['ok', 'ok2'], junk: 4 });
    }),

  html200: () =>
    onStage(async ({ registry, session }) => {
      registry.intercept = (_, response) => {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Please log in</html>');
        return true;
      };
      expect(registryReason(await failure(session.list(registry)))).toBe('InvalidResponse');
    }),

  ecr405: () =>
    onStage(async ({ registry, session }) => {
      registry.setTags(REPOSITORY, ['a']);
      registry.intercept = ({ query }, response) => {
        if (Number(query.get('n') ?? 0) <= 1000) return false;
        response.writeHead(405).end();
        return true;
      };
      expect((await session.list(registry)).tags).toEqual(['a']);
      for (const { query } of registry.apiRequests)
        expect(Number(query.get('n') ?? 0)).toBeLessThanOrEqual(1000);
    }),

  prevOnly: () =>
    onStage(async ({ registry, session }) => {
      registry.setTags(REPOSITORY, ['a']);
      registry.intercept = (_, response) => {
        response.setHeader('link', `<${LIST}?n=1>; rel="prev"`);
        return false;
      };
      expect((await session.list(registry)).tags).toEqual(['a']);
      expect(registry.apiRequests).toHaveLength(1);
    }),

  loop: () =>
    onStage(async ({ registry, session }) => {
      registry.setTags(REPOSITORY, ['a']);
      registry.intercept = (_, response) => {
        response.setHeader('link', `<${LIST}?n=1>; rel="next"`);
        return false;
      };
      expect(registryReason(await failure(session.list(registry)))).toBe('InvalidResponse');
      expect(registry.apiRequests.length).toBeLessThanOrEqual(3);
    }),

  linkEvil: () =>
    onStage(
      async (stage) => {
        const { registry, evil, session } = stage;
        registry.setTags(REPOSITORY, ['a']);
        registry.intercept = (_, response) => {
          response.setHeader('link', `<${evil.url}${LIST}?n=1>; rel="next"`);
          return false;
        };
        const error = await failure(session.list(registry));
        expect(registryReason(error)).toBe('PolicyRefused');
        expect(error.message).toContain(evil.host);
        expect(evil.log).toEqual([]);
      },
      { auth: 'bearer', ...USER },
    ),

  redirEvil: () =>
    onStage(
      async (stage) => {
        const { registry, evil, session } = stage;
        registry.setTags(REPOSITORY, ['a']);
        registry.intercept = ({ path, authorization }, response) => {
          if (path !== LIST || authorization === undefined) return false;
          response.writeHead(307, { location: `${evil.url}${LIST}` }).end();
          return true;
        };
        await session.list(registry);
        expect(evil.log.length).toBeGreaterThan(0);
        CLEAR_OF_SECRETS(stage);
      },
      { auth: 'bearer', ...USER },
    ),

  /** Plain http on loopback, same host name: allowed by the realm rule; every other kind of access is refused. */
  realmEvil: () =>
    onStage(
      async ({ registry, evil, session }) => {
        registry.auth.realm = `${evil.url}/token`;
        expect(registryReason(await failure(session.list(registry)))).toBe('Unauthorized');
        await using strict = openSession({ plainHTTP: false, credentials: session.access.credentials });
        evil.log.length = 0;
        await failure(strict.list(registry));
        expect(evil.log).toEqual([]);
      },
      { auth: 'bearer', ...USER },
    ),

  realmHost: () =>
    onStage(
      async ({ registry, evil, session }) => {
        registry.auth.realm = `${evil.url.replace('127.0.0.1', 'localhost')}/token`;
        expect(registryReason(await failure(session.list(registry)))).toBe('PolicyRefused');
        expect(evil.log).toEqual([]);
      },
      { auth: 'bearer', ...USER },
    ),

  expire: () =>
    onStage(
      async (stage) => {
        let revoked = false;
        stage.registry.intercept = ({ query }) => {
          if (query.has('last') && !revoked) {
            revoked = true;
            stage.registry.auth.revokeTokens();
          }
          return false;
        };
        stage.registry.setTags(REPOSITORY, numberedTags(5));
        stage.registry.maxPage = 2;
        expect((await stage.session.list(stage.registry)).tags).toEqual(numberedTags(5));
        expect(stage.registry.tokenRequests).toHaveLength(2);
      },
      { auth: 'bearer', ...USER },
    ),

  retryAfter: () =>
    onStage(async ({ registry, session }) => {
      registry.setTags(REPOSITORY, ['a']);
      registry.intercept = (_, response) => {
        if (registry.log.length > 1) return false;
        response.writeHead(429, { 'retry-after': '3' }).end();
        return true;
      };
      const started = session.clock.monotonic();
      const listing = session.list(registry);
      let done = false;
      void listing.then(() => (done = true));
      await session.clock.advanceUntil(() => done);
      expect((await listing).tags).toEqual(['a']);
      expect(session.clock.monotonic() - started).toBeGreaterThanOrEqual(3000);
      expect(registry.log).toHaveLength(2);
    }),

  always429: () =>
    onStage(async ({ registry, session }) => {
      registry.intercept = (_, response) => {
        response.writeHead(429).end();
        return true;
      };
      const listing = failure(session.list(registry));
      let done = false;
      void listing.then(() => (done = true));
      await session.clock.advanceUntil(() => done);
      expect(registryReason(await listing)).toBe('TooManyRequests');
      expect(registry.log.length).toBeLessThanOrEqual(5);
    }),

  digest: () => onStage((stage) => digests(stage, 1, 0)),

  noDigestHeader: () =>
    onStage(async (stage) => {
      stage.registry.digestHeader = false;
      await digests(stage, 1, 1);
    }),

  big: () =>
    onStage(async ({ registry, session }) => {
      registry.setTags(REPOSITORY, numberedTags(100_000));
      expect((await session.list(registry)).tags).toEqual(numberedTags(100_000));
      expect(registry.log).toHaveLength(100);
    }),

  bearer10: () =>
    onStage(
      async ({ registry, session }) => {
        registry.setTags(REPOSITORY, numberedTags(10_000));
        expect((await session.list(registry)).tags).toEqual(numberedTags(10_000));
        expect(registry.tokenRequests).toHaveLength(1);
        expect(registry.apiRequests.filter(({ authorization }) => authorization !== undefined)).toHaveLength(
          10,
        );
        // The one request without a token was the one that asked for the challenge.
        expect(session.meter).toEqual({ requests: 12, headRequests: 0, pages: 10 });
      },
      { auth: 'bearer', ...USER },
    ),
};

/** The index digest by HEAD (and GET where HEAD does not tell it), each platform's digest by resolving. */
async function digests({ registry, session }: Stage, heads: number, gets: number): Promise<void> {
  const platforms = [{ architecture: 'amd64' }, { architecture: 'arm64' }];
  const digest = registry.putIndex(REPOSITORY, 'v1', { platforms, attestations: true });
  const reference = { registry: registry.host, repository: REPOSITORY, tag: 'v1' };
  const head = await session.client.headDigest(reference, session.access, session);
  expect(head.digest).toBe(digest);
  expect(registry.log.map(({ method }) => method)).toEqual([
    ...Array<string>(heads).fill('HEAD'),
    ...Array<string>(gets).fill('GET'),
  ]);
  const image = await session.client.resolve(reference, session.access, session);
  expect(image.digest).toBe(digest);
  expect(image.platforms.map(({ architecture }) => architecture)).toEqual(['amd64', 'arm64']);
  expect(new Set([digest, ...image.platforms.map((platform) => platform.digest)]).size).toBe(3);
}

describe('registry-http-scenarios.json', () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario.want, scenario] as const))(
    '%s: %s',
    async (name) => {
      const play = PLAYS[name];
      if (play === undefined) throw new Error(`no play for the scenario ${name}`);
      await play();
    },
  );
});
