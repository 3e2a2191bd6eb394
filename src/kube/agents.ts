/** Connection pools: one for calls, one for watches, rebuilt when the TLS material changes. */

import { Agent, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici';
import type { Credentials, Endpoint } from './credentials.ts';

/** Calls share few connections; a watch holds its own for minutes and would starve them. */
const CALL_CONNECTIONS = 8;

/** Shorter than the idle limits of usual load balancers. */
const KEEP_ALIVE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;

/** Watches hold a connection each for minutes; calls share a few. */
export type PoolName = 'calls' | 'watches';

interface Pools {
  readonly fingerprint: string;
  readonly calls: Dispatcher;
  readonly watches: Dispatcher;
}

/** The connection pools to one server. Owned by the transport, which closes them. */
export class AgentPools {
  readonly #endpoint: Endpoint;
  #pools: Pools | undefined;
  #retired: Dispatcher[] = [];

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** The pool to send with. Changed TLS material retires the old pools: what runs on them may finish. */
  dispatcher(pool: PoolName, credentials: Credentials): Dispatcher {
    if (this.#pools?.fingerprint !== credentials.fingerprint) {
      this.#retire();
      this.#pools = {
        fingerprint: credentials.fingerprint,
        calls: buildDispatcher(this.#endpoint, credentials, CALL_CONNECTIONS),
        watches: buildDispatcher(this.#endpoint, credentials, undefined),
      };
    }
    return this.#pools[pool];
  }

  /** Cuts every connection; later calls open new pools. */
  async destroy(): Promise<void> {
    this.#retire();
    const retired = this.#retired;
    this.#retired = [];
    await Promise.all(retired.map((dispatcher) => dispatcher.destroy()));
  }

  #retire(): void {
    if (this.#pools === undefined) return;
    for (const dispatcher of [this.#pools.calls, this.#pools.watches]) {
      this.#retired.push(dispatcher);
      // Ends when the last watch on it has ended: minutes, by the watch timeout.
      void dispatcher.close().then(
        () => {
          this.#retired = this.#retired.filter((each) => each !== dispatcher);
        },
        () => undefined,
      );
    }
    this.#pools = undefined;
  }
}

function buildDispatcher(
  endpoint: Endpoint,
  credentials: Credentials,
  connections: number | undefined,
): Dispatcher {
  const limits = {
    ...(connections === undefined ? {} : { connections }),
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Deadlines and watchdogs are ours, by the clock: two sets of timers would fight.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  const tls = Object.fromEntries(Object.entries(credentials.tls).filter(([, value]) => value !== undefined));
  const { proxyUrl } = endpoint;
  if (proxyUrl === undefined) {
    return new Agent({ ...limits, connect: { ...tls, timeout: CONNECT_TIMEOUT_MS, keepAlive: true } });
  }
  if (proxyUrl.startsWith('socks')) return new Socks5ProxyAgent(proxyUrl, { ...limits, requestTls: tls });
  return new ProxyAgent({ ...limits, uri: proxyUrl, requestTls: tls });
}
