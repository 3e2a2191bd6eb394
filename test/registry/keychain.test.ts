import { describe, expect, it } from 'vitest';
import {
  basicAuthKeychain,
  type Credentials,
  joinKeychains,
  type Keychain,
  parseDockerConfig,
} from '../../src/registry/keychain.ts';

function configOf(auths: Readonly<Record<string, unknown>>): Keychain {
  const parsed = parseDockerConfig(JSON.stringify({ auths }));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

function user(name: string): { auth: string } {
  return { auth: Buffer.from(`${name}:secret`).toString('base64') };
}

async function usersFor(
  keychain: Keychain,
  registry: string,
  repository = 'team/app',
): Promise<readonly string[]> {
  const found = await keychain.find({ registry, repository });
  return found.map((credentials) => ('username' in credentials ? credentials.username : credentials.kind));
}

describe('matching', () => {
  it.each([
    ['r.io', 'r.io', true],
    ['https://r.io', 'r.io', true],
    ['https://r.io/v1/', 'r.io', true],
    ['http://r.io/v2/', 'r.io', true],
    ['R.io', 'r.io', true],
    ['r.io:5000', 'r.io:5000', true],
    ['r.io:5000', 'r.io', false],
    ['r.io', 'r.io:5000', false],
    ['r.io', 'evil-r.io', false],
    ['r.io', 'r.io.evil.com', false],
    ['*.r.io', 'a.r.io', true],
    ['*.r.io', 'r.io', false],
    ['*.r.io', 'a.b.r.io', false],
    ['a*c.r.io', 'abc.r.io', true],
    ['a*c.r.io', 'ac.r.io', true],
    ['aa*aa.r.io', 'aaa.r.io', false],
    ['*.r.io:5000', 'a.r.io:5000', true],
    ['[::1]:5000', '[::1]:5000', true],
    ['r.io/team', 'r.io', true],
    ['r.io/team/app', 'r.io', true],
    ['r.io/tea', 'r.io', false],
    ['r.io/team-evil', 'r.io', false],
    ['r.io/team/app/more', 'r.io', false],
    ['https://index.docker.io/v1/', 'docker.io', true],
    ['docker.io', '', true],
    ['registry-1.docker.io', 'index.docker.io', true],
    ['hub.docker.io', 'docker.io', false],
  ])('%s for %s/team/app: %j', async (key, registry, matches) => {
    expect(await usersFor(configOf({ [key]: user('u') }), registry)).toEqual(matches ? ['u'] : []);
  });

  it('gives the most specific first', async () => {
    const keychain = configOf({
      'r.io': user('host'),
      'r.io/team/app': user('app'),
      'r.io/team': user('team'),
    });
    expect(await usersFor(keychain, 'r.io')).toEqual(['app', 'team', 'host']);
    expect(await usersFor(keychain, 'r.io', 'team2/app')).toEqual(['host']);
    expect(await usersFor(configOf({ '*.r.io': user('glob'), 'a.r.io': user('exact') }), 'a.r.io')).toEqual([
      'exact',
      'glob',
    ]);
  });

  it('joins secrets in their order', async () => {
    const joined = joinKeychains([
      configOf({ 'r.io': user('first') }),
      basicAuthKeychain('r.io', 'second', 'x'),
    ]);
    expect(await usersFor(joined, 'r.io')).toEqual(['first', 'second']);
  });
});

describe('reading', () => {
  const cases: readonly (readonly [string, unknown, Credentials | undefined])[] = [
    ['auth', user('u'), { kind: 'basic', username: 'u', password: 'secret' }],
    [
      'a password with colons',
      { auth: Buffer.from('u:a:b').toString('base64') },
      { kind: 'basic', username: 'u', password: 'a:b' },
    ],
    [
      'username and password',
      { username: 'u', password: 'p' },
      { kind: 'basic', username: 'u', password: 'p' },
    ],
    [
      'an identity token',
      { ...user('u'), identitytoken: 't' },
      { kind: 'identityToken', username: 'u', token: 't' },
    ],
    ['a registry token', { registrytoken: 't' }, { kind: 'registryToken', token: 't' }],
    ['nothing', {}, undefined],
    ['auth without colon', { auth: Buffer.from('u').toString('base64') }, undefined],
    ['null', null, undefined],
  ];
  it.each(cases)('%s', async (_, entry, expected) => {
    const found = await configOf({ 'r.io': entry }).find({ registry: 'r.io', repository: 'a' });
    expect(found).toEqual(expected === undefined ? [] : [expected]);
  });

  it('reads the old format and configurations with helpers only', async () => {
    const old = parseDockerConfig(JSON.stringify({ 'r.io': user('u') }));
    expect(old.ok && (await usersFor(old.value, 'r.io'))).toEqual(['u']);
    expect(parseDockerConfig('{"credsStore": "desktop"}').ok).toBe(true);
  });

  it.each(['', 'secret-text', '[]', 'null', '{"auths": 1}'])('refuses %j without quoting it', (text) => {
    const parsed = parseDockerConfig(text);
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain('secret-text');
  });
});
