/** Hostile answers: no crash, no hang, no credentials to others, no request to a forbidden address. */

import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReference, validateReference } from '../../src/domain/reference.ts';
import type { ResolveHost } from '../../src/registry/connections.ts';
import { isRegistryError, type RegistryError } from '../../src/registry/errors.ts';
import { basicAuthKeychain } from '../../src/registry/keychain.ts';
import { DOCKER_LIST, OCI_INDEX, OCI_MANIFEST } from '../../src/registry/media-types.ts';
import { FakeRegistry, sha256 } from '../support/fake-registry.ts';
import { openSession, REPOSITORY, type RegistrySession } from '../support/registry-session.ts';

const SECRET = 'planted-secret';
const LIST = `/v2/${REPOSITORY}/tags/list`;
/** Sequences of answers per run. */
const RUNS = Number(process.env['LARDER_FUZZ'] ?? 60);
/** Longest one call may take, however hostile the answers; real time. */
const LIMIT_MS = 5_000;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Where a hostile registry may point; `EVIL` becomes another server on loopback. */
const target = fc.constantFrom(
  LIST,
  `${LIST}?n=1`,
  '?last=a',
  'http://EVIL/v2/',
  '//EVIL/x',
  'https://EVIL/token',
  'http://169.254.169.254/latest/meta-data',
  'http://[fd00:ec2::254]/',
  'http://metadata.example.org/',
  'http://internal.example.org/',
  'http://10.0.0.1/',
  'http://0x7f.1/',
  'http://user:pass@EVIL/',
  'file:///etc/passwd',
  'javascript:1',
  'http://',
  '',
  '\u00ff\u00fe',
);

const headerText = fc.oneof(
  target.map((url) => `<${url}>; rel="next"`),
  target.map((url) => `Bearer realm="${url}",service="s",scope="repository:x:pull"`),
  target,
  fc.constantFrom(
    '0',
    '1',
    '99999999999999999999',
    'Sat, 99 Nov 2026',
    '-1',
    'NaN',
    'Basic',
    'Bearer',
    ',,,',
    '"""',
  ),
  fc.string({ unit: fc.constantFrom('<', '>', ';', ',', '"', '=', 'rel', 'a', ' '), maxLength: 30 }),
  fc.constant(sha256('x')),
);

const HEADERS = [
  'link',
  'location',
  'www-authenticate',
  'retry-after',
  'ratelimit-remaining',
  'docker-content-digest',
  'etag',
  'x-jfrog-version',
];

const body = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.constantFrom(
    '',
    'null',
    '[]',
    '{"tags":null}',
    '{"tags":["a","b"]}',
    '{"errors":[{"code":"DENIED"}]}',
    '<html>',
    '{"token":"t"}',
    '[[[[[[',
    '{"tags":{"length":1e9}}',
  ),
  fc.record({ tags: fc.array(fc.oneof(fc.string(), fc.anything())) }).map((value) => safeJSON(value)),
  fc.constant(`{"tags":${'['.repeat(50_000)}`),
  fc
    .record({
      manifests: fc.array(fc.anything(), { maxLength: 3 }),
      config: fc.anything(),
      layers: fc.anything(),
    })
    .map((value) => safeJSON(value)),
);

const answer: fc.Arbitrary<Answer> = fc.record({
  status: fc.constantFrom(
    200,
    200,
    200,
    201,
    204,
    301,
    307,
    308,
    304,
    400,
    401,
    401,
    403,
    404,
    405,
    429,
    500,
    503,
  ),
  headers: fc
    .dictionary(fc.constantFrom(...HEADERS), headerText, { maxKeys: 3 })
    .chain((headers) =>
      fc
        .constantFrom('application/json', 'text/html', OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, '')
        .map((type) => ({ ...headers, 'content-type': type })),
    ),
  body,
});

function safeJSON(value: unknown): string {
  try {
    const text: unknown = JSON.stringify(value);
    return typeof text === 'string' ? text : '';
  } catch {
    return '{}';
  }
}

function send(response: ServerResponse, { status, headers, body: text }: Answer, evilHost: string): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      response.setHeader(name, value.replaceAll('EVIL', evilHost));
    } catch {
      // Node itself refuses to send some of them.
    }
  }
  response.writeHead(status).end(status === 204 || status === 304 ? undefined : text);
}

/** The outcome of a call with the clock stepped through whatever it waits for. */
async function outcome(call: Promise<unknown>, session: RegistrySession): Promise<RegistryError | 'value'> {
  let settled = false;
  const result = call.then(
    () => 'value' as const,
    (error: unknown) => {
      if (isRegistryError(error)) return error;
      throw error;
    },
  );
  const mark = (): void => {
    settled = true;
  };
  result.then(mark, mark);
  await session.clock.advanceUntil(() => settled, { stepMs: 5_000 });
  return result;
}

interface Scene {
  /** How the registry and the other server are called: by address, or by names that resolve to loopback. */
  readonly hosts: 'loopback' | 'names';
  readonly registry: FakeRegistry;
  readonly evil: FakeRegistry;
}

