/** From `spec.access` to a way into the registry: the single place that reads Secrets. */

import type { Access, Provider } from '../api/access.ts';
import type { Immutable } from '../api/immutable.ts';
import type { AccessReason } from '../api/reasons.ts';
import { ApiError } from '../kube/api-error.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject, ResourceType } from '../kube/resource.ts';
import { WaitingError } from '../kube/result.ts';
import { type AccessOptions, anonymousAccess, buildAccess, type RegistryAccess } from '../registry/access.ts';
import { isRegistryError } from '../registry/errors.ts';
import { basicAuthKeychain, joinKeychains, type Keychain, parseDockerConfig } from '../registry/keychain.ts';

/** What a missing or unusable object costs before it is looked for again; nothing watches Secrets. */
const RETRY_MS = 30_000;

interface StoredObject extends KubeObject {
  /** Of a Secret. */
  readonly type?: string;
  /** Base64 in a Secret, text in a ConfigMap. */
  readonly data?: Readonly<Record<string, string>>;
  /** Of a ServiceAccount. */
  readonly imagePullSecrets?: readonly { readonly name: string }[];
}

type Kind = 'Secret' | 'ConfigMap' | 'ServiceAccount';

function coreType(kind: Kind, plural: string): ResourceType<StoredObject> {
  return { group: '', version: 'v1', kind, plural, namespaced: true };
}

const TYPES: Readonly<Record<Kind, ResourceType<StoredObject>>> = {
  Secret: coreType('Secret', 'secrets'),
  ConfigMap: coreType('ConfigMap', 'configmaps'),
  ServiceAccount: coreType('ServiceAccount', 'serviceaccounts'),
};

const NOT_FOUND: Readonly<Record<Kind, AccessReason>> = {
  Secret: 'SecretNotFound',
  ConfigMap: 'CABundleInvalid',
  ServiceAccount: 'ServiceAccountNotFound',
};

const DOCKER_CONFIG_KEYS: Readonly<Record<string, string>> = {
  'kubernetes.io/dockerconfigjson': '.dockerconfigjson',
  'kubernetes.io/dockercfg': '.dockercfg',
};

/** Who asks: the objects that `access` names lie in this namespace, the credentials are for this registry. */
export interface AccessRequest {
  readonly namespace: string;
  readonly registry: string;
  /** Where known: docker configs may be for one repository only. */
  readonly repository?: string;
  readonly access: Immutable<Access>;
  readonly signal: AbortSignal;
}

export interface SecretTextRequest extends Pick<AccessRequest, 'namespace' | 'signal'> {
  /** Of the Secret. */
  readonly name: string;
  readonly key: string;
}

/** What an object's `access` grants. */
export interface Grant {
  readonly access: RegistryAccess;
  /** Basic-auth Secrets that pulls would depend on: the kubelet ignores them. Empty if another one serves pulls. */
  readonly unusableByKubelet: readonly string[];
}

/** Workload identities of the operator's own pod, by `access.provider`. */
export type CloudKeychains = Readonly<Partial<Record<Provider, Keychain>>>;

/** Reads what an object's `access` names, anew in each pass: a rotated Secret counts at once. */
export class AccessReader {
  readonly #client: KubeClient;
  readonly #clouds: CloudKeychains;
  readonly #operatorNamespace: string;

  /** `operatorNamespace` stands in the command that allows what we may not read. */
  constructor(client: KubeClient, clouds: CloudKeychains = {}, operatorNamespace = 'larder-system') {
    this.#client = client;
    this.#clouds = clouds;
    this.#operatorNamespace = operatorNamespace;
  }

  /** @throws WaitingError with an AccessReason if something is missing, unusable, or not ours to read */
  async read(request: AccessRequest): Promise<RegistryAccess> {
    return (await this.grant(request)).access;
  }

