/** Content digests: `algorithm ":" hex`, sha256 and sha512 only. */

import { ok, type Problem, type Result, refuse } from './result.ts';

export const DIGEST_ALGORITHMS = ['sha256', 'sha512'] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

/** A digest that passed `validateDigest`: lower-case hex of the algorithm's full length. */
export type Digest = `${DigestAlgorithm}:${string}`;

const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };

/** Thrown by `parseDigest`. */
export class InvalidDigestError extends Error {
  override readonly name = 'InvalidDigestError';
  readonly position: number;

  constructor(text: string, problem: Problem) {
    super(`parsing digest ${JSON.stringify(text)}: ${problem.message}`);
    this.position = problem.position;
  }
}

export function isDigestAlgorithm(text: string): text is DigestAlgorithm {
  return (DIGEST_ALGORITHMS as readonly string[]).includes(text);
}

export function validateDigest(text: string): Result<Digest, Problem> {
  const colon = text.indexOf(':');
  if (colon < 0) return refuse('a digest is algorithm:hex');
  const algorithm = text.slice(0, colon);
  if (!isDigestAlgorithm(algorithm)) {
    return refuse(`the algorithm must be ${DIGEST_ALGORITHMS.join(' or ')}`);
  }
  const wrong = text.slice(colon + 1).search(/[^0-9a-f]/);
  if (wrong >= 0) return refuse('only the hex digits 0-9 and a-f may follow', colon + 1 + wrong);
  const length = text.length - colon - 1;
  if (length !== HEX_LENGTH[algorithm]) {
    return refuse(`${algorithm} has ${HEX_LENGTH[algorithm]} hex digits, not ${length}`, colon + 1);
  }
  return ok(text as Digest);
}

/** @throws InvalidDigestError */
export function parseDigest(text: string): Digest {
  const result = validateDigest(text);
  if (!result.ok) throw new InvalidDigestError(text, result.error);
  return result.value;
}

export function isValidDigest(text: string): text is Digest {
  return validateDigest(text).ok;
}

/** The text form from algorithm and lower-case hex; the inverse of `splitDigest`. */
export function formatDigest(algorithm: DigestAlgorithm, hex: string): Digest {
  return `${algorithm}:${hex}`;
}

export function splitDigest(digest: Digest): { readonly algorithm: DigestAlgorithm; readonly hex: string } {
  const colon = digest.indexOf(':');
  return { algorithm: digest.slice(0, colon) as DigestAlgorithm, hex: digest.slice(colon + 1) };
}
