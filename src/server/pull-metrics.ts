/** Metrics of pulling and of coverage; labels are namespaces, registry hosts and reasons, never nodes or images. */

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { PullObserver } from '../domain/pull-observation.ts';
import { amongFirst, OTHER } from './label-bound.ts';

/** Seconds; images of tens of gigabytes take half an hour. */
const PULL_BUCKETS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600];
/** Pairs of namespace and host. */
const MAX_LABELS = 200;

/** Pairs of image and node over all images; undefined on a replica that does not know them. */
export type CoverageTotals = () => { readonly eligible: number; readonly present: number } | undefined;

/** Registers the metrics; who pulls reports to what is returned. */
export function pullMetrics(registry: Registry): PullObserver {
  const registers = [registry];
  const labelNames = ['namespace', 'host'] as const;
  const duration = new Histogram({
    name: 'larder_pull_duration_seconds',
    help: 'Time that nodes took to pull an image, without waiting; sampled where many finish at once.',
    labelNames,
    buckets: PULL_BUCKETS,
    registers,
  });
  const waited = new Histogram({
    name: 'larder_pull_wait_seconds',
    help: 'Time that pulls waited on their node for other pulls.',
    labelNames,
    buckets: PULL_BUCKETS,
    registers,
  });
  const bytes = new Counter({
    name: 'larder_pull_bytes_total',
    help: 'Bytes of pulled images, as nodes count them.',
    labelNames,
    registers,
  });
  const failures = new Counter({
    name: 'larder_pull_failures_total',
    help: 'Attempts of a node to pull an image that failed, by reason.',
    labelNames: ['reason'] as const,
    registers,
  });
  const isLabel = amongFirst(MAX_LABELS);
  return {
    pulled({ namespace, host, seconds, waitedSeconds, bytes: size }) {
      const isKnown = isLabel(`${namespace} ${host}`);
      const labels = isKnown ? { namespace, host } : { namespace: OTHER, host: OTHER };
      duration.observe(labels, seconds);
      waited.observe(labels, waitedSeconds);
      bytes.inc(labels, size);
    },
    failed(reason) {
      failures.inc({ reason });
    },
  };
}

/** Gauges that are read when they are asked for. */
export function coverageMetrics(registry: Registry, totals: CoverageTotals): void {
  const registers = [registry];
  new Gauge({
    name: 'larder_coverage_ratio',
    help: 'Share of the pairs of image and eligible node where the image is present; on the leader only.',
    registers,
    collect() {
      const pairs = totals();
      if (pairs === undefined) this.remove();
      else this.set(pairs.eligible === 0 ? 1 : pairs.present / pairs.eligible);
    },
  });
  new Gauge({
    name: 'larder_missing_pairs',
    help: 'Pairs of image and eligible node where the image is not present; on the leader only.',
    registers,
    collect() {
      const pairs = totals();
      if (pairs === undefined) this.remove();
      else this.set(pairs.eligible - pairs.present);
    },
  });
}
