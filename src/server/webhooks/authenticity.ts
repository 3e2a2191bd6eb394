/** Whether a delivery comes from who knows the secret, as far as its vendor can prove it. */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { err, ok, type Result } from '../../domain/result.ts';
import type { HeaderReader } from './format.ts';

/** What the Secret of a webhook holds. */
export interface HookSecret {
  /** The last segment of the path. */
  readonly token: string;
  /** Signs or accompanies each request, if the vendor can do that. */
  readonly secret?: string | undefined;
}

const SIGNATURE_HEADER = 'x-hub-signature-256';

/**
 * Secret: the path holds the token, which only those know who may send. Public: it is the one that the status of the
 * source shows to everybody who may read it.
 */
export type HookPath = 'Secret' | 'Public';

/**
 * GitHub always signs: with the secret, or with the token if there is none. All others must show the same in
 * `Authorization`, unless there is no secret of its own and the path proves that they know the token.
 */
export function verifyAuthenticity(
  { headers, body }: { readonly headers: HeaderReader; readonly body: Uint8Array },
  hook: HookSecret,
  path: HookPath,
): Result<undefined> {
  const key = hook.secret ?? hook.token;
  const signature = headers.get(SIGNATURE_HEADER);
  if (signature !== null || headers.get('x-github-event') !== null) {
    return isSigned(signature, body, key)
      ? ok(undefined)
      : err('the signature in X-Hub-Signature-256 is missing or wrong');
  }
  if (path === 'Secret' && hook.secret === undefined) return ok(undefined);
  return showsSecret(headers.get('authorization'), key)
    ? ok(undefined)
    : err('the Authorization header is missing or wrong');
}

/** Compared by digest: neither length nor content can be learned from the time it takes. */
export function isEqualSecret(left: string, right: string): boolean {
  return timingSafeEqual(sha256(left), sha256(right));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isSigned(signature: string | null, body: Uint8Array, key: string): boolean {
  const expected = `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
  return isEqualSecret(signature ?? '', expected);
}

/** As it is (Harbor), as a bearer token (Distribution), or as the password of Basic (EventBridge, Pub/Sub). */
function showsSecret(authorization: string | null, secret: string): boolean {
  const text = authorization ?? '';
  const bearer = text.replace(/^Bearer +/i, '');
  const basic = Buffer.from(text.replace(/^Basic +/i, ''), 'base64').toString('utf8');
  const password = basic.slice(basic.indexOf(':') + 1);
  // All three are compared, whatever the first says.
  return [text, bearer, password].map((candidate) => isEqualSecret(candidate, secret)).includes(true);
}
