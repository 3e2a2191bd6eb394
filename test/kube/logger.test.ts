import { describe, expect, it } from 'vitest';
import { silentEvents } from '../../src/kube/events.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { noMetrics } from '../../src/kube/metrics.ts';
import { WIDGETS } from './fixtures.ts';

describe('the silent defaults', () => {
  it('take anything', () => {
    for (const level of ['debug', 'info', 'warn', 'error'] as const) silentLogger.child({})[level]('x');
    silentEvents.record(
      { type: WIDGETS, object: { metadata: { name: 'a' } } },
      { type: 'Normal', reason: 'R', action: 'A', message: 'm' },
    );
    const calls: readonly (() => void)[] = [
      () => {
        noMetrics.request({ verb: 'get', resource: 'pods', code: '200', seconds: 0 });
      },
      () => {
        noMetrics.leading('l', true);
      },
      () => {
        noMetrics.handlerFailed('pods');
      },
    ];
    for (const call of calls) expect(call).not.toThrow();
  });
});
