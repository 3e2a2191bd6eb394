/** Webhooks of registries: where tokens are read and pushed tags are written. */

import type { RouteGroup } from '../server/route-group.ts';
import { HookDirectory } from '../server/webhooks/hook-directory.ts';
import { hookSecretReader } from '../server/webhooks/hook-secret.ts';
import { PushBatches } from '../server/webhooks/push-batches.ts';
import { pushWriter } from '../server/webhooks/push-writer.ts';
import { ReplayGuard } from '../server/webhooks/replay-guard.ts';
import { webhookRoutes } from '../server/webhooks/routes.ts';
import { webhookMetrics } from '../server/webhooks/webhook-metrics.ts';
import type { RouteGroupParts } from './route-group-parts.ts';

/** On every replica: the client is not fenced, and what it writes has a resourceVersion. */
export function webhooks({ process, caches: { sources } }: RouteGroupParts): RouteGroup {
  const {
    clock,
    log,
    metrics: { registry },
  } = process;
  const client = process.client.unlimited();
  const metrics = webhookMetrics(registry);
  const directory = new HookDirectory({
    clock,
    sources: () => sources.lister.list(),
    readSecret: hookSecretReader(client, log),
  });
  const write = pushWriter({ client, type: sources.type, clock, log, metrics });
  const batches = new PushBatches({ clock, write });
  return webhookRoutes({ directory, replays: new ReplayGuard(clock), batches, metrics });
}
