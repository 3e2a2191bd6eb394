/** Planted credentials must not appear in any error, however the registry answers or echoes them. */

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type AccessOptions, buildAccess } from '../../src/registry/access.ts';
import type { Credentials } from '../../src/registry/keychain.ts';
import { parseDockerConfig } from '../../src/registry/keychain.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import type { LoggedRequest } from '../support/registry-exchange.ts';
import { failureOf } from '../support/registry-failure.ts';
import { openSession, REPOSITORY } from '../support/registry-session.ts';

const PLANTED = 'planted-secret';
const BASIC = Buffer.from(`user:${PLANTED}`).toString('base64');

const CREDENTIALS: readonly Credentials[] = [
  { kind: 'basic', username: 'user', password: PLANTED },
  { kind: 'identityToken', username: 'user', token: `${PLANTED}-identity` },
  { kind: 'registryToken', token: `${PLANTED}-registry` },
];

/** Everything the client sent, as a registry could say it back. */
function echo({ headers, body, path, query }: LoggedRequest): string {
  return JSON.stringify({ headers, body, path, query: [...query] });
}

type Behaviour = (
  request: LoggedRequest,
  registry: FakeRegistry,
) => { status: number; headers?: Record<string, string>; body?: string };

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  'echoes in an error': (request) => ({
    status: 400,
    body: JSON.stringify({
      errors: [{ code: echo(request), message: echo(request), detail: echo(request) }],
    }),
  }),
  'echoes in a 401': (request) => ({
    status: 401,
    headers: { 'www-authenticate': `Basic realm="${encodeURIComponent(echo(request))}"` },
    body: echo(request),
  }),
  'echoes in a realm': (request) => ({
    status: 401,
    headers: {
      'www-authenticate': `Bearer realm="https://evil.example.org/?${encodeURIComponent(echo(request))}"`,
    },
  }),
  'echoes in a redirect': (request) => ({
    status: 307,
    headers: { location: `https://10.0.0.1/?${encodeURIComponent(echo(request))}` },
  }),
  'echoes in a link': (request) => ({
    status: 200,
    headers: { link: `<https://evil.example.org/?${encodeURIComponent(echo(request))}>; rel="next"` },
    body: '{"tags":["a"]}',
  }),
  'echoes as a list': (request) => ({ status: 200, body: echo(request) }),
  'echoes as a media type': (request) => ({
    status: 200,
    headers: { 'content-type': encodeURIComponent(echo(request)).slice(0, 4000) },
    body: '{}',
  }),
  'demands basic for ever': () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }),
  'gives tokens, then echoes': (request, registry) =>
    request.path === '/token'
      ? { status: 200, body: JSON.stringify({ token: `${PLANTED}-issued` }) }
      : {
          status: 401,
          headers: { 'www-authenticate': `Bearer realm="${registry.url}/token",service="s"` },
          body: echo(request),
        },
  'fails at the token': (request, registry) =>
    request.path === '/token'
      ? { status: 500, body: echo(request) }
      : { status: 401, headers: { 'www-authenticate': `Bearer realm="${registry.url}/token"` } },
};

describe('errors', () => {
  const cases = Object.keys(BEHAVIOURS).flatMap((name) =>
    CREDENTIALS.map((credentials) => [name, credentials.kind, credentials] as const),
  );

  it.each(cases)('hold no credentials when the registry %s (%s)', async (name, _, credentials) => {
    await using registry = await FakeRegistry.start();
    registry.intercept = (request, response) => {
      const { status, headers = {}, body = '' } = BEHAVIOURS[name]?.(request, registry) ?? { status: 500 };
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
      return true;
    };
    await using session = openSession({ credentials: { find: () => Promise.resolve([credentials]) } });
    const reference = { registry: registry.host, repository: REPOSITORY, tag: 'v1' };
    const calls = [
      session.client.collectTags(reference, session.access, session),
      session.client.resolve(reference, session.access, session),
    ];
    const errors = await Promise.all(calls.map((call) => failureOf(call, session.clock)));
    for (const error of errors) expectClean(error);
  });

  it('hold no proxy password', async () => {
    const proxy = { url: 'http://127.0.0.1:1', username: 'user', password: PLANTED };
    const options: AccessOptions = { plainHTTP: false, proxy };
    await using session = openSession(options);
    const error = await failureOf(
      session.client.collectTags(
        { registry: 'registry.example.org', repository: 'a' },
        session.access,
        session,
      ),
      session.clock,
    );
    expectClean(error);
  });

  it('of a docker config hold none of its text', () => {
    for (const text of [PLANTED, `{"auths": {"r.io": {"auth": "${BASIC}"}}`, `{"auths": "${PLANTED}"}`])
      expectClean(parseDockerConfig(text));
  });
});

describe('an access', () => {
  it('does not show its credentials in its identity', () => {
    const access = buildAccess({
      proxy: { url: 'http://p', username: 'u', password: PLANTED },
      clientCertificate: { certificate: 'c', key: PLANTED },
    });
    expect(access.identity).toMatch(/^[0-9a-f]{32}$/);
  });
});

function expectClean(value: unknown): void {
  const shown = [inspect(value, { depth: 10, showHidden: true }), JSON.stringify(value), String(value)].join(
    '\n',
  );
  expect(shown).not.toContain(PLANTED);
  expect(shown).not.toContain(BASIC);
}
