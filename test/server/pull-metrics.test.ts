import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { coverageMetrics, pullMetrics } from '../../src/server/pull-metrics.ts';

let registry: Registry;

beforeEach(() => {
  registry = new Registry();
});

/** Lines of the exposition that hold the text. */
async function lines(text: string): Promise<readonly string[]> {
  return (await registry.metrics())
    .split('\n')
    .filter((line) => !line.startsWith('#') && line.includes(text));
}

describe('pulls', () => {
  it('are counted by namespace and registry host', async () => {
    const metrics = pullMetrics(registry);
    metrics.pulled({ namespace: 'lab', host: 'ghcr.io', seconds: 7, waitedSeconds: 40, bytes: 1_000 });
    metrics.pulled({ namespace: 'lab', host: 'ghcr.io', seconds: 9, waitedSeconds: 0, bytes: 500 });
    const labels = '{namespace="lab",host="ghcr.io"}';
    expect(await lines('duration_seconds_sum')).toEqual([`larder_pull_duration_seconds_sum${labels} 16`]);
    expect(await lines('duration_seconds_count')).toEqual([`larder_pull_duration_seconds_count${labels} 2`]);
    expect(await lines('wait_seconds_sum')).toEqual([`larder_pull_wait_seconds_sum${labels} 40`]);
    expect(await lines('bytes_total')).toEqual([`larder_pull_bytes_total${labels} 1500`]);
  });

  it('that failed are counted by reason', async () => {
    const metrics = pullMetrics(registry);
    for (const reason of ['ImageNotFound', 'DiskFull', 'ImageNotFound']) metrics.failed(reason);
    expect(await lines('failures_total')).toEqual([
      'larder_pull_failures_total{reason="ImageNotFound"} 2',
      'larder_pull_failures_total{reason="DiskFull"} 1',
    ]);
  });

  it('of more namespaces than anybody has count together', async () => {
    const metrics = pullMetrics(registry);
    for (let index = 0; index < 300; index += 1)
      metrics.pulled({ namespace: `n${index}`, host: 'h', seconds: 1, waitedSeconds: 0, bytes: 1 });
    expect(await lines('bytes_total')).toHaveLength(201);
    expect(await lines('bytes_total{namespace="other"')).toEqual([
      'larder_pull_bytes_total{namespace="other",host="other"} 100',
    ]);
  });
});

describe('coverage', () => {
  it('is a ratio and what is missing, and 1 where nothing is wanted', async () => {
    let pairs = { eligible: 8, present: 6 };
    coverageMetrics(registry, () => pairs);
    expect(await lines('larder_')).toEqual(['larder_coverage_ratio 0.75', 'larder_missing_pairs 2']);
    pairs = { eligible: 0, present: 0 };
    expect(await lines('larder_')).toEqual(['larder_coverage_ratio 1', 'larder_missing_pairs 0']);
  });

  it('is told by the leader only', async () => {
    let leads = true;
    coverageMetrics(registry, () => (leads ? { eligible: 1, present: 1 } : undefined));
    expect(await lines('larder_')).toHaveLength(2);
    leads = false;
    expect(await lines('larder_')).toEqual([]);
  });
});
