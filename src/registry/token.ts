/** Reads what a token service answers. */

import * as z from 'zod';
import { parseJSON } from '../json.ts';

/** RFC 6749 and the distribution token specification name the token differently; both are in use. */
const TOKEN_ANSWER = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});

/** A bearer token and how long it may be used. */
export interface Token {
  readonly value: string;
  readonly lifetimeMs: number;
}

/** The specification: absent means 60 seconds, and none is issued for less. */
const DEFAULT_LIFETIME_SECONDS = 60;
/** Nothing is kept longer, whatever the service says. */
const MAX_LIFETIME_SECONDS = 12 * 3600;
/** A token that will expire on the way is not worth sending. */
const SAFETY_SECONDS = 5;

/** undefined if the body is no token answer, or the token could not stand in a header. */
export function readToken(body: Buffer): Token | undefined {
  const answer = TOKEN_ANSWER.safeParse(parseJSON(body));
  if (!answer.success) return undefined;
  const { token, access_token: accessToken, expires_in: expiresIn = DEFAULT_LIFETIME_SECONDS } = answer.data;
  const value = token || accessToken || '';
  if (!/^[\x21-\x7e]+$/.test(value)) return undefined;
  const seconds = Math.min(Math.max(expiresIn, DEFAULT_LIFETIME_SECONDS), MAX_LIFETIME_SECONDS);
  return { value, lifetimeMs: (seconds - SAFETY_SECONDS) * 1000 };
}