  /** As `read`, with what it means for pulls. @throws WaitingError as `read` */
  async grant(request: AccessRequest): Promise<Grant> {
    const { plainHTTP, provider } = request.access;
    const secrets = await this.#pullSecrets(request);
    const cloud = this.#clouds[provider];
    if (cloud !== undefined) await checkIdentity(cloud, request);
    const keychains = [...secrets.map(({ keychain }) => keychain), ...(cloud === undefined ? [] : [cloud])];
    const trust = { ...(await this.#trust(request)), ...(await this.#proxy(request)) };
    const isPlain = keychains.length === 0 && !plainHTTP && Object.keys(trust).length === 0;
    return {
      access: isPlain
        ? anonymousAccess
        : buildAccess({ credentials: joinKeychains(keychains), plainHTTP, ...trust }),
      unusableByKubelet: await findUnusable(secrets, request),
    };
  }

  /** The text under one key of a Secret. @throws WaitingError if there is none, or it is not ours to read */
  async secretText({ namespace, name, key, signal }: SecretTextRequest): Promise<string> {
    const secret = await this.#get({ namespace, signal }, 'Secret', name);
    const text = decode(secret, key);
    if (text === undefined || text === '') throw waiting('SecretInvalid', `Secret ${name} lacks key ${key}`);
    return text;
  }

  async #pullSecrets(request: AccessRequest): Promise<readonly PullSecret[]> {
    const { access } = request;
    const names = (access.pullSecretRefs ?? []).map(({ name }) => name);
    if (access.serviceAccountName !== undefined) {
      const account = await this.#get(request, 'ServiceAccount', access.serviceAccountName);
      names.push(...(account.imagePullSecrets ?? []).map(({ name }) => name));
    }
    return Promise.all([...new Set(names)].map((name) => this.#pullSecret(request, name)));
  }

  async #pullSecret(request: AccessRequest, name: string): Promise<PullSecret> {
    const secret = await this.#get(request, 'Secret', name);
    const { type = 'Opaque' } = secret;
    if (type === 'kubernetes.io/basic-auth') {
      const username = decode(secret, 'username');
      if (username === undefined) throw waiting('SecretInvalid', `Secret ${name} lacks key username`);
      const keychain = basicAuthKeychain(request.registry, username, decode(secret, 'password') ?? '');
      return { name, usableByKubelet: false, keychain };
    }
    const key = DOCKER_CONFIG_KEYS[type];
    if (key !== undefined)
      return { name, usableByKubelet: true, keychain: readDockerConfig(name, decode(secret, key)) };
    throw waiting('SecretInvalid', `Secret ${name} has type ${type}; use kubernetes.io/dockerconfigjson`);
  }

  async #trust(request: AccessRequest): Promise<AccessOptions> {
    const { caBundleRef, clientCertSecretRef } = request.access;
    let options: AccessOptions = {};
    if (caBundleRef !== undefined) {
      const { kind, name, key } = caBundleRef;
      const bundle = await this.#get(request, kind, name);
      const ca = kind === 'Secret' ? decode(bundle, key) : bundle.data?.[key];
      if (ca?.includes('BEGIN CERTIFICATE') !== true) {
        throw waiting('CABundleInvalid', `${kind} ${name} holds no PEM certificate under key ${key}`);
      }
      options = { ca };
    }
    if (clientCertSecretRef === undefined) return options;
    const secret = await this.#get(request, 'Secret', clientCertSecretRef.name);
    const certificate = decode(secret, 'tls.crt');
    const key = decode(secret, 'tls.key');
    if (certificate === undefined || key === undefined) {
      throw waiting('SecretInvalid', `Secret ${clientCertSecretRef.name} lacks tls.crt or tls.key`);
    }
    return { ...options, clientCertificate: { certificate, key } };
  }

  async #proxy(request: AccessRequest): Promise<AccessOptions> {
    const name = request.access.proxySecretRef?.name;
    if (name === undefined) return {};
    const secret = await this.#get(request, 'Secret', name);
    const url = decode(secret, 'address');
    if (url === undefined || !isProxyAddress(url)) {
      throw waiting('SecretInvalid', `Secret ${name} has no http or https URL of a proxy under key address`);
    }
    const username = decode(secret, 'username');
    const password = decode(secret, 'password');
    return {
      proxy: {
        url,
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
      },
    };
  }

  async #get(
    { namespace, signal }: Pick<AccessRequest, 'namespace' | 'signal'>,
    kind: Kind,
    name: string,
  ): Promise<StoredObject> {
    try {
      const found = await this.#client.get(TYPES[kind], { namespace, name }, { signal });
      if (found !== undefined) return found;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 403) throw error;
      const message = deniedMessage(kind, { namespace, name }, this.#operatorNamespace);
      throw waiting('SecretAccessDenied', message);
    }
    throw waiting(NOT_FOUND[kind], missingMessage(kind, namespace, name));
  }
}

/** A Secret of `pullSecretRefs` or of the service account. */
interface PullSecret {
  readonly name: string;
  readonly usableByKubelet: boolean;
  readonly keychain: Keychain;
}

/** Asked for before anything else: a cloud that gives no token is not a registry that refuses one. */
async function checkIdentity(
  cloud: Keychain,
  { registry, repository = '', access, signal }: AccessRequest,
): Promise<void> {
  try {
    await cloud.find({ registry, repository }, signal);
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    throw waiting('IdentityUnavailable', `access.provider ${access.provider}: ${error.message}`);
  }
}

/** Basic-auth Secrets, unless a docker config holds credentials for the same repository. */
async function findUnusable(
  secrets: readonly PullSecret[],
  { registry, repository = '', signal }: AccessRequest,
): Promise<readonly string[]> {
  const ignored = secrets.filter(({ usableByKubelet }) => !usableByKubelet);
  if (ignored.length === 0) return [];
  for (const { usableByKubelet, keychain } of secrets) {
    if (usableByKubelet && (await keychain.find({ registry, repository }, signal)).length > 0) return [];
  }
  return ignored.map(({ name }) => name);
}

function isProxyAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function deniedMessage(
  kind: Kind,
  { namespace, name }: Readonly<Record<'namespace' | 'name', string>>,
  operatorNamespace: string,
): string {
  const command =
    `kubectl create rolebinding larder-credentials -n ${namespace} ` +
    `--clusterrole=larder-credential-reader --serviceaccount=${operatorNamespace}:larder`;
  return `Larder may not read ${kind} ${name} in namespace ${namespace}; allow it with: ${command}`;
}

/** The message says how to make what is most often forgotten. */
function missingMessage(kind: Kind, namespace: string, name: string): string {
  const missing = `${kind} ${name} does not exist in namespace ${namespace}`;
  if (kind !== 'Secret') return missing;
  const command =
    `kubectl create secret docker-registry ${name} -n ${namespace} ` +
    '--docker-server=HOST --docker-username=USER --docker-password=PASSWORD';
  return `${missing}; pull credentials are made with: ${command}`;
}

function readDockerConfig(name: string, json: string | undefined): Keychain {
  const parsed = parseDockerConfig(json ?? '');
  if (parsed.ok) return parsed.value;
  throw waiting('SecretInvalid', `Secret ${name}: ${parsed.error}`);
}

function decode(secret: StoredObject, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}

function waiting(reason: AccessReason, message: string): WaitingError {
  return new WaitingError(reason, message, RETRY_MS);
}
