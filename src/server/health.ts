/** Health and metrics over plain HTTP on a port of their own: /healthz, /readyz, /metrics and nothing else. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Asked at each probe: answers must be immediate. */
export interface HealthChecks {
  /** False: the process cannot recover by itself and should be restarted. */
  isHealthy(): boolean;
  /** False: not yet, or no longer, fit for requests. */
  isReady(): boolean;
}

/** `host` absent: all addresses, as kubelets and Prometheus need it. */
export interface HealthServerOptions {
  readonly checks: HealthChecks;
  readonly metrics: { expose(): Promise<{ readonly contentType: string; readonly body: string }> };
  readonly host?: string | undefined;
  /** 0 takes a free port. */
  readonly port: number;
}

/** `port` is the one taken, also if 0 was asked for. */
export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Probes are short; whoever is slower than this is not a kubelet. */
const REQUEST_TIMEOUT_MS = 5_000;

/** @throws Error if the port cannot be taken. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      void answer(options, request, response);
    },
  );
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { host, port }: HealthServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

type Handler = (options: HealthServerOptions, response: ServerResponse) => Promise<void> | void;

const ROUTES: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  [
    '/healthz',
    ({ checks }, response) => {
      const isHealthy = checks.isHealthy();
      reply(response, isHealthy ? 200 : 500, isHealthy ? 'ok' : 'unhealthy');
    },
  ],
  [
    '/readyz',
    ({ checks }, response) => {
      const isReady = checks.isReady();
      reply(response, isReady ? 200 : 503, isReady ? 'ok' : 'not ready');
    },
  ],
  ['/metrics', ({ metrics }, response) => replyMetrics(response, metrics)],
]);

async function answer(
  options: HealthServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const handler = ROUTES.get((request.url ?? '/').replace(/\?.*$/, ''));
  if (handler === undefined) reply(response, 404, 'not found');
  else if (request.method !== 'GET' && request.method !== 'HEAD') reply(response, 405, 'method not allowed');
  else await handler(options, response);
}

async function replyMetrics(
  response: ServerResponse,
  metrics: HealthServerOptions['metrics'],
): Promise<void> {
  try {
    const { contentType, body } = await metrics.expose();
    response.writeHead(200, { 'content-type': contentType }).end(body);
  } catch {
    reply(response, 500, 'metrics could not be collected');
  }
}

function reply(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
    .end(`${text}\n`);
}
