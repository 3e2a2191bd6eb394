import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/kube/client.ts';
import { KubeConfigCredentials, loadKubeConfig } from '../../src/kube/credentials.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { issueCertificate } from '../support/certificate.ts';
import { FakeApiServer, type FakeApiServerOptions } from '../support/fake-api-server.ts';
import { eventually, FakeClock } from '../support/fake-clock.ts';
import { WIDGETS } from './fixtures.ts';

let folder: string;
let clock: FakeClock;
let server: FakeApiServer | undefined;
let transport: Transport | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-credentials-'));
  clock = new FakeClock();
});

afterEach(async () => {
  await transport?.close();
  await server?.close();
  server = undefined;
  transport = undefined;
  await rm(folder, { recursive: true });
});

async function start(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
  server = await FakeApiServer.start(options);
  return server;
}

function connect(config: () => KubeConfig): KubeClient {
  const connection = server?.connect(clock, { config });
  if (connection === undefined) throw new Error('no server');
  transport = connection.transport;
  return connection.client;
}

/** Runs a call that needs timers (a retry's pause) to its end. */
async function call(work: Promise<unknown>): Promise<unknown> {
  let isDone = false;
  const settled = work.finally(() => {
    isDone = true;
  });
  settled.catch(() => undefined);
  await clock.advanceUntil(() => isDone, { stepMs: 50 });
  return settled;
}

function config(cluster: object, user: object = {}): KubeConfig {
  const built = new KubeConfig();
  built.loadFromOptions({
    clusters: [{ name: 'c', skipTLSVerify: false, ...cluster }],
    users: [{ name: 'u', ...user }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  return built;
}

describe('ways to authenticate', () => {
  it('a token file is read again on 401, and the call goes through', async () => {
    const tokens = new Set(['first']);
    const fake = await start({ tokens });
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'first\n');
    const client = connect(() =>
      fake.kubeConfig({ authProvider: { name: 'tokenFile', config: { tokenFile } } }),
    );
    await call(client.list(WIDGETS));
    await writeFile(tokenFile, 'second');
    tokens.clear();
    tokens.add('second');
    await call(client.create(WIDGETS, { metadata: { name: 'a', namespace: 'default' } }));
    expect(fake.count('create')).toBe(2);
  });

  it('a token file is not read for every call', async () => {
    const fake = await start();
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'first');
    const client = connect(() =>
      fake.kubeConfig({ authProvider: { name: 'tokenFile', config: { tokenFile } } }),
    );
    await call(client.list(WIDGETS));
    await writeFile(tokenFile, 'second');
    await clock.advance(5_000);
    await call(client.list(WIDGETS));
    expect(fake.requests.at(-1)?.headers.authorization).toBe('Bearer first');
  });

  it('a token that stays bad is an error after one refresh', async () => {
    const fake = await start({ tokens: new Set(['good']) });
    const client = connect(() => fake.kubeConfig({ token: 'bad' }));
    await expect(call(client.list(WIDGETS))).rejects.toMatchObject({ status: 401, reason: 'Unauthorized' });
    expect(fake.requests).toHaveLength(2);
  });

  it('refusals in a row do not ask for credentials more than once in five seconds', async () => {
    const fake = await start({ tokens: new Set(['good']) });
    let loads = 0;
    const client = connect(() => {
      loads += 1;
      return fake.kubeConfig({ token: 'bad' });
    });
    for (let round = 0; round < 10; round += 1) await call(client.list(WIDGETS)).catch(() => undefined);
    expect(loads).toBe(2);
    await clock.advance(6_000);
    await call(client.list(WIDGETS)).catch(() => undefined);
    expect(loads).toBe(3);
  });

  it('an exec plug-in is asked again on 401', async () => {
    const tokens = new Set(['one']);
    const fake = await start({ tokens });
    const tokenFile = join(folder, 'token');
    const plugin = join(folder, 'plugin.sh');
    const credential =
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}';
    await writeFile(plugin, `#!/bin/sh\nprintf '${credential}' "$(cat ${tokenFile})"\n`);
    await chmod(plugin, 0o755);
    await writeFile(tokenFile, 'one');
    const client = connect(() => fake.kubeConfig({ exec: { command: plugin } }));
    await call(client.list(WIDGETS));
    tokens.clear();
    tokens.add('two');
    await writeFile(tokenFile, 'two');
    await call(client.list(WIDGETS));
    expect(fake.requests.at(-1)?.headers.authorization).toBe('Bearer two');
  });

  it('a plug-in that fails fails the call, not the process', async () => {
    const fake = await start();
    const client = connect(() => fake.kubeConfig({ exec: { command: join(folder, 'missing') } }));
    await expect(call(client.list(WIDGETS))).rejects.toMatchObject({ status: 0 });
  });

  it('a client certificate', async () => {
    const fake = await start({ requireClientCertificate: true });
    const { certificate, key } = issueCertificate(fake.authority, 'operator');
    const data = {
      certData: Buffer.from(certificate).toString('base64'),
      keyData: Buffer.from(key).toString('base64'),
    };
    await call(connect(() => fake.kubeConfig(data)).list(WIDGETS));
    await transport?.close();
    await expect(call(connect(() => fake.kubeConfig({ token: 't' })).list(WIDGETS))).rejects.toMatchObject({
      status: 401,
    });
  });

  it('user and password, and impersonation', async () => {
    const fake = await start();
    const client = connect(() =>
      fake.kubeConfig({ username: 'ann', password: 'secret', impersonateUser: 'bob' }),
    );
    await call(client.list(WIDGETS));
    const headers = fake.requests[0]?.headers;
    expect(headers?.authorization).toBe(`Basic ${Buffer.from('ann:secret').toString('base64')}`);
    expect(headers?.['impersonate-user']).toBe('bob');
  });

  it('no verification, if the kubeconfig says so', async () => {
    const fake = await start();
    const insecure = () => config({ server: fake.url, skipTLSVerify: true }, { token: 't' });
    await call(connect(insecure).list(WIDGETS));
    expect(fake.requests).toHaveLength(1);
  });
});

