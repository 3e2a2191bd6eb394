/** The HTTP server: one port for all groups of routes, on every replica, with limits against slow and greedy clients. */

import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Clock } from '../clock.ts';
import { sleep } from '../clock.ts';
import type { Logger } from '../kube/logger.ts';
import { buildApp, type Fetch } from './app.ts';
import type { Authorizer } from './authorize.ts';
import {
  type CertificatePair,
  type CertificatePaths,
  readCertificate,
  watchCertificate,
} from './certificate-files.ts';
import { ClientLimiter, clientOf } from './client-limiter.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { ProblemError, problemOf, problemResponse } from './problem.ts';
import type { RouteGroup } from './route-group.ts';

/** What one listening port serves. */
export interface HttpServerOptions {
  readonly groups: readonly RouteGroup[];
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: HttpMetrics;
  readonly isReady: () => boolean;
  /** Absent: all addresses. */
  readonly host?: string | undefined;
  /** 0 takes a free port. */
  readonly port: number;
  /** Absent: plain HTTP. */
  readonly tls?: CertificatePaths | undefined;
  /** Requests a second that one client may send; 0: no limit. */
  readonly ratePerClient: number;
  readonly accessLog: boolean;
}

/** `port` is the one taken, also if 0 was asked for. */
export interface HttpServer {
  readonly port: number;
  /** Ends streams, lets answers that are under way end, then closes. */
  close(): Promise<void>;
}

/** Twice the rate, and never less than a page with its parts needs. */
const BURST_SECONDS = 2;
const MIN_BURST = 20;
/** Node checks every `connectionsCheckingInterval`: a request is cut that much later at most. */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 32_768,
};
/** A connection on which nothing moves, in either direction. */
const IDLE_MS = 90_000;
const MAX_CONNECTIONS = 4_096;
const MAX_CONNECTIONS_PER_CLIENT = 256;
const MAX_REQUESTS_PER_CONNECTION = 10_000;
/** For answers under way when the server closes, and how often it is looked whether they have ended. */
const CLOSE_MS = 5_000;
const LOOK_MS = 50;

/** @throws Error if the port cannot be taken or the certificate cannot be used */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { clock, log, metrics, tls } = options;
  const closing = new AbortController();
  const pair = tls === undefined ? undefined : await readCertificate(tls);
  const { ratePerClient: rate } = options;
  const limiter = new ClientLimiter(clock, { rate, burst: Math.max(MIN_BURST, rate * BURST_SECONDS) });
  const fetch = buildApp({ ...options, limiter, closing: closing.signal, secure: pair !== undefined });
  const server = createNodeServer(fetch, pair);
  limitConnections(server, metrics);
  await listen(server, options);
  if (tls !== undefined && pair !== undefined) {
    const onChange = (next: CertificatePair): void => {
      (server as SecureServer).setSecureContext(next);
    };
    void watchCertificate({ paths: tls, current: pair, clock, log, onChange }, closing.signal);
  }
  return { port: (server.address() as AddressInfo).port, close: () => close(server, closing, clock) };
}

function createNodeServer(fetch: Fetch, pair: CertificatePair | undefined): Server | SecureServer {
  const listener = getRequestListener((request, env) => fetch(request, env as Parameters<Fetch>[1]), {
    errorHandler: (error) => unrouted(error instanceof RequestError ? 'BadRequest' : 'Internal'),
  });
  const handle: Parameters<typeof createServer>[1] = (incoming, outgoing) => {
    void listener(incoming, outgoing);
  };
  const server =
    pair === undefined
      ? createServer(LIMITS, handle)
      : createSecureServer(
          { ...LIMITS, ...pair, handshakeTimeout: LIMITS.headersTimeout, minVersion: 'TLSv1.2' },
          handle,
        );
  server.timeout = IDLE_MS;
  server.maxConnections = MAX_CONNECTIONS;
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  return server;
}

/** What never became a request (a target or a Host header that is no URL), or failed outside of every route. */
function unrouted(code: 'BadRequest' | 'Internal'): Response {
  const detail = code === 'BadRequest' ? 'the request is malformed' : 'this should not have happened';
  return problemResponse(problemOf(new ProblemError(code, detail)));
}

/** One client must not hold all connections, however slowly it talks on them. */
function limitConnections(server: Server | SecureServer, metrics: HttpMetrics): void {
  const open = new Map<string, number>();
  let total = 0;
  server.on('connection', (socket: Socket) => {
    const client = clientOf(socket.remoteAddress ?? '');
    const count = (open.get(client) ?? 0) + 1;
    if (count > MAX_CONNECTIONS_PER_CLIENT) {
      metrics.turnedAway('connections');
      socket.destroy();
      return;
    }
    open.set(client, count);
    metrics.connections((total += 1));
    socket.once('close', () => {
      const left = (open.get(client) ?? 1) - 1;
      if (left === 0) open.delete(client);
      else open.set(client, left);
      metrics.connections((total -= 1));
    });
  });
}

function listen(server: Server | SecureServer, { host, port }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A connection that an answer has just ended on is idle from then on: looked at again and again. */
async function close(server: Server | SecureServer, closing: AbortController, clock: Clock): Promise<void> {
  const closed = new AbortController();
  const end = new Promise<void>((resolve) => {
    server.close(() => {
      closed.abort();
      resolve();
    });
  });
  closing.abort(new Error('the server closes'));
  for (let waitedMs = 0; waitedMs < CLOSE_MS && !closed.signal.aborted; waitedMs += LOOK_MS) {
    server.closeIdleConnections();
    await sleep(clock, LOOK_MS, closed.signal).catch(() => undefined);
  }
  server.closeAllConnections();
  await end;
}
