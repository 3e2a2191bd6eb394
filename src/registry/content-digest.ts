/** Computes and checks digests of manifest bodies. */

import { createHash } from 'node:crypto';
import { type Digest, type DigestAlgorithm, formatDigest, splitDigest } from '../domain/digest.ts';
import { DOCKER_SCHEMA1_SIGNED } from './media-types.ts';

/** Of the bytes as they came; of a signed schema 1 manifest the signed payload counts, without the signatures. */
export function computeDigest(
  body: Buffer,
  mediaType: string,
  algorithm: DigestAlgorithm = 'sha256',
): Digest {
  const payload = mediaType === DOCKER_SCHEMA1_SIGNED ? (signedPayload(body) ?? body) : body;
  return formatDigest(algorithm, createHash(algorithm).update(payload).digest('hex'));
}

/** Whether the body has this digest, by the algorithm that the digest itself names. */
export function hasDigest(body: Buffer, mediaType: string, digest: Digest): boolean {
  return computeDigest(body, mediaType, splitDigest(digest).algorithm) === digest;
}

/**
 * libtrust: `protected` of a signature holds base64url JSON with `formatLength` (bytes kept from the start) and
 * `formatTail` (base64url of what followed before the signatures were added).
 */
function signedPayload(body: Buffer): Buffer | undefined {
  try {
    const { signatures } = JSON.parse(body.toString('utf8')) as { signatures: { protected: string }[] };
    const header = Buffer.from(signatures[0]?.protected ?? '', 'base64url').toString('utf8');
    const { formatLength, formatTail } = JSON.parse(header) as { formatLength: number; formatTail: string };
    if (!Number.isSafeInteger(formatLength) || formatLength > body.length) return undefined;
    return Buffer.concat([body.subarray(0, formatLength), Buffer.from(formatTail, 'base64url')]);
  } catch {
    return undefined;
  }
}
