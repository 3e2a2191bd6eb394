/** Google Artifact Registry and Container Registry with the node's or the workload's identity (metadata server). */

import { fetchJSON, secondsMember, textMember } from './json-answer.ts';
import type { CloudProvider, ProviderContext } from './provider.ts';

/** Set by the environment of the pod. */
export interface GcpSettings {
  /** `GCE_METADATA_HOST`; default metadata.google.internal. */
  readonly metadataHost?: string;
}

const HOSTS = /^(?:(?:[a-z0-9-]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev|docker\.pkg\.dev)$/;
const TOKEN_PATH = '/computeMetadata/v1/instance/service-accounts/default/token';
const DEFAULT_LIFETIME_MS = 5 * 60_000;
const WHAT = 'the metadata server';

/** Serves hosts of Artifact Registry and Container Registry, by the metadata server. */
export function gcpProvider(
  { metadataHost = 'metadata.google.internal' }: GcpSettings,
  { fetch }: ProviderContext,
): CloudProvider {
  return {
    serves: (host) => HOSTS.test(host),
    async obtain(host, signal) {
      const url = `http://${metadataHost}${TOKEN_PATH}`;
      const json = await fetchJSON(fetch, host, WHAT, {
        method: 'GET',
        url,
        headers: { 'metadata-flavor': 'Google' },
        signal,
      });
      const password = textMember(json, 'access_token', host, WHAT);
      return {
        credentials: { kind: 'basic', username: 'oauth2accesstoken', password },
        lifetimeMs: secondsMember(json, 'expires_in', DEFAULT_LIFETIME_MS),
      };
    },
  };
}
