/** Azure Container Registry with workload identity: federated token, Entra token, then the registry's refresh token. */

import { fetchJSON, textMember } from './json-answer.ts';
import {
  type CloudCredentials,
  type CloudProvider,
  type ProviderContext,
  providerError,
} from './provider.ts';

/** The variables that the workload identity webhook puts into the operator's pod. */
export interface AzureSettings {
  readonly clientID?: string;
  readonly tenantID?: string;
  readonly tokenFile?: string;
  /** `AZURE_AUTHORITY_HOST`; default https://login.microsoftonline.com/ */
  readonly authorityHost?: string;
  /** Where a registry's exchange endpoint is, for tests. */
  readonly registryURL?: (host: string) => string;
}

const HOST = /^[a-z0-9-]+(?:\.[a-z0-9-]+)?\.azurecr\.(?:io|cn|us|de)$/;
const SCOPE = 'https://containerregistry.azure.net/.default';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
/** The user name that goes with a refresh token of ACR. */
const USERNAME = '00000000-0000-0000-0000-000000000000';
/** Refresh tokens live three hours; the answer does not say so. */
const LIFETIME_MS = 3 * 3_600_000;

/** Serves hosts of Azure Container Registry, by AKS workload identity. */
export function azureProvider(settings: AzureSettings, context: ProviderContext): CloudProvider {
  return {
    serves: (host) => HOST.test(host),
    obtain: (host, signal) => obtain(host, signal, settings, context),
  };
}

async function obtain(
  host: string,
  signal: AbortSignal,
  settings: AzureSettings,
  context: ProviderContext,
): Promise<CloudCredentials> {
  const { tenantID = '', registryURL = (name: string) => `https://${name}` } = settings;
  const accessToken = await entraToken(host, signal, settings, context);
  const form = new URLSearchParams({
    grant_type: 'access_token',
    service: host,
    tenant: tenantID,
    access_token: accessToken,
  });
  const url = `${registryURL(host)}/oauth2/exchange`;
  const request = { method: 'POST', url, headers: FORM, body: form.toString(), signal } as const;
  const json = await fetchJSON(context.fetch, host, 'the token exchange', request);
  const token = textMember(json, 'refresh_token', host, 'the token exchange');
  return { credentials: { kind: 'identityToken', username: USERNAME, token }, lifetimeMs: LIFETIME_MS };
}

async function entraToken(
  host: string,
  signal: AbortSignal,
  settings: AzureSettings,
  { fetch, readFile }: ProviderContext,
): Promise<string> {
  const { clientID, tenantID, tokenFile, authorityHost = 'https://login.microsoftonline.com/' } = settings;
  if (clientID === undefined || tenantID === undefined || tokenFile === undefined) {
    throw providerError(host, 'the pod has no Azure workload identity', 401);
  }
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientID,
    client_assertion_type: ASSERTION,
    client_assertion: (await readFile(tokenFile)).trim(),
    scope: SCOPE,
  });
  const url = new URL(`${encodeURIComponent(tenantID)}/oauth2/v2.0/token`, authorityHost).href;
  const json = await fetchJSON(fetch, host, 'Entra ID', {
    method: 'POST',
    url,
    headers: FORM,
    body: form.toString(),
    signal,
  });
  return textMember(json, 'access_token', host, 'Entra ID');
}
