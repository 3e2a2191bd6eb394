/** What the HTTP server serves, one line a group of routes. */

import type { Authorizer } from '../server/authorize.ts';
import type { RouteGroup } from '../server/route-group.ts';
import type { Caches } from './caches.ts';
import type { Process } from './process.ts';

export interface RouteGroupParts {
  readonly process: Process;
  readonly caches: Caches;
  readonly authorizer: Authorizer;
}

export function createRouteGroups({ process }: RouteGroupParts): readonly RouteGroup[] {
  process.log.debug('nothing is served yet');
  return [];
}
