/** The dashboard: over the same caches as the HTTP API; Events are read when somebody looks. */

import type { ClusterReader } from '../server/cluster.ts';
import { RecentEvents } from '../server/dashboard/recent-events.ts';
import { dashboardRoutes } from '../server/dashboard/routes.ts';
import type { RouteGroup } from '../server/route-group.ts';
import type { RouteGroupParts } from './route-group-parts.ts';

export function dashboard({ process, authorizer }: RouteGroupParts, cluster: ClusterReader): RouteGroup {
  const { client, clock, log } = process;
  const events = new RecentEvents({ client: client.unlimited(), clock, log });
  return dashboardRoutes({ cluster, authorizer, events, clock });
}
