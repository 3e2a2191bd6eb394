import { describe, expect, it } from 'vitest';
import { checkRealm, isSameSite } from '../../src/registry/realm.ts';

const NOBODY = { allowedHosts: new Set<string>() };

function check(
  realm: string,
  registry: string,
  options: { plainHTTP?: boolean; hasCredentials?: boolean } = {},
): boolean {
  const { plainHTTP = false, hasCredentials = true } = options;
  return checkRealm({ realm, registryURL: new URL(registry), plainHTTP, hasCredentials }, NOBODY).ok;
}

describe('checkRealm', () => {
  it.each([
    ['https://r.io/token', 'https://r.io/v2/', true],
    ['https://auth.docker.io/token', 'https://registry-1.docker.io/v2/', true],
    ['https://gitlab.com/jwt/auth', 'https://registry.gitlab.com/v2/', true],
    ['https://r.io:8443/token', 'https://r.io/v2/', true],
    ['https://evil.com/token', 'https://r.io/v2/', false],
    ['https://r.io.evil.com/token', 'https://r.io/v2/', false],
    ['https://b.github.io/token', 'https://a.github.io/v2/', false],
    ['https://b.co.uk/token', 'https://a.co.uk/v2/', false],
    ['https://10.0.0.2/token', 'https://10.0.0.1/v2/', false],
    ['https://10.0.0.1/token', 'https://10.0.0.1/v2/', true],
    ['http://r.io/token', 'https://r.io/v2/', false],
    ['https://user:pass@r.io/token', 'https://r.io/v2/', false],
    ['ftp://r.io/token', 'https://r.io/v2/', false],
    ['file:///etc/passwd', 'https://r.io/v2/', false],
    ['/token', 'https://r.io/v2/', false],
    ['', 'https://r.io/v2/', false],
  ])('%s for %s: %j', (realm, registry, allowed) => {
    expect(check(realm, registry)).toBe(allowed);
  });

  it('allows http only under plainHTTP, and to another origin only between loopback addresses', () => {
    expect(check('http://127.0.0.1:2/token', 'http://127.0.0.1:1/v2/', { plainHTTP: true })).toBe(true);
    expect(check('http://127.0.0.1:2/token', 'http://127.0.0.1:1/v2/')).toBe(false);
    expect(check('http://r.io/token', 'http://r.io/v2/', { plainHTTP: true })).toBe(true);
    expect(check('http://auth.r.io/token', 'http://r.io/v2/', { plainHTTP: true })).toBe(false);
    expect(check('http://127.0.0.1/token', 'https://r.io/v2/', { plainHTTP: true })).toBe(false);
  });

  it('needs no trust where there is nothing to steal, but still https', () => {
    expect(check('https://ghcr.io/token', 'https://lscr.io/v2/', { hasCredentials: false })).toBe(true);
    expect(check('http://ghcr.io/token', 'https://lscr.io/v2/', { hasCredentials: false })).toBe(false);
  });

  it('allows listed hosts, and names the refused host without its query', () => {
    const question = {
      realm: 'https://evil.com/token?secret=1',
      registryURL: new URL('https://r.io/v2/'),
      plainHTTP: false,
      hasCredentials: true,
    };
    expect(checkRealm(question, { allowedHosts: new Set(['evil.com']) }).ok).toBe(true);
    const refused = checkRealm(question, NOBODY);
    expect(refused).toMatchObject({
      ok: false,
      error: "the token realm evil.com is not of the registry's domain",
    });
  });
});

describe('isSameSite', () => {
  it('does not take a public suffix for a site', () => {
    expect(isSameSite('a.com', 'b.com')).toBe(false);
    expect(isSameSite('localhost', '127.0.0.1')).toBe(false);
    expect(isSameSite('a', 'b')).toBe(false);
  });
});