function nameOf({ hosts }: Scene, server: FakeRegistry, name: string): string {
  return hosts === 'loopback' ? server.host : server.host.replace('127.0.0.1', name);
}

/** Names on loopback are the two servers; everything else is where nobody may go. */
const resolveHost: ResolveHost = (name, callback) => {
  const known: Readonly<Record<string, string>> = {
    'registry.example.org': '127.0.0.1',
    'evil.example.net': '127.0.0.1',
    'metadata.example.org': '169.254.169.254',
  };
  callback(null, [{ address: known[name] ?? '10.0.0.1', family: 4 }]);
};

/** Makes every kind of call against these answers, and checks how each ends. */
async function playAnswers(scene: Scene, answers: readonly Answer[]): Promise<void> {
  const { registry, evil } = scene;
  const host = nameOf(scene, registry, 'registry.example.org');
  const evilHost = nameOf(scene, evil, 'evil.example.net');
  const credentials = basicAuthKeychain(host, 'user', SECRET);
  await using session = openSession({ credentials }, { resolveHost, budget: { perSecond: 1e6, burst: 1e6 } });
  let next = 0;
  registry.intercept = (_, response) => {
    const current = answers[next++ % answers.length];
    if (current !== undefined) send(response, current, evilHost);
    return current !== undefined;
  };
  const { client, access } = session;
  const reference = { registry: host, repository: REPOSITORY, tag: 'v1' };
  for (const call of [
    () => client.collectTags(reference, access, session),
    () => client.headDigest(reference, access, session),
    () => client.resolve(reference, access, { ...session, detail: 'labels' }),
    () => client.readBundle(reference, access, session),
  ]) {
    const started = performance.now();
    const ended = await outcome(call(), session);
    expect(performance.now() - started).toBeLessThan(LIMIT_MS);
    if (ended === 'value') continue;
    expect(`${ended.message} ${String(ended.stack)}`).not.toContain(SECRET);
    // A connection to 10.0.0.1 or the metadata service would end as one of these.
    expect(ended.code).not.toBe('UNREACHABLE');
    expect(ended.code).not.toBe('TIMEOUT');
  }
}

describe('hostile answers', () => {
  it.each(['names', 'loopback'] as const)(
    'end in a value or a RegistryError, in time, and give nothing away (%s)',
    async (hosts) => {
      await using registry = await FakeRegistry.start();
      await using evil = await FakeRegistry.start();
      evil.intercept = (_, response) => {
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end('{"tags":["evil"],"token":"evil"}');
        return true;
      };
      const scene: Scene = { hosts, registry, evil };
      await fc.assert(
        fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 6 }), (answers) =>
          playAnswers(scene, answers),
        ),
        { numRuns: RUNS },
      );
      // Another plain-http origin by name is nobody's redirect, realm or next page; on loopback it is, without a token.
      if (hosts === 'names') expect(evil.log).toEqual([]);
      else
        expect(evil.log.some(({ authorization }) => authorization?.startsWith('Bearer') === true)).toBe(
          false,
        );
    },
    120_000,
  );
});

describe('references', () => {
  const text = fc.oneof(
    fc.string({
      unit: fc.constantFrom('a', 'B', '.', ':', '/', '@', '-', '_', '[', ']', '0', '1', '%', '?', '#', '\\'),
      maxLength: 60,
    }),
    fc
      .tuple(
        fc.constantFrom(
          '1.2.3.4.5',
          '0x7f.1',
          '256.1.1.1',
          'a.0',
          'xn--a.b',
          '[::]',
          '[::1]:1',
          '[1::2::3]',
          'localhost:0',
          'LOCALHOST',
          '1.2.3.4:65535',
        ),
        fc.constantFrom('a', 'a/b', 'a.b__c/d-e'),
      )
      .map((parts) => parts.join('/')),
  );

  it('of any text are refused, or asked for at their own host, and end in a RegistryError', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (written) => {
        const parsed = validateReference(written);
        if (!parsed.ok) return;
        const asked: string[] = [];
        const refuseAll: ResolveHost = (name, callback) => {
          asked.push(name);
          callback(null, [{ address: '169.254.169.254', family: 4 }]);
        };
        await using session = openSession({}, { resolveHost: refuseAll, requestTimeoutMs: 1000 });
        // Literal addresses of this machine would really be asked.
        if (/^(localhost|\[|[\dx.]+(:|\/))/i.test(written)) return;
        const ended = await outcome(
          session.client.headDigest(parsed.value, session.access, session),
          session,
        );
        expect(ended).not.toBe('value');
        expect(
          asked.every((name) => written.toLowerCase().startsWith(name) || name === 'registry-1.docker.io'),
        ).toBe(true);
      }),
      { numRuns: RUNS * 3 },
    );
  });

  it.each(['1.2.3.4.5/a', '256.1.1.1/a', 'a.0/b'])('%s names no host', async (written) => {
    await using session = openSession();
    const ended = await outcome(
      session.client.headDigest(parseReference(written), session.access, session),
      session,
    );
    expect(ended).toMatchObject({ code: 'NAME_INVALID' });
  });
});