describe('a new authority', () => {
  it('is trusted as soon as the kubeconfig names it, and old connections are given up', async () => {
    const fake = await start();
    const client = connect(() => fake.kubeConfig());
    await call(client.list(WIDGETS));
    const stop = new AbortController();
    const options = { resourceVersion: '1', timeoutSeconds: 300, signal: stop.signal };
    (await client.watch(WIDGETS, options)).on('error', () => undefined);
    fake.rotateCertificates();
    await clock.advance(6_000);
    await call(client.create(WIDGETS, { metadata: { name: 'a', namespace: 'default' } }));
    stop.abort();
    expect(fake.count('create')).toBe(1);
    await transport?.close();
    await eventually(() => fake.openConnections === 0);
  });

  it('is an error while nobody vouches for it', async () => {
    const fake = await start();
    const old = fake.kubeConfig();
    const client = connect(() => old);
    fake.rotateCertificates();
    const error = await call(client.list(WIDGETS, { timeoutMs: 2_000 })).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 0, reason: 'ConnectionFailed', sent: false });
  });

  it('says when reloading fails', async () => {
    const fake = await start({ tokens: new Set() });
    let loads = 0;
    const client = connect(() => {
      loads += 1;
      if (loads > 1) throw new Error('kubeconfig vanished');
      return fake.kubeConfig();
    });
    const error = await call(client.list(WIDGETS, { maxAttempts: 1 })).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 401 });
    expect(String(error)).toContain('reloading credentials failed');
  });
});

describe('the address', () => {
  it('may be plain HTTP on loopback only', () => {
    for (const host of ['127.0.0.1:8080', 'localhost:8080', '[::1]:8080']) {
      const source = new KubeConfigCredentials(clock, () => config({ server: `http://${host}` }));
      expect(source.endpoint.server.host).toBe(host);
    }
    for (const host of ['10.0.0.1', 'localhost.evil.example', '127.0.0.1.evil.example']) {
      expect(() => new KubeConfigCredentials(clock, () => config({ server: `http://${host}` }))).toThrow(
        'plain HTTP',
      );
    }
  });

  it('resolves credentials for plain HTTP too', async () => {
    const source = new KubeConfigCredentials(clock, () =>
      config({ server: 'http://127.0.0.1:1' }, { token: 't' }),
    );
    expect((await source.current()).headers['authorization']).toBe('Bearer t');
    expect(await source.current()).toBe(await source.current());
  });

  it('names the context that leads nowhere', async () => {
    const file = join(folder, 'config');
    await writeFile(file, config({ server: 'https://a.example' }).exportConfig());
    expect(loadKubeConfig({ file }).getCurrentCluster()?.server).toBe('https://a.example');
    expect(() => loadKubeConfig({ file, context: 'nope' })).toThrow('context "nope" names no cluster');
  });

  it('carries the namespace and the proxy of the context', () => {
    const built = config({ server: 'https://a.example', proxyUrl: 'http://proxy.example:3128' });
    const { endpoint } = new KubeConfigCredentials(clock, () => built);
    expect([endpoint.proxyUrl, endpoint.namespace]).toEqual(['http://proxy.example:3128', undefined]);
  });
});
