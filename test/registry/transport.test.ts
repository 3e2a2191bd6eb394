import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { registryReason } from '../../src/registry/errors.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { makeCertificates } from '../support/registry-certificates.ts';
import { failureOf } from '../support/registry-failure.ts';
import { openSession, REPOSITORY } from '../support/registry-session.ts';

const LIST = `/v2/${REPOSITORY}/tags/list`;
const CERTIFICATES = makeCertificates();

describe('TLS', () => {
  it('trusts a private CA only where it is given', async () => {
    await using registry = await FakeRegistry.start({ tls: CERTIFICATES.server });
    registry.setTags(REPOSITORY, ['a']);
    await using trusting = openSession({ plainHTTP: false, ca: CERTIFICATES.ca });
    expect((await trusting.list(registry)).tags).toEqual(['a']);
    await using other = openSession({ plainHTTP: false });
    const error = await failureOf(other.list(registry), other.clock);
    expect(error).toMatchObject({ code: 'CERTIFICATE_INVALID', temporary: false });
    expect(registryReason(error)).toBe('CertificateInvalid');
  });

  it.each(['expired', 'otherHost'] as const)('refuses a certificate that is %s', async (kind) => {
    await using registry = await FakeRegistry.start({ tls: CERTIFICATES[kind] });
    await using session = openSession({ plainHTTP: false, ca: CERTIFICATES.ca });
    const error = await failureOf(session.list(registry), session.clock);
    expect(registryReason(error)).toBe('CertificateInvalid');
  });

  it('shows a client certificate', async () => {
    await using registry = await FakeRegistry.start({
      tls: { ...CERTIFICATES.server, ca: CERTIFICATES.ca, requestCert: true },
    });
    registry.setTags(REPOSITORY, ['a']);
    const { cert: certificate, key } = CERTIFICATES.client;
    await using session = openSession({
      plainHTTP: false,
      ca: CERTIFICATES.ca,
      clientCertificate: { certificate, key },
    });
    expect((await session.list(registry)).tags).toEqual(['a']);
    await using without = openSession({ plainHTTP: false, ca: CERTIFICATES.ca });
    await failureOf(without.list(registry), without.clock);
  });

  it('says so when the other side speaks plain HTTP', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession({ plainHTTP: false });
    const error = await failureOf(session.list(registry), session.clock);
    expect(error.code).toBe('INVALID_RESPONSE');
    expect(error.message).toContain('plainHTTP');
  });
});

describe('redirects', () => {
  it('are followed with credentials on the same origin', async () => {
    await using registry = await FakeRegistry.start();
    registry.setTags(REPOSITORY, ['a']);
    registry.intercept = ({ path, query }, response) => {
      if (path !== LIST || query.has('moved')) return false;
      response.writeHead(307, { location: `${LIST}?moved=1` }).end();
      return true;
    };
    await using session = openSession();
    expect((await session.list(registry)).tags).toEqual(['a']);
    expect(session.meter.requests).toBe(2);
  });

  it.each([
    ['to a link-local address', 'http://169.254.169.254/latest', 'PolicyRefused'],
    ['to a private address from loopback', 'http://10.255.255.1/', 'PolicyRefused'],
    ['with user information', 'http://user:pass@127.0.0.1:1/', 'PolicyRefused'],
    ['to another scheme', 'ftp://127.0.0.1/', 'PolicyRefused'],
    ['to a file', 'file:///etc/passwd', 'PolicyRefused'],
    ['to no URL', 'http://[', 'PolicyRefused'],
  ])('%s are refused', async (_, location, reason) => {
    await using registry = await FakeRegistry.start();
    registry.intercept = (_request, response) => {
      response.writeHead(307, { location }).end();
      return true;
    };
    await using session = openSession();
    const error = await failureOf(session.list(registry), session.clock);
    expect(registryReason(error)).toBe(reason);
    expect(error.message).not.toContain('pass@');
    expect(registry.log).toHaveLength(1);
  });

  it('end after five', async () => {
    await using registry = await FakeRegistry.start();
    registry.intercept = ({ query }, response) => {
      response.writeHead(302, { location: `?hop=${Number(query.get('hop')) + 1}` }).end();
      return true;
    };
    await using session = openSession();
    const error = await failureOf(session.list(registry), session.clock);
    expect(error.message).toContain('more than 5 redirects');
    expect(registry.log).toHaveLength(6);
  });
});

