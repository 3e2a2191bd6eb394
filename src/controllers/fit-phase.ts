/** Last phase that edits the status: what came from a registry or a node must never get it refused as a whole. */

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
