/** The node-stocker, and the limits it pulls under. */

import { nodeStocker } from '../controllers/node-stocker/controller.ts';
import { Expectations } from '../controllers/node-stocker/expectations.ts';
import { PulledEvents } from '../controllers/node-stocker/pulled-events.ts';
import { RegistryCheck } from '../controllers/node-stocker/registry-check.ts';
import { isPendingSource } from '../controllers/pending-source.ts';
import type { StockOptions } from '../controllers/stock.ts';
import type { Reconciler } from '../kube/controller.ts';
import type { OperatorOptions } from '../options.ts';
import { coverageMetrics, pullMetrics } from '../server/pull-metrics.ts';
import type { ControllerParts } from './controller-parts.ts';

export function nodeStocking({
  process,
  client,
  caches,
  stock,
  registry,
  access,
}: ControllerParts): Reconciler {
  const { coverage, circuits, wants, budget, quotas } = stock;
  const { options, clock } = process;
  const { registry: metrics } = process.metrics;
  const observer = pullMetrics(metrics);
  coverageMetrics(metrics, () => stock.totals());
  const check = new RegistryCheck({ registry, access, clock, image: (id) => wants.image(id) });
  return nodeStocker({
    client,
    nodes: caches.nodes.lister,
    pods: caches.pods.lister,
    wants,
    coverage,
    circuits,
    budget,
    quotas,
    expectations: new Expectations(),
    clock,
    random: Math.random,
    isPending: () => wants.pending > 0 || caches.sources.lister.list().some(isPendingSource),
    isSettled: () => stock.isSettled(),
    observer,
    events: new PulledEvents({ client, observer, clock, log: process.log }),
    askRegistry: (want) => check.ask(want),
    wake: (name) => {
      stock.nodeTrigger.fire({ name });
    },
    maxKeptPods: options.maxKeptPods,
    warmGate: options.warmGate,
  });
}

/** 0 on the command line is no limit. */
export function stockLimits(options: OperatorOptions): Pick<StockOptions, 'pullLimits' | 'namespaceLimits'> {
  const { pullSlots, pullSlotsPerRegistry, pullSlotsPerImage } = options;
  return {
    pullLimits: {
      slots: limit(pullSlots),
      slotsPerHost: limit(pullSlotsPerRegistry),
      slotsPerImage: limit(pullSlotsPerImage),
    },
    namespaceLimits: {
      images: limit(options.maxImagesPerNamespace),
      bytes: limit(options.maxBytesPerNamespace),
    },
  };
}

function limit(value: number): number {
  return value === 0 ? Infinity : value;
}
