import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccessReader } from '../../src/controllers/access.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { anonymousAccess, type RegistryAccess } from '../../src/registry/access.ts';
import { RegistryError } from '../../src/registry/errors.ts';
import type { Credentials, Keychain } from '../../src/registry/keychain.ts';
import { imageSource } from '../support/builders.ts';
import { createAuthority } from '../support/certificate.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { FakeClock } from '../support/fake-clock.ts';

const REGISTRY = 'registry.example.org';
const SECRETS = { group: '', version: 'v1', plural: 'secrets' };
const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps' };
const SERVICE_ACCOUNTS = { group: '', version: 'v1', plural: 'serviceaccounts' };
const PEM = createAuthority().certificate;

type Access = NonNullable<NonNullable<NonNullable<Parameters<typeof imageSource>[0]>['spec']>['access']>;

let server: FakeApiServer;
let transport: Transport;
let reader: AccessReader;
let cloud: { find: Keychain['find'] };

beforeEach(async () => {
  server = await FakeApiServer.start();
  const connection = server.connect(new FakeClock());
  ({ transport } = connection);
  cloud = { find: () => Promise.resolve([{ kind: 'registryToken' as const, token: 'of the pod' }]) };
  reader = new AccessReader(connection.client, { AWS: cloud }, 'stock-room');
});

afterEach(async () => {
  await transport.close();
  await server.close();
});

function read(access: Access): Promise<RegistryAccess> {
  return reader.read({
    namespace: 'science',
    registry: REGISTRY,
    access: imageSource({ spec: { access } }).spec.access,
    signal: new AbortController().signal,
  });
}

function putSecret(name: string, type: string, data: Readonly<Record<string, string>>): void {
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  const metadata = { name, namespace: 'science' };
  server.store.put(SECRETS, { metadata, type, data: Object.fromEntries(encoded) as object });
}

function putDockerConfig(name: string, username: string, registry = REGISTRY): void {
  const auths = { [registry]: { username, password: 'p' } };
  putSecret(name, 'kubernetes.io/dockerconfigjson', { '.dockerconfigjson': JSON.stringify({ auths }) });
}

/** What would be shown to the registry, in order. */
async function credentials(access: Access): Promise<readonly Credentials[]> {
  return (await read(access)).credentials.find({ registry: REGISTRY, repository: 'sciplat/lab' });
}

const refs = (...names: readonly string[]): Access => ({ pullSecretRefs: names.map((name) => ({ name })) });
const basic = (username: string, password = 'p') => ({ kind: 'basic', username, password });

describe('credentials', () => {
  it('are none, and nothing is read, if access names none', async () => {
    expect(await read({})).toBe(anonymousAccess);
    expect(server.requests).toEqual([]);
  });

  it('come from all docker configs in the order of the spec', async () => {
    putDockerConfig('first', 'a');
    putDockerConfig('elsewhere', 'x', 'other.example.org');
    putSecret('old', 'kubernetes.io/dockercfg', {
      '.dockercfg': JSON.stringify({ [REGISTRY]: { auth: Buffer.from('b:p').toString('base64') } }),
    });
    expect(await credentials(refs('first', 'elsewhere', 'old'))).toEqual([basic('a'), basic('b')]);
  });

  it('come from a basic-auth Secret, for this registry only', async () => {
    putSecret('basic', 'kubernetes.io/basic-auth', { username: 'u', password: 'p' });
    expect(await credentials(refs('basic'))).toEqual([basic('u')]);
    const { credentials: keychain } = await read(refs('basic'));
    expect(await keychain.find({ registry: 'other.example.org', repository: 'a' })).toEqual([]);
  });

  it('come from the cloud the pod runs in, after those of Secrets', async () => {
    putDockerConfig('first', 'a');
    const token = { kind: 'registryToken', token: 'of the pod' };
    expect(await credentials({ ...refs('first'), provider: 'AWS' })).toEqual([basic('a'), token]);
    expect(await credentials(refs('first'))).toEqual([basic('a')]);
  });

  it('of a cloud that gives none are waited for, and are nobody’s fault but the identity’s', async () => {
    const problem = new RegistryError('obtaining cloud credentials: the pod has no identity', {
      code: 'UNAUTHORIZED',
      registry: REGISTRY,
    });
    cloud.find = () => Promise.reject(problem);
    await expect(read({ provider: 'AWS' })).rejects.toMatchObject({
      reason: 'IdentityUnavailable',
      message: 'access.provider AWS: obtaining cloud credentials: the pod has no identity',
    });
    cloud.find = () => Promise.reject(new TypeError('a bug'));
    await expect(read({ provider: 'AWS' })).rejects.toThrow(TypeError);
    expect(await read({})).toBe(anonymousAccess);
  });

  it('come from the ServiceAccount too, each Secret once', async () => {
    putDockerConfig('regcred', 'a');
    putDockerConfig('more', 'b');
    server.store.put(SERVICE_ACCOUNTS, {
      metadata: { name: 'puller', namespace: 'science' },
      imagePullSecrets: [{ name: 'regcred' }, { name: 'more' }],
    });
    expect(await credentials({ ...refs('regcred'), serviceAccountName: 'puller' })).toEqual([
      basic('a'),
      basic('b'),
    ]);
    expect(server.count('get', 'secrets')).toBe(2);
  });

  it('come from a ServiceAccount without Secrets: none', async () => {
    server.store.put(SERVICE_ACCOUNTS, { metadata: { name: 'puller', namespace: 'science' } });
    expect(await read({ serviceAccountName: 'puller' })).toBe(anonymousAccess);
  });

  it('are read anew each time, so that a rotated Secret counts at once', async () => {
    putDockerConfig('regcred', 'old');
    await credentials(refs('regcred'));
    putDockerConfig('regcred', 'new');
    expect(await credentials(refs('regcred'))).toEqual([basic('new')]);
  });

  it('are looked for in the namespace of the object only', async () => {
    server.store.put(SECRETS, { metadata: { name: 'regcred', namespace: 'other' }, type: 'Opaque' });
    await expect(read(refs('regcred'))).rejects.toMatchObject({ reason: 'SecretNotFound' });
  });
});

