import { describe, expect, it } from 'vitest';
import { registryReason } from '../../src/registry/errors.ts';
import {
  basicAuthKeychain,
  type Credentials,
  joinKeychains,
  type Keychain,
} from '../../src/registry/keychain.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../support/fake-registry.ts';
import { sendJSON } from '../support/registry-exchange.ts';
import { failureOf } from '../support/registry-failure.ts';
import { openSession, REPOSITORY, type RegistrySession } from '../support/registry-session.ts';

const USER = { username: 'user', password: 'pass:word' };

async function onStage(
  options: FakeRegistryOptions,
  play: (registry: FakeRegistry, session: RegistrySession) => Promise<void>,
  credentials: (host: string) => Keychain = (host) => basicAuthKeychain(host, USER.username, USER.password),
): Promise<void> {
  await using registry = await FakeRegistry.start(options);
  registry.setTags(REPOSITORY, ['a']);
  registry.setTags('team/other', ['b']);
  await using session = openSession({ credentials: credentials(registry.host) });
  await play(registry, session);
}

function having(...credentials: readonly Credentials[]): () => Keychain {
  return () => ({ find: () => Promise.resolve(credentials) });
}

describe('bearer', () => {
  it('fetches one token a repository and remembers how', () =>
    onStage({ auth: 'bearer', ...USER }, async (registry, session) => {
      await session.list(registry);
      await session.list(registry);
      await session.list(registry, 'team/other');
      expect(registry.tokenRequests).toHaveLength(2);
      // Only the very first request went out without a token.
      expect(registry.apiRequests.map(({ authorization }) => authorization !== undefined)).toEqual([
        false,
        true,
        true,
        true,
      ]);
    }));

  it('fetches a new token before the old one expires', () =>
    onStage({ auth: 'bearer', ...USER }, async (registry, session) => {
      await session.list(registry);
      await session.clock.advance(294_000);
      await session.list(registry);
      expect(registry.tokenRequests).toHaveLength(1);
      await session.clock.advance(1_000);
      await session.list(registry);
      expect(registry.tokenRequests).toHaveLength(2);
      expect(registry.apiRequests).toHaveLength(4);
    }));

  it('takes 60 seconds for granted where no lifetime is named', () =>
    onStage({ auth: 'bearer', ...USER }, async (registry, session) => {
      registry.auth.tokenLifetimeSeconds = undefined;
      await session.list(registry);
      await session.clock.advance(54_000);
      await session.list(registry);
      expect(registry.tokenRequests).toHaveLength(1);
      await session.clock.advance(2_000);
      await session.list(registry);
      expect(registry.tokenRequests).toHaveLength(2);
    }));

  it('gives up when a fresh token is refused too', () =>
    onStage({ auth: 'bearer', ...USER }, async (registry, session) => {
      registry.intercept = ({ authorization }) => {
        if (authorization?.startsWith('Bearer') === true) registry.auth.revokeTokens();
        return false;
      };
      const error = await failureOf(session.list(registry), session.clock);
      expect(error).toMatchObject({ code: 'UNAUTHORIZED', status: 401, temporary: false });
      expect(registry.tokenRequests).toHaveLength(1);
    }));

  it('uses the scope that the registry names, for as long as it names its own', () =>
    onStage({ auth: 'bearer', ...USER }, async (registry, session) => {
      const scope = 'repository:local/team/app:pull';
      registry.auth.challenge = () => `Bearer realm="${registry.auth.realm}",service="s",scope="${scope}"`;
      await failureOf(session.list(registry), session.clock);
      expect(registry.tokenRequests.map(({ query }) => query.get('scope'))).toEqual([scope]);
    }));

  it('exchanges an identity token by POST, and shows it to nobody else', () =>
    onStage(
      { auth: 'bearer', ...USER, identityToken: 'identity-secret' },
      async (registry, session) => {
        expect((await session.list(registry)).tags).toEqual(['a']);
        const [request] = registry.tokenRequests;
        expect(request?.method).toBe('POST');
        expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
          grant_type: 'refresh_token',
          client_id: 'larder',
          refresh_token: 'identity-secret',
          service: 'fake-registry',
          scope: `repository:${REPOSITORY}:pull`,
        });
        for (const { authorization } of registry.log)
          expect(authorization ?? '').not.toContain('identity-secret');
      },
      having({ kind: 'identityToken', username: '', token: 'identity-secret' }),
    ));

  it('sends a registry token as it is', () =>
    onStage(
      { auth: 'bearer', ...USER },
      async (registry, session) => {
        await failureOf(session.list(registry), session.clock);
        expect(registry.log.map(({ authorization }) => authorization)).toEqual(['Bearer given']);
      },
      having({ kind: 'registryToken', token: 'given' }),
    ));

  it('is not fetched without credentials from a service that knows the user, nor with others’ token', () =>
    onStage({ auth: 'bearer', ...USER, publicRepositories: ['team/other'] }, async (registry, session) => {
      await session.list(registry);
      await using anonymous = openSession();
      const own = await failureOf(
        session.client.collectTags(
          { registry: registry.host, repository: REPOSITORY },
          anonymous.access,
          session,
        ),
        session.clock,
      );
      expect(registryReason(own)).toBe('Unauthorized');
      expect((await anonymous.list(registry, 'team/other')).tags).toEqual(['b']);
    }));
});

