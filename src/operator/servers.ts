/** What this process serves over HTTP, on every replica: health and metrics on one port, everything else on another. */

import { Authorizer } from '../server/authorize.ts';
import type { CertificatePaths } from '../server/certificate-files.ts';
import { type HealthChecks, startHealthServer } from '../server/health.ts';
import { httpMetrics } from '../server/http-metrics.ts';
import { apiServerReviews } from '../server/reviews.ts';
import { type HttpServer, startHttpServer } from '../server/server.ts';
import { USER_AGENT } from '../version.ts';
import type { RouteGroupParts } from './route-group-parts.ts';
import { createRouteGroups } from './route-groups.ts';

export interface ServerParts extends Omit<RouteGroupParts, 'authorizer'> {
  readonly checks: HealthChecks;
}

/** Resolves when all listen, with what closes them, in order. @throws Error if a port cannot be taken */
export async function startServers(parts: ServerParts): Promise<readonly (() => Promise<void>)[]> {
  const { process, checks } = parts;
  const { options, metrics, log, identity } = process;
  const { healthHost: host, healthPort: port } = options;
  const health = await startHealthServer({ checks, metrics, host, port });
  const http = await startHttp(parts).catch(async (error: unknown) => {
    await health.close();
    throw error;
  });
  const ports = { healthPort: health.port, httpPort: http?.port };
  log.info('larder is starting', { version: USER_AGENT, identity, ...ports });
  return [...(http === undefined ? [] : [() => http.close()]), () => health.close()];
}

async function startHttp(parts: ServerParts): Promise<HttpServer | undefined> {
  const { process, caches } = parts;
  const { options, clock, log, metrics, client } = process;
  const { httpHost: host, httpPort: port, httpRate: ratePerClient, httpAccessLog: accessLog } = options;
  if (port === undefined) return undefined;
  const { anonymousRead } = options;
  // Somebody waits for the answer: not in one queue with the controllers' calls.
  const reviews = apiServerReviews(client.unlimited());
  const authorizer = new Authorizer({ reviews, clock, anonymousRead });
  const isReady = (): boolean => Object.values(caches).every(({ hasSynced }) => hasSynced);
  const groups = createRouteGroups({ ...parts, authorizer });
  const server = await startHttpServer({
    groups,
    authorizer,
    clock,
    log: log.child({ server: 'http' }),
    metrics: httpMetrics(metrics.registry),
    isReady,
    host,
    port,
    tls: certificatePaths(options),
    ratePerClient,
    accessLog,
  });
  const close = async (): Promise<void> => {
    await server.close();
    for (const group of groups) await group.close?.();
  };
  return { port: server.port, close };
}

/** @throws Error if only one of the two files is named */
function certificatePaths({
  httpCertFile,
  httpKeyFile,
}: ServerParts['process']['options']): CertificatePaths | undefined {
  if (httpCertFile === undefined && httpKeyFile === undefined) return undefined;
  if (httpCertFile === undefined || httpKeyFile === undefined)
    throw new Error('--http-cert-file and --http-key-file belong together: only one is set');
  return { certFile: httpCertFile, keyFile: httpKeyFile };
}
