/** Metrics of requests to registries, by host: how many, how long, and what the registry will still bear. */

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ObservedExchange } from '../registry/transport.ts';
import { amongFirst, OTHER } from './label-bound.ts';

const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Hosts come from specs. */
const MAX_HOSTS = 100;

export function registryMetrics(registry: Registry): (exchange: ObservedExchange) => void {
  const registers = [registry];
  const total = new Counter({
    name: 'larder_registry_requests_total',
    help: 'Requests to registries and their token services by host and status code; code 0: no answer.',
    labelNames: ['host', 'code'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'larder_registry_request_duration_seconds',
    help: 'Time until the whole answer of a registry was read, by host.',
    labelNames: ['host'] as const,
    buckets: BUCKETS,
    registers,
  });
  const remaining = new Gauge({
    name: 'larder_registry_ratelimit_remaining',
    help: 'Requests that the registry will still answer, as it said last, by host.',
    labelNames: ['host'] as const,
    registers,
  });
  const isLabel = amongFirst(MAX_HOSTS);
  return (exchange) => {
    const host = isLabel(exchange.host) ? exchange.host : OTHER;
    total.inc({ host, code: exchange.status ?? 0 });
    duration.observe({ host }, exchange.durationMs / 1000);
    if (exchange.remaining !== undefined) remaining.set({ host }, exchange.remaining);
  };
}
