/** Last phase of every kind: what came from a registry or a node must never get a whole status refused. */

import type { KindDefinition } from '../api/crd-definition.ts';
import { fitStatus } from '../api/status-limits.ts';
import { done, type Result } from '../kube/result.ts';

/** Cuts the draft to the limits of the kind's schema. */
export function fitPhase(definition: KindDefinition) {
  return (_object: unknown, draft: object): Result => {
    Object.assign(draft, fitStatus(definition, draft));
    return done;
  };
}
