/** Metrics of the HTTP server; labels are groups of routes, methods and status codes, never paths or callers. */

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Told by the app; labels are bounded. */
export interface HttpMetrics {
  served(request: {
    readonly group: string;
    readonly method: string;
    readonly status: number;
    readonly seconds: number;
  }): void;
  /** Turned away before a route was asked: `rate`, `connections`. */
  turnedAway(cause: 'rate' | 'connections'): void;
  connections(open: number): void;
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export function httpMetrics(registry: Registry): HttpMetrics {
  const registers = [registry];
  const total = new Counter({
    name: 'larder_http_requests_total',
    help: 'Answers of the HTTP server by group of routes, method and status code.',
    labelNames: ['group', 'method', 'code'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'larder_http_request_duration_seconds',
    help: 'Time from the head of a request to the head of its answer, by group of routes.',
    labelNames: ['group'] as const,
    buckets: BUCKETS,
    registers,
  });
  const refused = new Counter({
    name: 'larder_http_turned_away_total',
    help: 'Requests and connections beyond what one client may have, by cause.',
    labelNames: ['cause'] as const,
    registers,
  });
  const open = new Gauge({ name: 'larder_http_connections', help: 'Open connections.', registers });
  return {
    served({ group, method, status, seconds }) {
      total.inc({ group, method: METHODS.has(method) ? method : 'other', code: status });
      duration.observe({ group }, seconds);
    },
    turnedAway(cause) {
      refused.inc({ cause });
    },
    connections(count) {
      open.set(count);
    },
  };
}
