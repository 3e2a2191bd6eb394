import { describe, expect, it } from 'vitest';
import {
  type AccessOptions,
  anonymousAccess,
  buildAccess,
  credentialFingerprint,
} from '../../src/registry/access.ts';
import { anonymous, basicAuthKeychain } from '../../src/registry/keychain.ts';

describe('buildAccess', () => {
  it('gives the same identity to the same connection, whatever the credentials', () => {
    expect(buildAccess({}).identity).toBe(anonymousAccess.identity);
    expect(buildAccess({ credentials: basicAuthKeychain('r.io', 'u', 'p') }).identity).toBe(
      anonymousAccess.identity,
    );
  });

  it('tells every other difference apart', () => {
    const differences: readonly AccessOptions[] = [
      {},
      { plainHTTP: true },
      { ca: 'a' },
      { clientCertificate: { certificate: 'a', key: 'b' } },
      { clientCertificate: { certificate: 'a', key: 'c' } },
      { proxy: { url: 'a' } },
      { proxy: { url: 'a', username: 'b' } },
      { proxy: { url: 'a', password: 'b' } },
    ];
    expect(new Set(differences.map((options) => buildAccess(options).identity)).size).toBe(
      differences.length,
    );
  });
});

describe('credentialFingerprint', () => {
  it('tells credentials apart without showing them', () => {
    const prints = [
      anonymous,
      { kind: 'basic', username: 'u', password: 'secret' },
      { kind: 'basic', username: 'usecret', password: '' },
      { kind: 'identityToken', username: 'u', token: 'secret' },
      { kind: 'registryToken', token: 'secret' },
    ] as const;
    const texts = prints.map(credentialFingerprint);
    expect(new Set(texts).size).toBe(prints.length);
    expect(texts.join()).not.toContain('secret');
  });
});
