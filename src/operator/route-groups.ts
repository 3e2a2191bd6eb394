/** What the HTTP server serves, one line a group of routes. */

import type { RouteGroup } from '../server/route-group.ts';
import { createClusterReader } from './cluster-reader.ts';
import { dashboard } from './dashboard.ts';
import { document, reading } from './reading.ts';
import { records } from './records-api.ts';
import type { RouteGroupParts } from './route-group-parts.ts';
import { webhooks } from './webhooks.ts';

export function createRouteGroups(parts: RouteGroupParts): readonly RouteGroup[] {
  const cluster = createClusterReader(parts.caches);
  const groups = [...reading(parts, cluster), ...records(parts), webhooks(parts), dashboard(parts, cluster)];
  return [...groups, document(parts, groups)];
}
