import { describe, expect, it } from 'vitest';
import { registryReason } from '../../src/registry/errors.ts';
import { basicAuthKeychain } from '../../src/registry/keychain.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { HttpProxy } from '../support/http-proxy.ts';
import { makeCertificates } from '../support/registry-certificates.ts';
import { failureOf } from '../support/registry-failure.ts';
import { openSession, REPOSITORY } from '../support/registry-session.ts';

const CERTIFICATES = makeCertificates();
const USER = { username: 'user', password: 'pass' };

describe('a proxy', () => {
  it('carries https through a tunnel and keeps its password to itself', async () => {
    await using registry = await FakeRegistry.start({ tls: CERTIFICATES.server, auth: 'bearer', ...USER });
    await using proxy = await HttpProxy.start({ username: 'proxy-user', password: 'proxy-pass' });
    registry.setTags(REPOSITORY, ['a']);
    await using session = openSession({
      plainHTTP: false,
      ca: CERTIFICATES.ca,
      proxy: { url: proxy.url, username: 'proxy-user', password: 'proxy-pass' },
      credentials: basicAuthKeychain(registry.host, USER.username, USER.password),
    });
    expect((await session.list(registry)).tags).toEqual(['a']);
    expect(new Set(proxy.targets)).toEqual(new Set([registry.host]));
    for (const { headers } of registry.log) expect(headers['proxy-authorization']).toBeUndefined();
  });

  it('carries plain http', async () => {
    await using registry = await FakeRegistry.start();
    await using proxy = await HttpProxy.start();
    registry.setTags(REPOSITORY, ['a']);
    await using session = openSession({ proxy: { url: proxy.url } });
    expect((await session.list(registry)).tags).toEqual(['a']);
    expect(proxy.targets[0]).toContain(registry.host);
  });

  it('that refuses us, or is not there, makes the registry unreachable', async () => {
    await using registry = await FakeRegistry.start({ tls: CERTIFICATES.server });
    await using proxy = await HttpProxy.start({ username: 'proxy-user', password: 'proxy-pass' });
    for (const url of [proxy.url, 'http://127.0.0.1:1']) {
      await using session = openSession({ plainHTTP: false, ca: CERTIFICATES.ca, proxy: { url } });
      const error = await failureOf(session.list(registry), session.clock);
      expect(registryReason(error)).toBe('RegistryUnreachable');
    }
    expect(registry.log).toEqual([]);
  });

  it('is not asked for what policy forbids by address', async () => {
    await using proxy = await HttpProxy.start();
    await using session = openSession({ proxy: { url: proxy.url } });
    const reference = { registry: '169.254.169.254', repository: REPOSITORY };
    const error = await failureOf(
      session.client.collectTags(reference, session.access, session),
      session.clock,
    );
    expect(registryReason(error)).toBe('PolicyRefused');
    expect(proxy.targets).toEqual([]);
  });
});

describe('--allow-cidr', () => {
  it('opens networks that are closed otherwise', async () => {
    await using registry = await FakeRegistry.start();
    registry.setTags(REPOSITORY, ['a']);
    const resolveHost = (
      _: string,
      callback: (error: null, addresses: { address: string; family: number }[]) => void,
    ): void => {
      callback(null, [{ address: '169.254.1.1', family: 4 }]);
    };
    await using closed = openSession({}, { resolveHost });
    const reference = { registry: 'link-local.example.org', repository: REPOSITORY };
    const error = await failureOf(closed.client.collectTags(reference, closed.access, closed), closed.clock);
    expect(registryReason(error)).toBe('PolicyRefused');
    await using open = openSession(
      {},
      { resolveHost, allowedCIDRs: ['169.254.1.0/24'], requestTimeoutMs: 1 },
    );
    const tried = await failureOf(open.client.collectTags(reference, open.access, open), open.clock);
    expect(registryReason(tried)).not.toBe('PolicyRefused');
  });
});

describe('a registry with a public address', () => {
  it('cannot lead to private ones, though its name has one too', async () => {
    await using registry = await FakeRegistry.start();
    registry.intercept = (_, response) => {
      response.writeHead(307, { location: 'https://127.0.0.1:1/' }).end();
      return true;
    };
    let resolved = [
      { address: '127.0.0.1', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ];
    await using session = openSession(
      {},
      {
        resolveHost: (_, callback) => {
          callback(null, resolved);
        },
      },
    );
    const reference = {
      registry: registry.host.replace('127.0.0.1', 'mixed.example.org'),
      repository: REPOSITORY,
    };
    const mixed = await failureOf(
      session.client.collectTags(reference, session.access, session),
      session.clock,
    );
    expect(registryReason(mixed)).toBe('PolicyRefused');
    resolved = resolved.slice(0, 1);
    await using other = openSession(
      {},
      {
        resolveHost: (_, callback) => {
          callback(null, resolved);
        },
      },
    );
    const local = await failureOf(other.client.collectTags(reference, other.access, other), other.clock);
    expect(registryReason(local)).toBe('RegistryUnreachable');
  });
});

describe('connections', () => {
  it('are kept between requests', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    const ports = new Set<number | undefined>();
    registry.setTags(REPOSITORY, ['a']);
    registry.intercept = (_, response) => {
      ports.add(response.socket?.remotePort);
      return false;
    };
    for (let index = 0; index < 10; index++) await session.list(registry);
    // undici opens a second one while the first is not quite free.
    expect(ports.size).toBeLessThanOrEqual(2);
  });
});
