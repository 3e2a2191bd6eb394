/** A registry that knows who asks and says no. What lies on a node then must not be used by that identity (KEP-2535). */

import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { RegistryReason } from '../../api/reasons.ts';
import { type Condition, type ConditionHolder, findCondition } from '../../kube/condition.ts';

const REFUSALS: ReadonlySet<string> = new Set<RegistryReason>(['Unauthorized', 'Forbidden']);

/**
 * Whether a reason means that the credentials of the object are refused. With `access.provider` we ask as ourselves
 * and nodes as themselves: that we are refused says nothing about them.
 */
export function isRefusal({ spec: { access } }: PrepulledImage, reason: string): boolean {
  return access.provider === 'None' && REFUSALS.has(reason);
}

/** The resolution that failed because the registry refuses the credentials of the object, if it did. */
export function findRefusal(image: PrepulledImage, draft: ConditionHolder): Condition | undefined {
  const resolved = findCondition(draft, 'Resolved');
  return resolved?.status === 'False' && isRefusal(image, resolved.reason) ? resolved : undefined;
}
