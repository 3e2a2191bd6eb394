/** Events on a PrepulledImage beside those of Ready: one for each change. */

import type { EventNote } from '../../kube/events.ts';

/** The tag of spec.image means another digest: nodes are stocked anew. */
export function tagMoved(reference: string, from: string, to: string): EventNote {
  const message = `${reference} moved from ${from} to ${to}`;
  return { type: 'Normal', reason: 'TagMoved', action: 'Resolve', message };
}
