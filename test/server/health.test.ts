import { afterEach, describe, expect, it } from 'vitest';
import { type HealthServer, startHealthServer } from '../../src/server/health.ts';
import { createMetrics } from '../../src/server/metrics.ts';

let server: HealthServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(state: { healthy: boolean; ready: boolean }, expose?: () => Promise<never>) {
  const metrics = createMetrics({ processMetrics: false });
  server = await startHealthServer({
    checks: { isHealthy: () => state.healthy, isReady: () => state.ready },
    metrics: expose === undefined ? metrics : { expose },
    host: '127.0.0.1',
    port: 0,
  });
  const base = `http://127.0.0.1:${server.port}`;
  return (path: string, init?: RequestInit) => fetch(`${base}${path}`, init);
}

describe('startHealthServer', () => {
  it('answers probes by the state of the moment', async () => {
    const state = { healthy: true, ready: false };
    const ask = await start(state);
    expect((await ask('/healthz')).status).toBe(200);
    expect((await ask('/readyz')).status).toBe(503);
    state.ready = true;
    state.healthy = false;
    expect((await ask('/readyz?verbose')).status).toBe(200);
    expect((await ask('/healthz')).status).toBe(500);
  });

  it('serves metrics in the exposition format', async () => {
    const ask = await start({ healthy: true, ready: true });
    const answer = await ask('/metrics');
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(await answer.text()).toContain('workqueue_depth');
  });

  it('says 500 when metrics cannot be collected', async () => {
    const ask = await start({ healthy: true, ready: true }, () => Promise.reject(new Error('no')));
    expect((await ask('/metrics')).status).toBe(500);
  });

  it('knows nothing else', async () => {
    const ask = await start({ healthy: true, ready: true });
    expect((await ask('/')).status).toBe(404);
    expect((await ask('/healthz', { method: 'POST' })).status).toBe(405);
    expect((await ask('/healthz', { method: 'HEAD' })).status).toBe(200);
  });

  it('rejects when the port is taken', async () => {
    await start({ healthy: true, ready: true });
    const port = server?.port ?? 0;
    const metrics = createMetrics({ processMetrics: false });
    const checks = { isHealthy: () => true, isReady: () => true };
    await expect(startHealthServer({ checks, metrics, host: '127.0.0.1', port })).rejects.toThrow(
      'EADDRINUSE',
    );
  });
});
