/** Connection pools by access and address policy; a connection goes to the address that was checked, never resolved twice. */

import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import { Agent, buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import type { ProxySettings, RegistryAccess } from './access.ts';
import {
  type AddressClass,
  AddressPolicy,
  AddressRefusedError,
  classifyAddress,
  REGISTRY_CLASSES,
} from './address-policy.ts';
import { BoundedCache } from './bounded-cache.ts';

/** Resolves a host name to all its addresses; `dns.lookup` in production. */
export type ResolveHost = (
  hostname: string,
  callback: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
const MAX_POOLS = 256;
const PUBLIC_ONLY: ReadonlySet<AddressClass> = new Set(['public']);

const systemResolve: ResolveHost = (hostname, callback) => {
  systemLookup(hostname, { all: true }, callback);
};

/** Both have defaults; tests hand in their own resolver. */
export interface ConnectionSettings {
  readonly policy?: AddressPolicy;
  readonly resolve?: ResolveHost;
}

/** What may be connected to: the registry itself, or a host that the registry at `pointedAtBy` named. */
export type Target =
  | { readonly kind: 'registry' }
  | { readonly kind: 'foreign'; readonly pointedAtBy: string };

/** Pools of connections, each checked against the address policy when it is opened. */
export class Connections {
  readonly #policy: AddressPolicy;
  readonly #resolve: ResolveHost;
  readonly #pools = new BoundedCache<Dispatcher>(MAX_POOLS, (pool) => void this.#retire(pool));
  readonly #open = new Set<Dispatcher>();
  /** Classes of the addresses each registry host name had when it was last resolved. */
  readonly #seenAt = new BoundedCache<ReadonlySet<AddressClass>>(10_000);

  constructor({ policy = new AddressPolicy(), resolve = systemResolve }: ConnectionSettings = {}) {
    this.#policy = policy;
    this.#resolve = resolve;
  }

  /**
   * The pool for requests to `hostname`; kept alive and shared by equal accesses.
   * @throws AddressRefusedError for an address that is forbidden; a name is checked when it is resolved, unless a
   * proxy does that
   */
  get(access: RegistryAccess, target: Target, hostname: string): Dispatcher {
    const granted = this.#granted(target);
    const host = bareHost(hostname);
    if (isIP(host) !== 0 && !this.#policy.allows(host, granted)) throw refusal();
    const key = [access.identity, target.kind, ...[...granted].sort()].join(' ');
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const pool = this.#build(access, granted, target.kind === 'registry');
    this.#pools.set(key, pool);
    this.#open.add(pool);
    return pool;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((pool) => pool.destroy()));
    this.#open.clear();
  }

  /** Requests on their way come to an end first. */
  async #retire(pool: Dispatcher): Promise<void> {
    await pool.close();
    this.#open.delete(pool);
  }

  /** A registry with any public address gets no way to private ones: whoever runs it may point its name anywhere. */
  #granted(target: Target): ReadonlySet<AddressClass> {
    if (target.kind === 'registry') return REGISTRY_CLASSES;
    const seen = this.#seenAt.get(bareHost(target.pointedAtBy)) ?? new Set();
    return seen.has('public') ? PUBLIC_ONLY : new Set<AddressClass>(['public', ...seen]);
  }

  #build(access: RegistryAccess, granted: ReadonlySet<AddressClass>, isRegistry: boolean): Dispatcher {
    const note = isRegistry ? this.#note.bind(this) : () => undefined;
    const tls = tlsOptions(access);
    const common = { keepAliveTimeout: KEEP_ALIVE_MS, allowH2: false, connections: 8, pipelining: 1 };
    if (access.proxy !== undefined) return buildProxyAgent(access.proxy, tls, common);
    return new Agent({ ...common, connect: this.#connector(tls, granted, note) });
  }

  #connector(
    tls: buildConnector.BuildOptions,
    granted: ReadonlySet<AddressClass>,
    note: (hostname: string, addresses: readonly string[]) => void,
  ): buildConnector.connector {
    const check = (hostname: string, addresses: readonly LookupAddress[]): readonly LookupAddress[] => {
      const allowed = addresses.filter(({ address }) => this.#policy.allows(address, granted));
      const found = allowed.map(({ address }) => address);
      if (found.length > 0) note(hostname, found);
      return allowed;
    };
    const lookup = (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
      this.#resolve(hostname, (error, addresses) => {
        const allowed = error === null ? check(hostname, addresses) : [];
        const [first] = allowed;
        if (first === undefined) callback(error ?? refusal(), '', 0);
        else if (options.all === true) callback(null, [...allowed]);
        else callback(null, first.address, first.family);
      });
    };
    const connect = buildConnector({
      ...tls,
      allowH2: false,
      timeout: CONNECT_TIMEOUT_MS,
      lookup,
    });
    return (options, callback) => {
      const hostname = bareHost(options.hostname);
      // net.connect asks no lookup about a literal address, which was checked already.
      if (isIP(hostname) !== 0) note(hostname, [hostname]);
      connect(options, callback);
    };
  }

  /** An address that only --allow-cidr permits opens nothing for others. */
  #note(hostname: string, addresses: readonly string[]): void {
    const classes = addresses.map(classifyAddress).filter((found) => found !== 'forbidden');
    this.#seenAt.set(hostname, new Set(classes));
  }
}

/** An IPv6 literal without its brackets. */
function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

function refusal(): AddressRefusedError {
  return new AddressRefusedError('the host resolves to no address that policy allows');
}

function tlsOptions({ ca, clientCertificate }: RegistryAccess): buildConnector.BuildOptions {
  return {
    ...(ca !== undefined && { ca: [...getCACertificates('default'), ca] }),
    ...(clientCertificate && { cert: clientCertificate.certificate, key: clientCertificate.key }),
  };
}

/** The proxy resolves names itself: only it can keep us from private hosts. */
function buildProxyAgent(
  { url, username, password }: ProxySettings,
  requestTls: buildConnector.BuildOptions,
  common: Agent.Options,
): Dispatcher {
  const token = `Basic ${Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')}`;
  return new ProxyAgent({ ...common, uri: url, requestTls, ...(username !== undefined && { token }) });
}
