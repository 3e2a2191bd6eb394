/** Every metric that a process exposes, process metrics apart. */

import { httpMetrics } from '../../src/server/http-metrics.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { objectMetrics } from '../../src/server/object-metrics.ts';
import { coverageMetrics, pullMetrics } from '../../src/server/pull-metrics.ts';
import { registryMetrics } from '../../src/server/registry-metrics.ts';
import { webhookMetrics } from '../../src/server/webhooks/webhook-metrics.ts';

export interface DescribedMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** In the order of their names. */
export async function allMetrics(): Promise<readonly DescribedMetric[]> {
  const { registry } = createMetrics({ processMetrics: false });
  httpMetrics(registry);
  objectMetrics(registry, { sources: () => [], images: () => [] });
  pullMetrics(registry);
  coverageMetrics(registry, () => undefined);
  registryMetrics(registry);
  webhookMetrics(registry);
  const labels = new Map(
    registry.getMetricsAsArray().map((metric) => {
      const { name, labelNames = [] } = metric as unknown as { name: string; labelNames?: readonly string[] };
      return [name, labelNames];
    }),
  );
  const described = (await registry.getMetricsAsJSON()).map(({ name, type, help }) => ({
    name,
    type: String(type),
    labels: labels.get(name) ?? [],
    help,
  }));
  return described.sort((left, right) => (left.name < right.name ? -1 : 1));
}