describe('what pulls can use of them', () => {
  async function unusable(access: Access): Promise<readonly string[]> {
    const granted = await reader.grant({
      namespace: 'science',
      registry: REGISTRY,
      repository: 'sciplat/lab',
      access: imageSource({ spec: { access } }).spec.access,
      signal: new AbortController().signal,
    });
    return granted.unusableByKubelet;
  }

  it('is a docker config, not a basic-auth Secret', async () => {
    putSecret('basic', 'kubernetes.io/basic-auth', { username: 'u', password: 'p' });
    putDockerConfig('config', 'a');
    putDockerConfig('elsewhere', 'a', 'other.example.org');
    putDockerConfig('path', 'a', `${REGISTRY}/sciplat`);
    expect(await unusable(refs('config'))).toEqual([]);
    expect(await unusable(refs('basic'))).toEqual(['basic']);
    expect(await unusable(refs('basic', 'elsewhere'))).toEqual(['basic']);
    expect(await unusable(refs('basic', 'config'))).toEqual([]);
    expect(await unusable(refs('basic', 'path'))).toEqual([]);
  });
});

describe('the text of a Secret', () => {
  const text = (name: string): Promise<string> =>
    reader.secretText({ namespace: 'science', name, key: 'token', signal: new AbortController().signal });

  it('is decoded, and waited for where there is none', async () => {
    putSecret('hook', 'Opaque', { token: 's3cret' });
    putSecret('empty', 'Opaque', { token: '' });
    expect(await text('hook')).toBe('s3cret');
    await expect(text('empty')).rejects.toMatchObject({ reason: 'SecretInvalid' });
    await expect(text('gone')).rejects.toMatchObject({ reason: 'SecretNotFound' });
  });
});

describe('trust and proxy', () => {
  it.each(['ConfigMap', 'Secret'] as const)('trust a CA bundle of a %s', async (kind) => {
    const metadata = { name: 'ca', namespace: 'science' };
    if (kind === 'Secret') putSecret('ca', 'Opaque', { 'ca.crt': PEM });
    else server.store.put(CONFIG_MAPS, { metadata, data: { 'ca.crt': PEM } });
    expect(await read({ caBundleRef: { kind, name: 'ca' } })).toMatchObject({ ca: PEM, plainHTTP: false });
  });

  it('show a client certificate', async () => {
    putSecret('client', 'kubernetes.io/tls', { 'tls.crt': 'C', 'tls.key': 'K' });
    const { clientCertificate } = await read({ clientCertSecretRef: { name: 'client' } });
    expect(clientCertificate).toEqual({ certificate: 'C', key: 'K' });
  });

  it.each([
    [{ address: 'http://proxy:3128' }, { url: 'http://proxy:3128' }],
    [
      { address: 'https://proxy', username: 'u', password: 'p' },
      { url: 'https://proxy', username: 'u', password: 'p' },
    ],
  ])('go through a proxy: %j', async (data: Record<string, string>, proxy) => {
    putSecret('proxy', 'Opaque', data);
    expect((await read({ proxySecretRef: { name: 'proxy' } })).proxy).toEqual(proxy);
  });

  it('are plain HTTP if the spec says so', async () => {
    expect(await read({ plainHTTP: true })).toMatchObject({ plainHTTP: true });
  });

  it('make another identity of each way in, so that connections are not shared', async () => {
    putSecret('proxy', 'Opaque', { address: 'http://proxy:3128' });
    const identities = [
      await read({}),
      await read({ plainHTTP: true }),
      await read({ proxySecretRef: { name: 'proxy' } }),
    ];
    expect(new Set(identities.map(({ identity }) => identity)).size).toBe(3);
  });
});