describe('token services that misbehave', () => {
  it.each([
    ['HTML', 200, '<html>', 'InvalidResponse'],
    ['no token', 200, '{}', 'InvalidResponse'],
    ['a token that would break the header', 200, '{"token": "a\\r\\nx: y"}', 'InvalidResponse'],
    ['a list', 200, '[]', 'InvalidResponse'],
    ['forbidden', 403, '', 'Unauthorized'],
    ['not found', 404, '', 'InvalidResponse'],
    ['too many requests', 429, '', 'TooManyRequests'],
    ['an outage', 502, '', 'RegistryUnavailable'],
  ])('%s', (_, status, body, reason) =>
    onStage({ auth: 'bearer', ...USER }, async (registry, session) => {
      registry.intercept = ({ path }, response) => {
        if (path !== '/token') return false;
        response.writeHead(status).end(body);
        return true;
      };
      const error = await failureOf(session.list(registry), session.clock);
      expect(registryReason(error)).toBe(reason);
      expect(`${error.message} ${String(error.stack)}`).not.toContain('pass');
    }),
  );

  it.each([
    'Bearer',
    'Bearer service="s"',
    'Bearer realm=""',
    'Bearer realm="not a url"',
    'Bearer realm="http://169.254.169.254/token"',
    'Bearer realm="https://evil.example.org/token"',
    'Negotiate',
    '',
  ])('%j never gets the credentials', (challenge) =>
    onStage({ auth: 'bearer', ...USER }, async (registry, session) => {
      registry.auth.challenge = () => challenge;
      await failureOf(session.list(registry), session.clock);
      expect(registry.log.every(({ authorization }) => authorization === undefined)).toBe(true);
    }),
  );
});

describe('basic', () => {
  it('is sent once asked for, then at once', () =>
    onStage({ auth: 'basic', ...USER }, async (registry, session) => {
      await session.list(registry);
      await session.list(registry);
      const basic = `Basic ${Buffer.from('user:pass:word').toString('base64')}`;
      expect(registry.log.map(({ authorization }) => authorization)).toEqual([undefined, basic, basic]);
    }));

  it('is not repeated when refused', () =>
    onStage(
      { auth: 'basic', ...USER },
      async (registry, session) => {
        const error = await failureOf(session.list(registry), session.clock);
        expect(registryReason(error)).toBe('Unauthorized');
        expect(registry.log).toHaveLength(2);
      },
      (host) => basicAuthKeychain(host, 'user', 'wrong'),
    ));
});

describe('several secrets', () => {
  it('are tried in order, and the one that worked first next time', () =>
    onStage(
      { auth: 'basic', ...USER },
      async (registry, session) => {
        await session.list(registry);
        const before = registry.log.length;
        await session.list(registry);
        expect(registry.log.length - before).toBe(1);
      },
      (host) =>
        joinKeychains([
          basicAuthKeychain(host, 'wrong', 'x'),
          basicAuthKeychain(host, USER.username, USER.password),
        ]),
    ));

  it('are tried after a 403 as well, and the first refusal is the one reported', () =>
    onStage(
      {},
      async (registry, session) => {
        registry.intercept = (_, response) => {
          sendJSON(response, 403, { errors: [{ code: 'DENIED' }] });
          return true;
        };
        expect(registryReason(await failureOf(session.list(registry), session.clock))).toBe('Forbidden');
        expect(registry.log).toHaveLength(2);
      },
      (host) => joinKeychains([basicAuthKeychain(host, 'a', 'x'), basicAuthKeychain(host, 'b', 'x')]),
    ));
});
