/** Takes the startup taint off a node that is stocked, so that an autoscaled node takes work only when it is warm. */

import type { Coverage } from '../../domain/coverage.ts';
import { NOT_STOCKED_TAINT, type NodeFacts } from '../../domain/node.ts';
import { placement, type Want } from '../../domain/want.ts';
import type { Lister } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReconcileContext } from '../../kube/controller.ts';
import { done, type Result } from '../../kube/result.ts';
import { type NodeObject, nodeType } from '../node.ts';
import type { Wants } from '../wants.ts';

export interface WarmGateOptions {
  readonly client: KubeClient;
  readonly nodes: Pick<Lister<NodeObject>, 'get'>;
  readonly wants: Wants;
  readonly coverage: Coverage;
  readonly isSettled: () => boolean;
  readonly isPending: () => boolean;
  /** Whether the startup taint of stocked nodes is removed. */
  readonly warmGate: boolean;
  /** Nodes whose taint was removed, as the cache still shows them. */
  readonly opened: WeakSet<NodeObject>;
}

/** Lets the node go when it is time to; a pass for every look at the node. */
export async function tendGate(
  options: WarmGateOptions,
  name: string,
  context: ReconcileContext,
): Promise<Result> {
  const node = options.nodes.get({ name });
  if (!options.warmGate || node === undefined || options.opened.has(node) || !options.isSettled())
    return done;
  const { coverage, wants, isPending } = options;
  const facts = { coverage, wants: wants.list(), isPending: isPending(), now: context.now };
  const { opens, lookAfterMs } = shouldOpenGate(node, facts);
  if (!opens) return { requeueAfterMs: lookAfterMs };
  await openGate(options.client, node.facts, context);
  options.opened.add(node);
  return done;
}

export interface WarmGateFacts {
  readonly coverage: Coverage;
  readonly wants: readonly Want[];
  /** Whether more images are known to be coming: sources not scanned yet, images not resolved yet. */
  readonly isPending: boolean;
  /** Wall-clock milliseconds. */
  readonly now: number;
}

export interface GateDecision {
  readonly opens: boolean;
  /** When the node is let go in any case, milliseconds from now. */
  readonly lookAfterMs?: number;
}

/** Nothing tells a node that a source has found nothing new. */
const PENDING_LOOK_MS = 2_000;
/** How long a node waits at least for what it misses. */
const PATIENCE_MS = 600_000;

/** Taints of nodes that are still starting: while one is there, being eligible for nothing means nothing. */
const STARTING = /^node(?:\.cloudprovider)?\.kubernetes\.io\/|(?:not-ready|uninitialized)$/;

/**
 * Open when every image the node should have is there and no more are known to be coming, or the most patient of them
 * has waited long enough: what cannot be pulled or scanned keeps no node out for ever.
 */
export function shouldOpenGate(
  { metadata, facts }: NodeObject,
  { coverage, wants, isPending, now }: WarmGateFacts,
): GateDecision {
  if (!facts.taints.some(({ key }) => key === NOT_STOCKED_TAINT)) return { opens: false };
  const eligible = wants.filter((want) => placement(facts, want).eligible);
  const missing = eligible.filter(
    (want) => !coverage.isPresent(facts.name, want) && coverage.skipReason(facts.name, want.id) === undefined,
  );
  const isStarting = !facts.ready || facts.taints.some(({ key }) => STARTING.test(key));
  if (missing.length === 0 && !isStarting && !isPending) return { opens: true };
  const patience = Math.max(PATIENCE_MS, ...missing.map(({ timeoutMs }) => timeoutMs));
  const leftMs = Date.parse(metadata.creationTimestamp ?? '') + patience - now;
  if (leftMs <= 0) return { opens: true };
  return { opens: false, lookAfterMs: isPending ? Math.min(PENDING_LOOK_MS, leftMs) : leftMs };
}

/** Removes the taint; refused if the list of taints has changed meanwhile, and then tried again. */
export async function openGate(
  client: KubeClient,
  node: NodeFacts,
  context: ReconcileContext,
): Promise<void> {
  const index = node.taints.findIndex(({ key }) => key === NOT_STOCKED_TAINT);
  const path = `/spec/taints/${index}`;
  const patch = [
    { op: 'test', path: '/metadata/uid', value: node.uid },
    { op: 'test', path: `${path}/key`, value: NOT_STOCKED_TAINT },
    { op: 'remove', path },
  ] as const;
  await client.patch(nodeType, { name: node.name }, patch, { signal: context.signal });
  context.log.info('node is stocked, startup taint removed', { node: node.name });
}
