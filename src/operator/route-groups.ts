/** What the HTTP server serves, one line a group of routes. */

import type { AccessReader } from '../controllers/access.ts';
import type { CatalogueStore } from '../controllers/docker-image-record/catalogue-store.ts';
import type { ScanMemory } from '../controllers/image-source/scan-memory.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { Authorizer } from '../server/authorize.ts';
import type { RouteGroup } from '../server/route-group.ts';
import type { Caches } from './caches.ts';
import { createClusterReader } from './cluster-reader.ts';
import { dashboard } from './dashboard.ts';
import type { Process } from './process.ts';
import { document, reading } from './reading.ts';
import { records } from './records-api.ts';
import { webhooks } from './webhooks.ts';

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

export function createRouteGroups(parts: RouteGroupParts): readonly RouteGroup[] {
  const cluster = createClusterReader(parts.caches);
  const groups = [...reading(parts, cluster), ...records(parts), webhooks(parts), dashboard(parts, cluster)];
  return [...groups, document(parts, groups)];
}
