/** What groups of routes are made of. */

import type { AccessReader } from '../controllers/access.ts';
import type { CatalogueStore } from '../controllers/docker-image-record/catalogue-store.ts';
import type { ScanMemory } from '../controllers/image-source/scan-memory.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { Authorizer } from '../server/authorize.ts';
import type { Caches } from './caches.ts';
import type { Process } from './process.ts';

export interface RouteGroupParts {
  readonly process: Process;
  readonly caches: Caches;
  readonly authorizer: Authorizer;
  /** Filled on the leader only. */
  readonly memory: ScanMemory;
  readonly registry: RegistryClient;
  readonly access: AccessReader;
  readonly catalogue: CatalogueStore;
}
