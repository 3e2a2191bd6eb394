/** Amazon ECR with a web identity (IRSA) or EKS Pod Identity: role credentials, then an authorization token by SigV4. */

import aws4 from 'aws4';
import type { JsonObject } from '../../json.ts';
import type { CloudRequest } from './cloud-fetch.ts';
import { fetchJSON, textMember } from './json-answer.ts';
import {
  type CloudCredentials,
  type CloudProvider,
  type ProviderContext,
  providerError,
} from './provider.ts';

/** The variables that EKS puts into the operator's pod. */
export interface AwsSettings {
  /** `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE` */
  readonly roleARN?: string;
  readonly tokenFile?: string;
  /** `AWS_CONTAINER_CREDENTIALS_FULL_URI` and `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` */
  readonly credentialsURI?: string;
  readonly credentialsTokenFile?: string;
  /** Where the APIs are, for tests; by default AWS's own hosts of the registry's region. */
  readonly endpoint?: (service: 'sts' | 'ecr', region: string, suffix: string) => string;
}

interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** account.dkr.ecr[-fips].region.amazonaws.com[.cn] */
const HOST =
  /^(?<account>[0-9]{12})\.dkr\.ecr(?<fips>-fips)?\.(?<region>[a-z0-9-]+)\.(?<suffix>amazonaws\.com(?:\.cn)?)$/;
const DEFAULT_LIFETIME_MS = 3_600_000;
const STS = 'the security token service';
const ECR = 'ECR';

/** Serves hosts of ECR; IRSA if its variables are there, else EKS Pod Identity. */
export function awsProvider(settings: AwsSettings, context: ProviderContext): CloudProvider {
  return {
    serves: (host) => HOST.test(host),
    obtain: (host, signal) => obtain(host, signal, settings, context),
  };
}

async function obtain(
  host: string,
  signal: AbortSignal,
  settings: AwsSettings,
  context: ProviderContext,
): Promise<CloudCredentials> {
  const { region = '', suffix = '', account = '' } = HOST.exec(host)?.groups ?? {};
  const endpoint = settings.endpoint ?? awsEndpoint;
  const role = await roleCredentials(
    { host, signal, stsURL: endpoint('sts', region, suffix) },
    settings,
    context,
  );
  const request = signedRequest(endpoint('ecr', region, suffix), region, account, role);
  const json = await fetchJSON(context.fetch, host, ECR, { ...request, signal });
  return readAuthorization(json, host, context);
}

function awsEndpoint(service: 'sts' | 'ecr', region: string, suffix: string): string {
  return service === 'sts' ? `https://sts.${region}.${suffix}/` : `https://api.ecr.${region}.${suffix}/`;
}

interface RoleQuestion {
  readonly host: string;
  readonly signal: AbortSignal;
  readonly stsURL: string;
}

async function roleCredentials(
  { host, signal, stsURL }: RoleQuestion,
  settings: AwsSettings,
  { fetch, readFile }: ProviderContext,
): Promise<RoleCredentials> {
  const { roleARN, tokenFile, credentialsURI, credentialsTokenFile } = settings;
  if (roleARN !== undefined && tokenFile !== undefined) {
    const url = new URL(stsURL);
    url.search = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
    }).toString();
    const body = new URLSearchParams({
      RoleArn: roleARN,
      RoleSessionName: 'larder',
      WebIdentityToken: (await readFile(tokenFile)).trim(),
    });
    const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
    const json = await fetchJSON(fetch, host, STS, {
      method: 'POST',
      url: url.href,
      headers,
      body: body.toString(),
      signal,
    });
    return readRole(assumedRole(json), host, 'SessionToken');
  }
  if (credentialsURI === undefined) throw providerError(host, 'the pod has no AWS identity', 401);
  const authorization =
    credentialsTokenFile === undefined ? '' : (await readFile(credentialsTokenFile)).trim();
  const headers = { accept: 'application/json', ...(authorization !== '' && { authorization }) };
  const json = await fetchJSON(fetch, host, 'the pod identity agent', {
    method: 'GET',
    url: credentialsURI,
    headers,
    signal,
  });
  return readRole(json, host, 'Token');
}

function assumedRole(json: JsonObject): JsonObject {
  const response = memberOf(
    memberOf(json, 'AssumeRoleWithWebIdentityResponse'),
    'AssumeRoleWithWebIdentityResult',
  );
  return memberOf(response, 'Credentials');
}

function memberOf(json: JsonObject, name: string): JsonObject {
  const value = json[name];
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}

function readRole(json: JsonObject, host: string, tokenName: string): RoleCredentials {
  return {
    accessKeyId: textMember(json, 'AccessKeyId', host, STS),
    secretAccessKey: textMember(json, 'SecretAccessKey', host, STS),
    sessionToken: textMember(json, tokenName, host, STS),
  };
}

function signedRequest(
  url: string,
  region: string,
  account: string,
  role: RoleCredentials,
): Omit<CloudRequest, 'signal'> {
  const { host, pathname } = new URL(url);
  const body = JSON.stringify({ registryIds: [account] });
  const signed = aws4.sign(
    {
      service: 'ecr',
      region,
      host,
      path: pathname,
      method: 'POST',
      body,
      headers: {
        'Content-Type': 'application/x-amz-json-1.1',
        'X-Amz-Target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
      },
    },
    role,
  );
  return { method: 'POST', url, headers: signed.headers as Record<string, string>, body };
}

/** `authorizationToken` is base64 of AWS:password. */
function readAuthorization(json: JsonObject, host: string, { clock }: ProviderContext): CloudCredentials {
  const list: unknown = json['authorizationData'];
  const first = Array.isArray(list) ? (list[0] as JsonObject | undefined) : undefined;
  const decoded = Buffer.from(textMember(first ?? {}, 'authorizationToken', host, ECR), 'base64').toString(
    'utf8',
  );
  const colon = decoded.indexOf(':');
  if (colon < 0) throw providerError(host, 'ECR gives no usable token', 422);
  const expiresAt = Number(first?.['expiresAt']) * 1000;
  const lifetimeMs = Number.isFinite(expiresAt) ? expiresAt - clock.now() : DEFAULT_LIFETIME_MS;
  const credentials = {
    kind: 'basic',
    username: decoded.slice(0, colon),
    password: decoded.slice(colon + 1),
  } as const;
  return { credentials, lifetimeMs: Math.max(0, lifetimeMs) };
}