describe('what is missing or wrong is waited for, with a reason', () => {
  it.each<readonly [string, Access, string, string]>([
    ['a Secret', refs('gone'), 'SecretNotFound', 'Secret gone does not exist in namespace science'],
    ['a ServiceAccount', { serviceAccountName: 'gone' }, 'ServiceAccountNotFound', 'ServiceAccount gone'],
    ['a CA ConfigMap', { caBundleRef: { name: 'gone' } }, 'CABundleInvalid', 'ConfigMap gone'],
    ['a CA Secret', { caBundleRef: { kind: 'Secret', name: 'gone' } }, 'SecretNotFound', 'Secret gone'],
    ['a client certificate', { clientCertSecretRef: { name: 'gone' } }, 'SecretNotFound', 'Secret gone'],
    ['a proxy', { proxySecretRef: { name: 'gone' } }, 'SecretNotFound', 'Secret gone'],
  ])('%s that does not exist', async (_what, access, reason, words) => {
    await expect(read(access)).rejects.toMatchObject({
      name: 'WaitingError',
      reason,
      requeueAfterMs: 30_000,
      message: expect.stringContaining(words) as string,
    });
  });

  it.each<readonly [string, string, Record<string, string>, Access, string, string]>([
    ['of an unknown type', 'Opaque', { x: 's3cret' }, refs('odd'), 'SecretInvalid', 'type Opaque'],
    [
      'without its key',
      'kubernetes.io/dockerconfigjson',
      { x: 's3cret' },
      refs('odd'),
      'SecretInvalid',
      'not JSON',
    ],
    [
      'with broken JSON',
      'kubernetes.io/dockerconfigjson',
      { '.dockerconfigjson': '{"auths": s3cret' },
      refs('odd'),
      'SecretInvalid',
      'not JSON',
    ],
    [
      'without a user',
      'kubernetes.io/basic-auth',
      { password: 's3cret' },
      refs('odd'),
      'SecretInvalid',
      'username',
    ],
    [
      'without a private key',
      'kubernetes.io/tls',
      { 'tls.crt': 's3cret' },
      { clientCertSecretRef: { name: 'odd' } },
      'SecretInvalid',
      'tls.key',
    ],
    [
      'without an address',
      'Opaque',
      { username: 's3cret' },
      { proxySecretRef: { name: 'odd' } },
      'SecretInvalid',
      'address',
    ],
    [
      'with an address that is none',
      'Opaque',
      { address: 's3cret:proxy' },
      { proxySecretRef: { name: 'odd' } },
      'SecretInvalid',
      'address',
    ],
    [
      'without a certificate',
      'Opaque',
      { 'ca.crt': 's3cret' },
      { caBundleRef: { kind: 'Secret', name: 'odd' } },
      'CABundleInvalid',
      'ca.crt',
    ],
  ])('a Secret %s, whose content is never quoted', async (...[, type, data, access, reason, words]) => {
    putSecret('odd', type, data);
    const error: unknown = await read(access).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'WaitingError', reason });
    expect(String(error)).toContain(words);
    expect(String(error)).not.toContain('s3cret');
  });

  it.each([
    ['secrets', refs('regcred')],
    ['serviceaccounts', { serviceAccountName: 'puller' }],
    ['configmaps', { caBundleRef: { name: 'ca' } }],
  ] as const)('%s we may not read, with the command that allows it', async (plural, access) => {
    server.fail({
      when: (request) => request.plural === plural,
      action: { kind: 'status', code: 403, reason: 'Forbidden' },
    });
    await expect(read(access)).rejects.toMatchObject({
      reason: 'SecretAccessDenied',
      message: expect.stringContaining(
        'kubectl create rolebinding larder-credentials -n science --clusterrole=larder-credential-reader ' +
          '--serviceaccount=stock-room:larder',
      ) as string,
    });
  });

  it('but trouble of the API server is not the fault of any Secret', async () => {
    server.fail({ when: () => true, action: { kind: 'status', code: 422, reason: 'Invalid' } });
    await expect(read(refs('regcred'))).rejects.toMatchObject({ name: 'ApiError', status: 422 });
  });
});
