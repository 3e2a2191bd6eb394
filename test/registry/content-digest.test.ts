import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { computeDigest, hasDigest } from '../../src/registry/content-digest.ts';
import { DOCKER_SCHEMA1_SIGNED, OCI_INDEX } from '../../src/registry/media-types.ts';

const BODY = Buffer.from('{}');

function digestOf(algorithm: 'sha256' | 'sha512', content: Buffer | string): Digest {
  return `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`;
}

describe('computeDigest', () => {
  it('is that of the bytes, in the algorithm asked for', () => {
    expect(computeDigest(BODY, OCI_INDEX)).toBe(digestOf('sha256', BODY));
    expect(hasDigest(BODY, OCI_INDEX, digestOf('sha512', BODY))).toBe(true);
    expect(hasDigest(BODY, OCI_INDEX, digestOf('sha256', 'other'))).toBe(false);
  });

  it('is that of the payload of a signed schema 1 manifest', () => {
    const payload = '{\n   "name": "a"\n}';
    const head = payload.slice(0, -2);
    const header = {
      formatLength: head.length,
      formatTail: Buffer.from(payload.slice(-2)).toString('base64url'),
    };
    const signature = Buffer.from(JSON.stringify(header)).toString('base64url');
    const signed = Buffer.from(`${head},\n   "signatures": [{"protected": "${signature}"}]\n}`);
    expect(computeDigest(signed, DOCKER_SCHEMA1_SIGNED)).toBe(digestOf('sha256', payload));
  });

  it.each([
    '{}',
    '',
    '{"signatures":[]}',
    '{"signatures":[{"protected":"e30"}]}',
    '{"signatures":[{"protected":"eyJmb3JtYXRMZW5ndGgiOjk5OTl9"}]}',
  ])('falls back to the bytes of %j', (text) => {
    const body = Buffer.from(text);
    expect(computeDigest(body, DOCKER_SCHEMA1_SIGNED)).toBe(digestOf('sha256', body));
  });
});
