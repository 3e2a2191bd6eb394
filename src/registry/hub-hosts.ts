/** The hosts of Docker Hub: what references call docker.io answers, and is written down, under several names. */

import { DEFAULT_REGISTRY } from '../domain/reference.ts';

/** Where the registry API of Docker Hub is. */
export const HUB_REGISTRY_HOST = 'registry-1.docker.io';
/** Where Docker Hub's own API is. */
export const HUB_WEB_HOST = 'hub.docker.com';

/** As logins name it; all mean docker.io. */
const ALIASES: ReadonlySet<string> = new Set([
  'index.docker.io',
  HUB_REGISTRY_HOST,
  'registry.hub.docker.com',
]);

/** `host[:port]` under which credentials are looked up: one name for Docker Hub. */
export function credentialHost(registry: string): string {
  const host = registry.toLowerCase();
  return host === '' || ALIASES.has(host) ? DEFAULT_REGISTRY : host;
}
