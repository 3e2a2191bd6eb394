/** Credentials from the cloud that the operator runs in: one small interface, one file a cloud. */

import type { Clock } from '../../clock.ts';
import { BoundedCache } from '../bounded-cache.ts';
import { RegistryError } from '../errors.ts';
import { credentialHost } from '../hub-hosts.ts';
import type { Credentials, Keychain } from '../keychain.ts';
import { SingleFlight } from '../single-flight.ts';
import type { CloudFetch } from './cloud-fetch.ts';

/** Credentials and how long they may be used. */
export interface CloudCredentials {
  readonly credentials: Credentials;
  readonly lifetimeMs: number;
}

/** What a provider works with; none of it comes from a custom resource. */
export interface ProviderContext {
  readonly fetch: CloudFetch;
  /** Reads a projected token; it rotates, so it is read each time. */
  readonly readFile: (path: string) => Promise<string>;
  readonly clock: Clock;
}

/** One cloud's way to its registries. */
export interface CloudProvider {
  /** Whether credentials for this host may be asked for; exact host names, so that no other host gets them. */
  serves(host: string): boolean;
  /** @throws RegistryError */
  obtain(host: string, signal: AbortSignal): Promise<CloudCredentials>;
}

const MAX_HOSTS = 1000;
/** Credentials are renewed this long before they end, or at half their life. */
const RENEWAL_MS = 5 * 60_000;

interface Cached {
  readonly credentials: Credentials;
  readonly renewAt: number;
}

/** A keychain over a provider: credentials are kept for most of their life and fetched once for all callers. */
export function providerKeychain(provider: CloudProvider, clock: Clock): Keychain {
  const cache = new BoundedCache<Cached>(MAX_HOSTS);
  const flights = new SingleFlight<Credentials>();
  const fetchAnew = async (host: string, signal: AbortSignal): Promise<Credentials> => {
    const { credentials, lifetimeMs } = await provider.obtain(host, signal);
    const usableMs = Math.max(lifetimeMs / 2, lifetimeMs - RENEWAL_MS);
    cache.set(host, { credentials, renewAt: clock.monotonic() + usableMs });
    return credentials;
  };
  return {
    async find({ registry }, signal = new AbortController().signal) {
      const host = credentialHost(registry);
      if (!provider.serves(host)) return [];
      const cached = cache.get(host);
      if (cached !== undefined && cached.renewAt > clock.monotonic()) return [cached.credentials];
      return [await flights.run(host, signal, (flight) => fetchAnew(host, flight))];
    },
  };
}

/** A cloud that gives no credentials is an authentication failure of the registry they were for. */
export function providerError(host: string, problem: string, status?: number): RegistryError {
  const isTemporary = status === undefined || status === 429 || status >= 500;
  return new RegistryError(`obtaining cloud credentials for ${host}: ${problem}`, {
    code: isTemporary ? 'UNAVAILABLE' : 'UNAUTHORIZED',
    registry: host,
    status,
  });
}
