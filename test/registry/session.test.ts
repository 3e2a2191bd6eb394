import { describe, expect, it } from 'vitest';
import { buildAccess } from '../../src/registry/access.ts';
import { registryReason } from '../../src/registry/errors.ts';
import { basicAuthKeychain } from '../../src/registry/keychain.ts';
import { eventually } from '../support/fake-clock.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { failureOf, steppedThrough } from '../support/registry-failure.ts';
import { openSession, REPOSITORY } from '../support/registry-session.ts';

describe('politeness', () => {
  it('a long Retry-After is the caller’s to wait out, and nobody asks in between', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.setTags('other/app', ['a']);
    registry.intercept = (_, response) => {
      if (registry.log.length > 1) return false;
      response.writeHead(429, { 'retry-after': '120' }).end();
      return true;
    };
    const error = await failureOf(session.list(registry), session.clock);
    expect(error).toMatchObject({ code: 'TOOMANYREQUESTS', temporary: true, retryAfterMs: 120_000 });
    await session.clock.advance(60_000);
    const other = await failureOf(session.list(registry, 'other/app'), session.clock);
    expect(other).toMatchObject({ code: 'TOOMANYREQUESTS' });
    expect(other.retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(registry.log).toHaveLength(1);
    await session.clock.advance(60_000);
    expect((await session.list(registry, 'other/app')).tags).toEqual(['a']);
  });

  it('honours Retry-After as a date and on 503', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.setTags(REPOSITORY, ['a']);
    registry.intercept = (_, response) => {
      if (registry.log.length > 1) return false;
      response.writeHead(503, { 'retry-after': new Date(session.clock.now() + 9_000).toUTCString() }).end();
      return true;
    };
    await steppedThrough(session.list(registry), session.clock);
    expect(session.clock.monotonic()).toBeGreaterThanOrEqual(9_000);
  });

  it('rests when nothing remains', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.setTags(REPOSITORY, ['a']);
    registry.intercept = (_, response) => {
      response.setHeader('ratelimit-remaining', '0;w=21600');
      return false;
    };
    expect((await session.list(registry)).tags).toEqual(['a']);
    const error = await failureOf(session.list(registry), session.clock);
    expect(error).toMatchObject({ code: 'TOOMANYREQUESTS', retryAfterMs: 60_000 });
    expect(registry.log).toHaveLength(1);
  });

  it('keeps the budgets of two credentials apart', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.setTags(REPOSITORY, ['a']);
    registry.intercept = (_, response) => {
      if (registry.log.length > 1) return false;
      response.writeHead(429, { 'retry-after': '600' }).end();
      return true;
    };
    await failureOf(session.list(registry), session.clock);
    const access = buildAccess({ plainHTTP: true, credentials: basicAuthKeychain(registry.host, 'u', 'p') });
    const reference = { registry: registry.host, repository: REPOSITORY };
    expect((await session.client.collectTags(reference, access, session)).tags).toEqual(['a']);
  });

  it('never has more requests in flight than allowed', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession({}, { budget: { concurrency: 2 } });
    const held: (() => void)[] = [];
    let most = 0;
    registry.intercept = (_, response) => {
      held.push(() => response.writeHead(404).end());
      most = Math.max(most, held.length);
      return true;
    };
    const calls = Array.from({ length: 6 }, (_, index) => session.list(registry, `team/app-${index}`));
    const settled = Promise.allSettled(calls);
    for (let released = 0; released < 6; released++) {
      await eventually(() => held.length > 0);
      held.shift()?.();
    }
    await settled;
    expect(most).toBeLessThanOrEqual(2);
  });

  it('makes equal requests at the same moment one', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.putImage(REPOSITORY, 'v1');
    const reference = { registry: registry.host, repository: REPOSITORY, tag: 'v1' };
    const { client, access } = session;
    await Promise.all([1, 2, 3].map(() => client.headDigest(reference, access, session)));
    await Promise.all([1, 2, 3].map(() => client.collectTags(reference, access, session)));
    expect(registry.log).toHaveLength(2);
  });

  it('does not share answers between different credentials or proxies', async () => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.putImage(REPOSITORY, 'v1');
    const reference = { registry: registry.host, repository: REPOSITORY, tag: 'v1' };
    const other = buildAccess({ plainHTTP: true, credentials: basicAuthKeychain(registry.host, 'u', 'p') });
    await Promise.all([
      session.client.headDigest(reference, session.access, session),
      session.client.headDigest(reference, other, session),
    ]);
    expect(registry.log).toHaveLength(2);
  });
});

describe('errors', () => {
  it.each([
    [401, 'UNAUTHORIZED', 'Unauthorized', false],
    [403, 'DENIED', 'Forbidden', false],
    [403, '', 'Forbidden', false],
    [403, 'TOOMANYREQUESTS', 'TooManyRequests', true],
    [404, 'NAME_UNKNOWN', 'RepositoryNotFound', false],
    [404, 'NOT_FOUND', 'RepositoryNotFound', false],
    [404, '', 'RepositoryNotFound', true],
    [404, 'something else', 'RepositoryNotFound', true],
    [410, '', 'InvalidResponse', false],
    [418, 'UNSUPPORTED', 'UnsupportedMediaType', false],
    [429, '', 'TooManyRequests', true],
    [500, 'UNKNOWN', 'RegistryUnavailable', true],
    [503, '', 'RegistryUnavailable', true],
    [204, '', 'InvalidResponse', false],
  ])('%i %s is %s', async (status, code, reason, temporary) => {
    await using registry = await FakeRegistry.start();
    await using session = openSession();
    registry.intercept = (_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(
        status === 204
          ? undefined
          : code === ''
            ? ''
            : JSON.stringify({ errors: [{ code, message: 'echo' }] }),
      );
      return true;
    };
    const error = await failureOf(session.list(registry), session.clock);
    expect(registryReason(error)).toBe(reason);
    expect(error).toMatchObject({ status, temporary, registry: registry.host, repository: REPOSITORY });
    expect(error.message).not.toContain('echo');
    expect(error.message.startsWith(`listing tags of ${registry.host}/${REPOSITORY}: `)).toBe(true);
  });
});
