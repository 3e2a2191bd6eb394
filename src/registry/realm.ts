/** Where credentials may be taken for a token: https, and the registry's own registrable domain or an allow-listed host. */

import { isIP } from 'node:net';
import { getDomain } from 'tldts';
import { err, ok, type Result } from '../domain/result.ts';
import { classifyAddress } from './address-policy.ts';

/** Set by the administrator, never by a custom resource. */
export interface RealmPolicy {
  /** `--allow-realm`: host names of token services that any registry may use. */
  readonly allowedHosts: ReadonlySet<string>;
}

/** A token service as a challenge names it, and who would be sent there. */
export interface RealmQuestion {
  readonly realm: string;
  readonly registryURL: URL;
  readonly plainHTTP: boolean;
  /** Without credentials there is nothing to steal: any https realm will do (the address policy still holds). */
  readonly hasCredentials: boolean;
}

/** The realm as a URL, or why it is refused; the reason names hosts, never queries. */
export function checkRealm(
  { realm, registryURL, plainHTTP, hasCredentials }: RealmQuestion,
  policy: RealmPolicy,
): Result<URL> {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url === undefined) return err('the token realm is not a URL');
  if (url.username !== '' || url.password !== '') return err('the token realm carries user information');
  if (url.protocol !== 'https:' && !isPlainAllowed(url, registryURL, plainHTTP)) {
    return err(`the token realm ${url.host} is not https`);
  }
  const isTrusted = policy.allowedHosts.has(url.hostname) || isSameSite(url.hostname, registryURL.hostname);
  if (hasCredentials && !isTrusted) return err(`the token realm ${url.host} is not of the registry's domain`);
  return ok(url);
}

/**
 * Plain http to `url`: only with plainHTTP, and only if it is the very origin that already speaks it, or both are
 * loopback.
 */
export function isPlainAllowed(url: URL, from: URL, plainHTTP: boolean): boolean {
  if (url.protocol !== 'http:' || !plainHTTP || from.protocol !== 'http:') return false;
  return url.origin === from.origin || (isLoopback(url.hostname) && isLoopback(from.hostname));
}

/** Same host, or same registrable domain (public suffix list with its private part: a.github.io is not b.github.io). */
export function isSameSite(a: string, b: string): boolean {
  if (a === b) return true;
  if (isAddress(a) || isAddress(b)) return false;
  const domain = getDomain(a, { allowPrivateDomains: true });
  return domain !== null && domain === getDomain(b, { allowPrivateDomains: true });
}

function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return true;
  return isAddress(hostname) && classifyAddress(hostname) === 'loopback';
}

function isAddress(hostname: string): boolean {
  return isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
}
