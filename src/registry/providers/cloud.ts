/** The clouds by the names that `access.provider` uses, set up from the variables their webhooks put into the pod. */

import { readFile } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import type { Keychain } from '../keychain.ts';
import { type AwsSettings, awsProvider } from './aws.ts';
import { type AzureSettings, azureProvider } from './azure.ts';
import { openCloudFetch } from './cloud-fetch.ts';
import { type GcpSettings, gcpProvider } from './gcp.ts';
import { type CloudProvider, type ProviderContext, providerKeychain } from './provider.ts';

/** As `access.provider` names them. */
export const CLOUDS = ['GCP', 'AWS', 'Azure'] as const;
/** One of `CLOUDS`. */
export type Cloud = (typeof CLOUDS)[number];

/** What the environment of the pod tells of each cloud. */
export interface CloudSettings {
  readonly gcp: GcpSettings;
  readonly aws: AwsSettings;
  readonly azure: AzureSettings;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the variables of all three clouds; those of the others are absent. */
export function readCloudSettings(environment: Environment): CloudSettings {
  const pick = (names: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    Object.fromEntries(
      Object.entries(names).flatMap(([field, name]) => {
        const value = environment[name];
        return value === undefined || value === '' ? [] : [[field, value]];
      }),
    );
  return {
    gcp: pick({ metadataHost: 'GCE_METADATA_HOST' }),
    aws: pick({
      roleARN: 'AWS_ROLE_ARN',
      tokenFile: 'AWS_WEB_IDENTITY_TOKEN_FILE',
      credentialsURI: 'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      credentialsTokenFile: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
    }),
    azure: pick({
      clientID: 'AZURE_CLIENT_ID',
      tenantID: 'AZURE_TENANT_ID',
      tokenFile: 'AZURE_FEDERATED_TOKEN_FILE',
      authorityHost: 'AZURE_AUTHORITY_HOST',
    }),
  };
}

/** One keychain a cloud, each with its own cache: build them once per process and share them. */
export function openCloudKeychains(settings: CloudSettings, clock: Clock): Readonly<Record<Cloud, Keychain>> {
  const context: ProviderContext = {
    fetch: openCloudFetch(),
    readFile: (path) => readFile(path, 'utf8'),
    clock,
  };
  const open = (provider: CloudProvider): Keychain => providerKeychain(provider, clock);
  return {
    GCP: open(gcpProvider(settings.gcp, context)),
    AWS: open(awsProvider(settings.aws, context)),
    Azure: open(azureProvider(settings.azure, context)),
  };
}
