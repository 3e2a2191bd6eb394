/** The node-stocker and the budget it pulls under. */

import { nodeStocker } from '../controllers/node-stocker/controller.ts';
import { Expectations } from '../controllers/node-stocker/expectations.ts';
import type { Wants } from '../controllers/wants.ts';
import { CLUSTER_CLAIM, PullBudget } from '../domain/pull-budget.ts';
import type { Reconciler } from '../kube/controller.ts';
import type { ControllerParts } from './controllers.ts';

export function nodeStocking({ process, client, caches, stock }: ControllerParts): Reconciler {
  const { coverage, circuits, wants } = stock;
  const { options, clock } = process;
  return nodeStocker({
    client,
    nodes: caches.nodes.lister,
    pods: caches.pods.lister,
    wants,
    coverage,
    circuits,
    budget: pullBudget(wants, options.pullSlots),
    expectations: new Expectations(),
    clock,
    random: Math.random,
    isSettled: () => stock.isSettled(),
    wake: (name) => {
      stock.nodeTrigger.fire({ name });
    },
    maxKeptPods: options.maxKeptPods,
    warmGate: options.warmGate,
  });
}

function pullBudget(wants: Wants, pullSlots: number): PullBudget {
  return new PullBudget((claim) => {
    if (claim === CLUSTER_CLAIM) return pullSlots === 0 ? Number.POSITIVE_INFINITY : pullSlots;
    return wants.limitOf(claim);
  });
}
