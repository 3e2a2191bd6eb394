import { describe, expect, it } from 'vitest';
import type { Secret } from '../../../src/kube/core-types.ts';
import { parseDockerConfig } from '../../../src/registry/keychain.ts';
import { credentialKey, loginData, readLogin } from '../../../src/server/docker/login-secret.ts';
import { recordName } from '../../../src/server/docker/record-name.ts';

function secretOf(data: Readonly<Record<string, string>>): Secret {
  return { metadata: { name: 'a' }, data };
}

function encoded(data: Readonly<Record<string, string>>): Secret {
  return secretOf(
    Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
  );
}

describe('a login in a Secret', () => {
  it.each([
    { username: 'robot', password: 'pa:ss:word' },
    { username: 'röbot', password: '日本' },
    { username: null, password: 'only' },
    { username: 'only', password: null },
  ])('reads back as it was: %j', async (login) => {
    expect(await readLogin(secretOf(loginData(login, 'reg.example.com')), 'reg.example.com')).toEqual(login);
  });

  it.each([
    ['reg.example.com:5000', 'reg.example.com:5000'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['docker.io', ''],
    ['http://reg.example.com/v2/', 'reg.example.com'],
  ])('for %s is found by the registry client for %s', async (registryUrl, registry) => {
    const data = loginData({ username: 'u', password: 'p' }, registryUrl);
    const config = parseDockerConfig(Buffer.from(data['.dockerconfigjson'] ?? '', 'base64').toString());
    const found = config.ok ? await config.value.find({ registry, repository: 'any/image' }) : [];
    expect(found).toEqual([{ kind: 'basic', username: 'u', password: 'p' }]);
  });

  it('that is not whole is none for the kubelet', () => {
    const data = loginData({ username: 'u', password: null }, 'reg.example.com');
    expect(Buffer.from(data['.dockerconfigjson'] ?? '', 'base64').toString()).toBe('{"auths":{}}');
  });

  it('may be one of basic-auth, or in a docker config of somebody else', async () => {
    expect(await readLogin(encoded({ username: 'u', password: 'p' }), 'any')).toEqual({
      username: 'u',
      password: 'p',
    });
    const auths = {
      'reg.example.com': { auth: btoa('u:p:q') },
      'other.example.com': { auth: btoa('no:no') },
    };
    const config = encoded({ '.dockerconfigjson': JSON.stringify({ auths }) });
    expect(await readLogin(config, 'https://reg.example.com/')).toEqual({ username: 'u', password: 'p:q' });
    expect(await readLogin(config, 'third.example.com')).toEqual({ username: null, password: null });
  });

  it.each(['{', '[]', '{"auths": 7}', ''])('is none in %j', async (text) => {
    expect(await readLogin(encoded({ '.dockerconfigjson': text }), 'reg.example.com')).toEqual({
      username: null,
      password: null,
    });
  });

  it.each([
    ['', 'https://index.docker.io/v1/'],
    ['registry-1.docker.io', 'https://index.docker.io/v1/'],
    ['registry.hub.docker.com', 'https://index.docker.io/v1/'],
    ['HTTPS://Reg.Example.com/team', 'reg.example.com'],
    ['localhost:5000', 'localhost:5000'],
    ['[::1]:5000', '[::1]:5000'],
  ])('for %j has the key %s', (registryUrl, key) => {
    expect(credentialKey(registryUrl)).toBe(key);
  });
});

describe('the name of a record', () => {
  it.each([
    ['yolo', 'v5_2022-11-05_cuda11.1', /^yolo-v5-2022-11-05-cuda11-1-[0-9a-f]{8}$/],
    ['___', '+', /^[0-9a-f]{8}$/],
    ['N'.repeat(64), 'V'.repeat(32), /^n{64}-v{32}-[0-9a-f]{8}$/],
    ['日本', '1', /^1-[0-9a-f]{8}$/],
  ])('for %s %s is one that Kubernetes takes', (name, version, expected) => {
    expect(recordName(name, version)).toMatch(expected);
  });

  it('tells apart what slugs do not', () => {
    const names = [
      ['a_b', '1'],
      ['a-b', '1'],
      ['a', 'b-1'],
      ['A-b', '1'],
    ].map(([name = '', version = '']) => recordName(name, version));
    expect(new Set(names).size).toBe(4);
  });
});
