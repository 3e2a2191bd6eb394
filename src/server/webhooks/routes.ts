/** POST /hooks/{token}: a registry says that tags were pushed. */

import { Hono } from 'hono';
import type { ImageSource } from '../../api/image-source.ts';
import { HOOKS_PATH } from '../../api/webhook-address.ts';
import { parseRepository, type Repository, withRuntimeDefaults } from '../../domain/reference.ts';
import { formatKey, keyOf } from '../../kube/resource.ts';
import { ProblemError } from '../problem.ts';
import type { RouteGroup, ServerContext, ServerEnv } from '../route-group.ts';
import { verifyAuthenticity } from './authenticity.ts';
import type { Vendor } from './format.ts';
import type { Hook, HookDirectory } from './hook-directory.ts';
import { type Delivery, readPayload } from './payload.ts';
import type { Push } from './push.ts';
import type { PushBatches } from './push-batches.ts';
import type { ReplayGuard } from './replay-guard.ts';
import type { PushOutcome, RequestOutcome, WebhookMetrics } from './webhook-metrics.ts';

/** What a push goes through. */
export interface WebhookPorts {
  readonly directory: HookDirectory;
  readonly replays: ReplayGuard;
  readonly batches: PushBatches;
  readonly metrics: WebhookMetrics;
}

/** The longest envelope that 1,000 events make. */
const MAX_BODY_BYTES = 1_048_576;

export function webhookRoutes(ports: WebhookPorts): RouteGroup {
  const routes = new Hono<ServerEnv>();
  routes.post('/:token', async (context) => {
    const hooks = await findHooks(ports, context);
    context.get('exchange').subject = hooks.map(({ source }) => `ImageSource ${nameOf(source)}`).join(', ');
    const body = new Uint8Array(await context.req.arrayBuffer());
    const trusted = requireAuthentic(ports, context, hooks, body);
    const delivery = requireReadable(ports, context, body);
    ports.metrics.requested('Accepted');
    return context.json(accept(ports, trusted, delivery), 202);
  });
  // CloudEvents asks whether its events are wanted before it sends any: Event Grid does.
  routes.options('/:token', async (context) => {
    await findHooks(ports, context);
    const origin = context.req.header('webhook-request-origin') ?? '*';
    return context.body(null, 200, { 'webhook-allowed-origin': origin, 'webhook-allowed-rate': '120' });
  });
  return {
    name: 'webhooks',
    basePath: HOOKS_PATH,
    routes,
    authentication: 'Own',
    maxBodyBytes: MAX_BODY_BYTES,
    close: () => ports.batches.flush(),
  };
}

/** An unknown token gets the answer of a path that does not exist. */
async function findHooks(ports: WebhookPorts, context: ServerContext): Promise<readonly Hook[]> {
  const hooks = await ports.directory.find(context.req.param('token') ?? '');
  if (hooks.length === 0) throw refuse(ports, 'Unknown', 'NotFound', 'there is nothing at this path');
  return hooks;
}

function requireAuthentic(
  ports: WebhookPorts,
  context: ServerContext,
  hooks: readonly Hook[],
  body: Uint8Array,
): readonly Hook[] {
  const { headers } = context.req.raw;
  const verdicts = hooks.map((hook) => ({
    hook,
    verdict: verifyAuthenticity({ headers, body }, hook.secret, hook.path),
  }));
  const trusted = verdicts.flatMap(({ hook, verdict }) => (verdict.ok ? [hook] : []));
  if (trusted.length > 0) return trusted;
  const detail = verdicts.flatMap(({ verdict }) => (verdict.ok ? [] : [verdict.error]))[0] ?? '';
  throw refuse(ports, 'Unauthentic', 'Unauthorized', detail);
}

function requireReadable(ports: WebhookPorts, context: ServerContext, body: Uint8Array): Delivery {
  const text = new TextDecoder().decode(body);
  const delivery = readPayload(text, context.req.raw.headers);
  if (!delivery.ok) throw refuse(ports, 'Malformed', 'BadRequest', delivery.error);
  return delivery.value;
}

function refuse(
  { metrics }: WebhookPorts,
  outcome: RequestOutcome,
  code: 'NotFound' | 'Unauthorized' | 'BadRequest',
  detail: string,
): ProblemError {
  metrics.requested(outcome);
  return new ProblemError(code, detail);
}

/** What the sender learns: how many tags are looked at, and how many are none of the source's business or old. */
interface Receipt {
  readonly vendor: Vendor;
  readonly accepted: number;
  readonly ignored: number;
}

function accept(ports: WebhookPorts, hooks: readonly Hook[], { vendor, pushes }: Delivery): Receipt {
  const accepted = new Set<Push>();
  for (const { source } of hooks) {
    const watched = watchedRepository(source);
    const judged = pushes.map((push) => ({ push, outcome: judge(ports, source, watched, push) }));
    for (const { outcome } of judged) ports.metrics.pushed(vendor, outcome);
    const fresh = judged.flatMap(({ push, outcome }) => (outcome === 'Accepted' ? [push] : []));
    if (fresh.length > 0) ports.batches.add(keyOf(source), fresh);
    for (const push of fresh) accepted.add(push);
  }
  return { vendor, accepted: accepted.size, ignored: pushes.length - accepted.size };
}

function judge({ replays }: WebhookPorts, source: ImageSource, watched: Repository, push: Push): PushOutcome {
  const { repository } = withRuntimeDefaults({ registry: watched.registry, repository: push.repository });
  if (repository !== watched.repository) return 'Foreign';
  const freshness = replays.admit(nameOf(source), push);
  return freshness === 'Fresh' ? 'Accepted' : freshness;
}

/** Hosts are not compared: registries know themselves by other names than their clients. */
function watchedRepository({ spec }: ImageSource): Repository {
  return withRuntimeDefaults(parseRepository(spec.image));
}

function nameOf(source: ImageSource): string {
  return formatKey(keyOf(source));
}
