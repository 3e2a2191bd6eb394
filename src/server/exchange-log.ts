/** What is left of a request when it is over: a line in the access log, one in the audit log, and its metrics. */

import { routePath } from 'hono/route';
import type { Logger } from '../kube/logger.ts';
import type { HttpMetrics } from './http-metrics.ts';
import type { ServerContext } from './route-group.ts';

export interface FinishedExchange {
  readonly group: string;
  readonly elapsedMs: number;
  readonly metrics: HttpMetrics;
  readonly accessLog: boolean;
  readonly log: Logger;
}

const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Paths and queries are not logged, only the pattern of the route: they may hold a token. */
export function finishExchange(context: ServerContext, finished: FinishedExchange): void {
  const { group, elapsedMs, metrics, accessLog, log } = finished;
  const { method } = context.req;
  const { status } = context.res;
  const { id, caller, address, subject } = context.get('exchange');
  metrics.served({ group, method, status, seconds: elapsedMs / 1000 });
  const isMutation = !READING_METHODS.has(method);
  if (!accessLog && !isMutation) return;
  const user = caller.username;
  const line = { requestId: id, group, method, route: routePath(context, -1), status, user, address };
  if (accessLog) log.info('request', { ...line, durationMs: Math.round(elapsedMs) });
  if (isMutation) {
    log.info('audit', { ...line, uid: caller.uid, ...(subject !== undefined && { subject }) });
  }
}
