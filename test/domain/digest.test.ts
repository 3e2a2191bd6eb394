import { describe, expect, it } from 'vitest';

import {
  formatDigest,
  InvalidDigestError,
  isDigestAlgorithm,
  isValidDigest,
  parseDigest,
  splitDigest,
  validateDigest,
} from '../../src/domain/digest.ts';
import { readVectors } from '../support/vectors.ts';

const SHA256 = `sha256:${'0a'.repeat(32)}` as const;
const SHA512 = `sha512:${'f1'.repeat(64)}` as const;

describe('digests', () => {
  it.each([SHA256, SHA512])('reads %s', (text) => {
    const digest = parseDigest(text);
    expect(digest).toBe(text);
    expect(isValidDigest(text)).toBe(true);
    const { algorithm, hex } = splitDigest(digest);
    expect(text).toBe(`${algorithm}:${hex}`);
    expect(formatDigest(algorithm, hex)).toBe(text);
  });

  it.each(readVectors('digest_invalid.txt'))('refuses %s at %s', (text = '', position) => {
    expect(validateDigest(text)).toMatchObject({ ok: false, error: { position: Number(position) } });
    expect(isValidDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrow(InvalidDigestError);
  });

  it('says what is wrong', () => {
    expect(() => parseDigest('md5:00')).toThrow(
      'parsing digest "md5:00": the algorithm must be sha256 or sha512',
    );
    expect(() => parseDigest('sha256:00')).toThrow('sha256 has 64 hex digits, not 2');
    expect(() => parseDigest('sha512:00')).toThrow('sha512 has 128 hex digits, not 2');
    expect(() => parseDigest('x')).toThrow('a digest is algorithm:hex');
    expect(() => parseDigest('sha256:x')).toThrow('only the hex digits 0-9 and a-f may follow');
    expect(new InvalidDigestError('x', { message: 'm', position: 2 })).toMatchObject({
      name: 'InvalidDigestError',
      position: 2,
    });
  });

  it('knows two algorithms', () => {
    expect(['sha256', 'sha512', 'sha384'].map(isDigestAlgorithm)).toEqual([true, true, false]);
  });
});
