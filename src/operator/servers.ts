/** What this process serves over HTTP, on every replica. */

import { type HealthChecks, startHealthServer } from '../server/health.ts';
import { USER_AGENT } from '../version.ts';
import type { Process } from './process.ts';

export interface ServerParts {
  readonly process: Process;
  readonly checks: HealthChecks;
}

/** Resolves when all listen, with what closes them, in order. @throws Error if a port cannot be taken */
export async function startServers({
  process,
  checks,
}: ServerParts): Promise<readonly (() => Promise<void>)[]> {
  const { options, metrics, log, identity } = process;
  const { healthHost: host, healthPort: port } = options;
  const health = await startHealthServer({ checks, metrics, host, port });
  log.info('larder is starting', { version: USER_AGENT, identity, healthPort: health.port });
  return [() => health.close()];
}
