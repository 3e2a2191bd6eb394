/** What controllers are made of, and how every one of them runs. */

import type { AccessReader } from '../controllers/access.ts';
import type { CatalogueStore } from '../controllers/docker-image-record/catalogue-store.ts';
import type { ScanMemory } from '../controllers/image-source/scan-memory.ts';
import type { Stock } from '../controllers/stock.ts';
import type { KubeClient } from '../kube/client.ts';
import { Controller, type Reconciler } from '../kube/controller.ts';
import type { EventWriter } from '../kube/events.ts';
import type { WatchSource } from '../kube/watch-source.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { Caches } from './caches.ts';
import type { Process } from './process.ts';

export interface ControllerParts {
  readonly process: Process;
  /** Fenced by the lease. */
  readonly client: KubeClient;
  readonly registry: RegistryClient;
  readonly access: AccessReader;
  readonly events: EventWriter;
  readonly caches: Caches;
  /** What the scans have found. */
  readonly memory: ScanMemory;
  readonly stock: Stock;
  readonly catalogue: CatalogueStore;
}

/** A controller that runs as the operator's options say. */
export function createController(
  { process, events }: ControllerParts,
  name: string,
  reconciler: Reconciler,
  watches: readonly WatchSource[],
): Controller {
  const { options, clock, log, metrics } = process;
  const { workers } = options;
  return new Controller({ name, reconciler, watches, events, workers, clock, log, metrics: metrics.runtime });
}