describe('hosts by name', () => {
  it('are resolved once, checked, and connected to at the checked address', async () => {
    await using registry = await FakeRegistry.start();
    registry.setTags(REPOSITORY, ['a']);
    let asked = 0;
    // A rebinding name: the second answer would be the metadata service.
    const resolveHost = (
      _: string,
      callback: (error: null, addresses: { address: string; family: number }[]) => void,
    ): void => {
      callback(null, [{ address: asked++ === 0 ? '127.0.0.1' : '169.254.169.254', family: 4 }]);
    };
    await using session = openSession({}, { resolveHost });
    const host = registry.host.replace('127.0.0.1', 'rebinding.example.org');
    const list = await session.client.collectTags(
      { registry: host, repository: REPOSITORY },
      session.access,
      session,
    );
    expect(list.tags).toEqual(['a']);
    expect(asked).toBe(1);
  });

  it('are refused at forbidden addresses, also as redirect targets', async () => {
    await using registry = await FakeRegistry.start();
    const resolveHost = (
      name: string,
      callback: (error: null, addresses: { address: string; family: number }[]) => void,
    ): void => {
      callback(null, [
        { address: name === 'metadata.example.org' ? '169.254.169.254' : '10.0.0.1', family: 4 },
      ]);
    };
    await using session = openSession({}, { resolveHost });
    const reference = { registry: 'metadata.example.org', repository: 'a' };
    const direct = await failureOf(
      session.client.collectTags(reference, session.access, session),
      session.clock,
    );
    expect(registryReason(direct)).toBe('PolicyRefused');
    registry.intercept = (_, response) => {
      response.writeHead(307, { location: 'https://internal.example.org/' }).end();
      return true;
    };
    const redirected = await failureOf(session.list(registry), session.clock);
    expect(registryReason(redirected)).toBe('PolicyRefused');
  });

  it('that do not resolve are unreachable', async () => {
    const resolveHost = (_: string, callback: (error: Error, addresses: never[]) => void): void => {
      callback(Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }), []);
    };
    await using session = openSession({}, { resolveHost });
    const reference = { registry: 'nowhere.example.org', repository: 'a' };
    const error = await failureOf(
      session.client.collectTags(reference, session.access, session),
      session.clock,
    );
    expect(error).toMatchObject({ code: 'UNREACHABLE', temporary: true });
    expect(error.message).toBe('listing tags of nowhere.example.org/a: the connection failed (ENOTFOUND)');
  });
});

describe('bad servers', () => {
  it('that answer without end are cut off', async () => {
    await using registry = await FakeRegistry.start();
    registry.intercept = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const chunk = Buffer.alloc(64 * 1024, 0x20);
      const pump = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', pump);
      };
      pump();
      return true;
    };
    await using session = openSession();
    const list = session.client.collectTags(
      { registry: registry.host, repository: REPOSITORY },
      session.access,
      {
        ...session,
        limits: { maxPageBytes: 1_000_000 },
      },
    );
    const error = await failureOf(list, session.clock);
    expect(error.message).toContain('longer than 1000000 bytes');
  });

  it('that drip run into the deadline', async () => {
    await using registry = await FakeRegistry.start();
    registry.intercept = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"tags": [');
      return true;
    };
    await using session = openSession();
    const error = await failureOf(session.list(registry), session.clock);
    expect(error).toMatchObject({ code: 'TIMEOUT', temporary: true });
  });

  it('that reset the connection are tried three times', async () => {
    await using registry = await FakeRegistry.start();
    registry.intercept = (_, response) => {
      response.destroy();
      return true;
    };
    await using session = openSession();
    const error = await failureOf(session.list(registry), session.clock);
    expect(registryReason(error)).toBe('RegistryUnreachable');
    expect(registry.log).toHaveLength(3);
  });

  it('that do not speak HTTP are invalid', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using session = openSession();
    const reference = { registry: `127.0.0.1:${(server.address() as AddressInfo).port}`, repository: 'a' };
    const error = await failureOf(
      session.client.collectTags(reference, session.access, session),
      session.clock,
    );
    expect(registryReason(error)).toBe('InvalidResponse');
    server.close();
  });

  it('nobody listens', async () => {
    await using session = openSession();
    const error = await failureOf(
      session.client.collectTags({ registry: '127.0.0.1:1', repository: 'a' }, session.access, session),
      session.clock,
    );
    expect(error.message).toContain('ECONNREFUSED');
  });
});

describe('compression', () => {
  const BODY = '{"tags":["a"]}';

  it.each([
    ['gzip', gzipSync(BODY), true],
    ['identity', Buffer.from(BODY), true],
    ['gzip', Buffer.from('not compressed'), false],
    ['gzip', gzipSync(Buffer.alloc(20 * 1024 * 1024)), false],
    ['br', Buffer.from('x'), false],
  ])('%s: %#', async (encoding, body, readable) => {
    await using registry = await FakeRegistry.start();
    registry.intercept = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(body);
      return true;
    };
    await using session = openSession();
    if (readable) expect((await session.list(registry)).tags).toEqual(['a']);
    else
      expect(registryReason(await failureOf(session.list(registry), session.clock))).toBe('InvalidResponse');
  });
});

describe('observe', () => {
  it('is told every exchange, answered or not', async () => {
    await using registry = await FakeRegistry.start({ auth: 'bearer' });
    registry.setTags(REPOSITORY, ['a']);
    const seen: unknown[] = [];
    await using session = openSession(
      {},
      { observe: ({ host, method, status }) => seen.push([host, method, status]) },
    );
    await session.list(registry);
    await failureOf(
      session.client.collectTags({ registry: '127.0.0.1:1', repository: 'a' }, session.access, session),
      session.clock,
    );
    expect(seen.slice(0, 4)).toEqual([
      [registry.host, 'GET', 401],
      [registry.host, 'GET', 200],
      [registry.host, 'GET', 200],
      ['127.0.0.1:1', 'GET', undefined],
    ]);
  });
});

describe('aborting', () => {
  it("passes the caller's reason on, and a caller's deadline as a timeout", async () => {
    await using registry = await FakeRegistry.start();
    registry.intercept = () => true;
    await using session = openSession();
    const reference = { registry: registry.host, repository: REPOSITORY };
    const controller = new AbortController();
    const listing = session.client.collectTags(reference, session.access, { signal: controller.signal });
    controller.abort(new Error('shutting down'));
    await expect(listing).rejects.toThrow('shutting down');
    const late = session.client.collectTags(reference, session.access, { signal: AbortSignal.timeout(5) });
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT', temporary: true });
  });
});
