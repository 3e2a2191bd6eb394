/** Prometheus metrics under controller-runtime's names, so that existing dashboards and alerts work. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RuntimeMetrics } from '../kube/metrics.ts';

/** Buckets of controller-runtime's reconcile and queue histograms, seconds. */
const WORK_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const QUEUE_BUCKETS = [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000];
const REQUEST_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** The metrics of one process. */
export interface Metrics {
  readonly runtime: RuntimeMetrics;
  /** Where other parts register theirs. */
  readonly registry: Registry;
  /** The exposition text and its content type. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** A registry of its own per call: nothing is shared between instances, or between tests. */
export function createMetrics(options: { readonly processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry });
  return {
    runtime: {
      ...requestMetrics(registry),
      ...queueMetrics(registry),
      ...reconcileMetrics(registry),
      ...watchMetrics(registry),
    },
    registry,
    expose: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

function requestMetrics(registry: Registry): Pick<RuntimeMetrics, 'request'> {
  const registers = [registry];
  const total = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server by verb, resource and status code.',
    labelNames: ['verb', 'resource', 'code'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Time until the head of the answer, by verb.',
    labelNames: ['verb'] as const,
    buckets: REQUEST_BUCKETS,
    registers,
  });
  return {
    request({ verb, resource, code, seconds }) {
      total.inc({ verb, resource, code });
      duration.observe({ verb }, seconds);
    },
  };
}

function queueMetrics(
  registry: Registry,
): Pick<RuntimeMetrics, 'queueAdded' | 'queueStarted' | 'queueFinished' | 'queueRetried' | 'queueCreated'> {
  const base = { labelNames: ['name'] as const, registers: [registry] };
  const depth = new Gauge({ ...base, name: 'workqueue_depth', help: 'Keys waiting for a worker.' });
  const adds = new Counter({ ...base, name: 'workqueue_adds_total', help: 'Keys added.' });
  const retries = new Counter({
    ...base,
    name: 'workqueue_retries_total',
    help: 'Keys added after a failure.',
  });
  const waited = new Histogram({
    ...base,
    name: 'workqueue_queue_duration_seconds',
    help: 'Time a key waited for a worker.',
    buckets: QUEUE_BUCKETS,
  });
  const worked = new Histogram({
    ...base,
    name: 'workqueue_work_duration_seconds',
    help: 'Time a worker spent on a key.',
    buckets: QUEUE_BUCKETS,
  });
  const longest = new Map<string, () => number>();
  new Gauge({
    ...base,
    name: 'workqueue_longest_running_processor_seconds',
    help: 'How long the slowest worker has been at its key.',
    collect() {
      for (const [name, read] of longest) this.set({ name }, read());
    },
  });
  return {
    queueCreated(name, longestRunningSeconds) {
      longest.set(name, longestRunningSeconds);
    },
    queueAdded(name, size) {
      adds.inc({ name });
      depth.set({ name }, size);
    },
    queueStarted(name, size, waitedSeconds) {
      depth.set({ name }, size);
      waited.observe({ name }, waitedSeconds);
    },
    queueFinished(name, workedSeconds) {
      worked.observe({ name }, workedSeconds);
    },
    queueRetried(name) {
      retries.inc({ name });
    },
  };
}

function reconcileMetrics(registry: Registry): Pick<RuntimeMetrics, 'reconciled' | 'activeWorkers'> {
  const registers = [registry];
  const byController = { labelNames: ['controller'] as const, registers };
  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Passes by controller and how they ended.',
    labelNames: ['controller', 'result'] as const,
    registers,
  });
  const errors = new Counter({
    ...byController,
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Passes that failed and are tried again.',
  });
  const terminal = new Counter({
    ...byController,
    name: 'controller_runtime_terminal_reconcile_errors_total',
    help: 'Passes that failed for good until somebody acts.',
  });
  const time = new Histogram({
    ...byController,
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Length of a pass.',
    buckets: WORK_BUCKETS,
  });
  const active = new Gauge({
    ...byController,
    name: 'controller_runtime_active_workers',
    help: 'Workers at work.',
  });
  const max = new Gauge({
    ...byController,
    name: 'controller_runtime_max_concurrent_reconciles',
    help: 'Workers there are.',
  });
  return {
    reconciled(controller, result, seconds) {
      total.inc({ controller, result });
      time.observe({ controller }, seconds);
      if (result === 'error') errors.inc({ controller });
      if (result === 'terminal') terminal.inc({ controller });
    },
    activeWorkers(controller, count, limit) {
      active.set({ controller }, count);
      max.set({ controller }, limit);
    },
  };
}

function watchMetrics(
  registry: Registry,
): Pick<RuntimeMetrics, 'watchEnded' | 'listed' | 'leading' | 'handlerFailed'> {
  const registers = [registry];
  const ends = new Counter({
    name: 'larder_kube_watch_ends_total',
    help: 'Watches that ended, by resource and cause.',
    labelNames: ['resource', 'cause'] as const,
    registers,
  });
  const lists = new Counter({
    name: 'larder_kube_lists_total',
    help: 'Complete lists taken into a cache.',
    labelNames: ['resource'] as const,
    registers,
  });
  const listed = new Gauge({
    name: 'larder_kube_listed_objects',
    help: 'Objects in the last complete list.',
    labelNames: ['resource'] as const,
    registers,
  });
  const failures = new Counter({
    name: 'larder_kube_handler_failures_total',
    help: 'Exceptions thrown by subscribers of a cache.',
    labelNames: ['resource'] as const,
    registers,
  });
  const leader = new Gauge({
    name: 'leader_election_master_status',
    help: '1 on the replica that leads.',
    labelNames: ['name'] as const,
    registers,
  });
  return {
    watchEnded(resource, cause) {
      ends.inc({ resource, cause });
    },
    listed(resource, items) {
      lists.inc({ resource });
      listed.set({ resource }, items);
    },
    leading(name, isLeader) {
      leader.set({ name }, isLeader ? 1 : 0);
    },
    handlerFailed(resource) {
      failures.inc({ resource });
    },
  };
}
