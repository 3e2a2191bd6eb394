/** What the HTTP server serves, one line a group of routes. */

import type { Authorizer } from '../server/authorize.ts';
import type { RouteGroup } from '../server/route-group.ts';
import type { Caches } from './caches.ts';
import type { Process } from './process.ts';
import { webhooks } from './webhooks.ts';

export interface RouteGroupParts {
  readonly process: Process;
  readonly caches: Caches;
  readonly authorizer: Authorizer;
}

export function createRouteGroups(parts: RouteGroupParts): readonly RouteGroup[] {
  return [webhooks(parts)];
}
