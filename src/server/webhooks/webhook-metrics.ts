/** Counts of webhooks: what was sent, what became of it. Labels are vendors and outcomes, never sources. */

import { Counter, type Registry } from 'prom-client';
import type { Vendor } from './format.ts';

/** What becomes of a request; Unknown: no source has this token. */
export const REQUEST_OUTCOMES = ['Accepted', 'Unknown', 'Unauthentic', 'Malformed'] as const;
export type RequestOutcome = (typeof REQUEST_OUTCOMES)[number];

/** What becomes of a pushed tag; Foreign: of another repository. */
export const PUSH_OUTCOMES = ['Accepted', 'Replayed', 'Stale', 'Foreign'] as const;
export type PushOutcome = (typeof PUSH_OUTCOMES)[number];

export const WRITE_OUTCOMES = ['Written', 'Unchanged', 'Failed'] as const;
export type WriteOutcome = (typeof WRITE_OUTCOMES)[number];

export interface WebhookMetrics {
  requested(outcome: RequestOutcome): void;
  pushed(vendor: Vendor, outcome: PushOutcome): void;
  written(outcome: WriteOutcome): void;
}

export function webhookMetrics(registry: Registry): WebhookMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'larder_webhook_requests_total',
    help: 'Requests to webhooks by outcome.',
    labelNames: ['outcome'] as const,
    registers,
  });
  const pushes = new Counter({
    name: 'larder_webhook_pushes_total',
    help: 'Pushed tags that events told of, by vendor and outcome.',
    labelNames: ['vendor', 'outcome'] as const,
    registers,
  });
  const writes = new Counter({
    name: 'larder_webhook_writes_total',
    help: 'Attempts to tell the leader of pushed tags, by outcome.',
    labelNames: ['outcome'] as const,
    registers,
  });
  return {
    requested(outcome) {
      requests.inc({ outcome });
    },
    pushed(vendor, outcome) {
      pushes.inc({ vendor, outcome });
    },
    written(outcome) {
      writes.inc({ outcome });
    },
  };
}
