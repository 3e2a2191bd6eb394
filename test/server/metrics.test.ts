import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/server/metrics.ts';

async function lines(act: (metrics: ReturnType<typeof createMetrics>) => void): Promise<string[]> {
  const metrics = createMetrics({ processMetrics: false });
  act(metrics);
  return (await metrics.expose()).body.split('\n');
}

describe('createMetrics', () => {
  it("counts requests under client-go's name", async () => {
    const text = await lines(({ runtime }) => {
      runtime.request({ verb: 'get', resource: 'pods/status', code: '200', seconds: 0.01 });
    });
    expect(text).toContain('rest_client_requests_total{verb="get",resource="pods/status",code="200"} 1');
    expect(text).toContain('rest_client_request_duration_seconds_count{verb="get"} 1');
  });

  it("follows the queue under controller-runtime's names", async () => {
    const text = await lines(({ runtime }) => {
      runtime.queueAdded('q', 2);
      runtime.queueStarted('q', 1, 0.5);
      runtime.queueFinished('q', 0.1);
      runtime.queueRetried('q');
      runtime.queueCreated('q', () => 1.5);
    });
    expect(text).toContain('workqueue_depth{name="q"} 1');
    expect(text).toContain('workqueue_adds_total{name="q"} 1');
    expect(text).toContain('workqueue_longest_running_processor_seconds{name="q"} 1.5');
    expect(text).toContain('workqueue_retries_total{name="q"} 1');
    expect(text).toContain('workqueue_queue_duration_seconds_sum{name="q"} 0.5');
    expect(text).toContain('workqueue_work_duration_seconds_sum{name="q"} 0.1');
  });

  it('tells errors, terminal errors and the rest apart', async () => {
    const text = await lines(({ runtime }) => {
      runtime.reconciled('c', 'success', 0.1);
      runtime.reconciled('c', 'error', 0.1);
      runtime.reconciled('c', 'terminal', 0.1);
      runtime.activeWorkers('c', 1, 4);
    });
    expect(text).toContain('controller_runtime_reconcile_total{controller="c",result="success"} 1');
    expect(text).toContain('controller_runtime_reconcile_errors_total{controller="c"} 1');
    expect(text).toContain('controller_runtime_terminal_reconcile_errors_total{controller="c"} 1');
    expect(text).toContain('controller_runtime_active_workers{controller="c"} 1');
    expect(text).toContain('controller_runtime_max_concurrent_reconciles{controller="c"} 4');
  });

  it('shows watches, lists, failing subscribers and leadership', async () => {
    const text = await lines(({ runtime }) => {
      runtime.watchEnded('pods', 'stalled');
      runtime.listed('pods', 7);
      runtime.handlerFailed('pods');
      runtime.leading('lease', true);
    });
    expect(text).toContain('larder_kube_watch_ends_total{resource="pods",cause="stalled"} 1');
    expect(text).toContain('larder_kube_listed_objects{resource="pods"} 7');
    expect(text).toContain('larder_kube_handler_failures_total{resource="pods"} 1');
    expect(text).toContain('leader_election_master_status{name="lease"} 1');
  });

  it('adds the metrics of the process unless told otherwise', async () => {
    expect((await createMetrics().expose()).body).toContain('nodejs_eventloop_lag_seconds');
  });
});
