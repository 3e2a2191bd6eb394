/** The routes that read: over the caches, and over the lists that the leader's scans, or our own, have found. */

import type { ClusterReader } from '../server/cluster.ts';
import type { ReadingParts } from '../server/reading.ts';
import { documentRoutes, readingRoutes } from '../server/reading-routes.ts';
import type { RouteGroup } from '../server/route-group.ts';
import { SourceViews } from '../server/source-view.ts';
import { spawnerRoutes } from '../server/spawner.ts';
import { VERSION } from '../version.ts';
import type { RouteGroupParts } from './route-group-parts.ts';
import { SourceListings } from './source-listings.ts';

export function reading(parts: RouteGroupParts, cluster: ClusterReader): readonly RouteGroup[] {
  const { process, authorizer, memory, registry, access } = parts;
  const { clock, log } = process;
  const listings = new SourceListings({ memory, registry, access, clock, log });
  const views = new SourceViews({ cluster, listings, clock });
  const read: ReadingParts = { cluster, listings, views, authorizer, clock };
  return [spawnerRoutes(read), readingRoutes(read)];
}

/** The OpenAPI document of the given groups, as one more. */
export function document({ authorizer }: RouteGroupParts, groups: readonly RouteGroup[]): RouteGroup {
  return documentRoutes(groups, { version: VERSION, anonymousRead: authorizer.anonymousRead });
}
