import { describe, expect, it } from 'vitest';
import { REGISTRY_ERROR_CODES, RegistryError, registryReason } from '../../src/registry/errors.ts';
import { REGISTRY_ADVICE, REGISTRY_REASONS } from '../../src/registry/reasons.ts';

describe('registryReason', () => {
  it('gives every code one reason of the list, and every reason has a code and advice', () => {
    const reached = REGISTRY_ERROR_CODES.map((code) =>
      registryReason(new RegistryError('x', { code, registry: 'r.io' })),
    );
    expect(new Set(reached)).toEqual(new Set(REGISTRY_REASONS));
    for (const reason of REGISTRY_REASONS) {
      expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
      expect(REGISTRY_ADVICE[reason]).toMatch(/^[A-Z].{20,}\.$/);
    }
  });

  it('takes what is no RegistryError for an unreachable registry', () => {
    expect(registryReason(new Error('x'))).toBe('RegistryUnreachable');
  });
});

describe('RegistryError', () => {
  it('is temporary by its code unless told otherwise', () => {
    expect(new RegistryError('x', { code: 'UNAVAILABLE', registry: 'r.io' }).temporary).toBe(true);
    expect(new RegistryError('x', { code: 'DENIED', registry: 'r.io' }).temporary).toBe(false);
    expect(
      new RegistryError('x', { code: 'MANIFEST_UNKNOWN', registry: 'r.io', temporary: true }).temporary,
    ).toBe(true);
  });
});
