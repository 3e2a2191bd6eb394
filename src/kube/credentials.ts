/** Who we are to the API server: address, TLS material and authorization, re-read while we run. */

import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../clock.ts';

/** How long resolved credentials are used before files, tokens and plug-ins are asked again. */
const FRESH_MS = 60_000;

/** A 401 storm must not turn into a storm of exec plug-ins. */
const MIN_REFRESH_INTERVAL_MS = 5_000;

/** Options for a TLS connection; buffers and strings as `node:tls` takes them. */
export interface TlsMaterial {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
}

/** Headers and TLS material of one moment. Secret: never logged. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
  /** Equal fingerprints mean that connections may be shared. */
  readonly fingerprint: string;
}

/** Where the API server is and how to reach it. */
export interface Endpoint {
  readonly server: URL;
  readonly proxyUrl: string | undefined;
  /** Namespace of the current context, if it names one. */
  readonly namespace: string | undefined;
}

/** Port of the transport to whatever authenticates it. */
export interface CredentialSource {
  readonly endpoint: Endpoint;
  /** Credentials no older than a minute. */
  current(): Promise<Credentials>;
  /** Forgets tokens and files read so far, unless that happened a moment ago. */
  refresh(): Promise<Credentials>;
}

/** Which kubeconfig and which of its contexts. */
export interface KubeConfigOptions {
  /** Path of a kubeconfig; absent: KUBECONFIG, ~/.kube/config, then the pod's service account. */
  readonly file?: string | undefined;
  /** Context to use instead of the current one. */
  readonly context?: string | undefined;
}

/**
 * Reads the kubeconfig as kubectl would.
 * @throws Error if the file cannot be read or has no such context.
 */
export function loadKubeConfig(options: KubeConfigOptions = {}): KubeConfig {
  const config = new KubeConfig();
  if (options.file === undefined) config.loadFromDefault();
  else config.loadFromFile(options.file);
  if (options.context !== undefined) config.setCurrentContext(options.context);
  if (config.getCurrentCluster() === null) {
    throw new Error(`loading kubeconfig: context ${JSON.stringify(config.currentContext)} names no cluster`);
  }
  return config;
}

/** Credentials from a kubeconfig. `load` is called again on refresh, so that rotated files and tokens are seen. */
export class KubeConfigCredentials implements CredentialSource {
  readonly endpoint: Endpoint;
  readonly #clock: Clock;
  readonly #load: () => KubeConfig;
  #config: KubeConfig;
  #cached: Promise<Credentials> | undefined;
  #resolvedAt = 0;
  #reloadedAt: number;

  /** @throws Error if the server is plain HTTP and not on loopback. */
  constructor(clock: Clock, load: () => KubeConfig = loadKubeConfig) {
    this.#clock = clock;
    this.#load = load;
    this.#config = load();
    this.#reloadedAt = Number.NEGATIVE_INFINITY;
    this.endpoint = endpointOf(this.#config);
  }

  current(): Promise<Credentials> {
    const now = this.#clock.monotonic();
    if (this.#cached !== undefined && now - this.#resolvedAt < FRESH_MS) return this.#cached;
    return this.#resolve(now);
  }

  refresh(): Promise<Credentials> {
    const now = this.#clock.monotonic();
    if (this.#cached !== undefined && now - this.#reloadedAt < MIN_REFRESH_INTERVAL_MS) return this.#cached;
    this.#reloadedAt = now;
    try {
      this.#config = this.#load();
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    return this.#resolve(now);
  }

  #resolve(now: number): Promise<Credentials> {
    this.#resolvedAt = now;
    const resolved = resolveCredentials(this.#config);
    this.#cached = resolved;
    resolved.catch(() => {
      if (this.#cached === resolved) this.#cached = undefined;
    });
    return resolved;
  }
}

function endpointOf(config: KubeConfig): Endpoint {
  const cluster = config.getCurrentCluster();
  const server = new URL(cluster?.server ?? '');
  if (server.protocol === 'http:' && !isLoopback(server.hostname)) {
    throw new Error(`connecting to ${server.origin}: plain HTTP is allowed on loopback only`);
  }
  return {
    server,
    proxyUrl: cluster?.proxyUrl ?? undefined,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? undefined,
  };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

async function resolveCredentials(config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = {};
  await allowLoopbackHttp(config).applyToHTTPSOptions(options);
  const tls: TlsMaterial = {
    ca: pem(options.ca),
    cert: pem(options.cert),
    key: pem(options.key),
    servername: options.servername,
    rejectUnauthorized: options.rejectUnauthorized,
  };
  return {
    headers: headersOf(options),
    tls,
    fingerprint: createHash('sha256').update(JSON.stringify(tls)).digest('hex'),
  };
}

/** client-node refuses `http:` unless TLS verification is off, a switch that has no meaning without TLS. */
function allowLoopbackHttp(config: KubeConfig): KubeConfig {
  const cluster = config.getCurrentCluster();
  if (cluster === null || !cluster.server.startsWith('http:') || cluster.skipTLSVerify) return config;
  const adapted = new KubeConfig();
  adapted.loadFromOptions({
    clusters: config.clusters.map((each) => ({ ...each, skipTLSVerify: true })),
    users: config.users,
    contexts: config.contexts,
    currentContext: config.currentContext,
  });
  return adapted;
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim();
  }
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  return headers;
}

function pem(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : undefined;
}
