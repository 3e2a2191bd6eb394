/** The status this controller writes, the conditions in it that are its own, and how they are marked. */

import type { PrepulledImage, PrepulledImageStatus } from '../../api/prepulled-image.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { type ConditionUpdate, setCondition } from '../../kube/condition.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';

export type Status = PrepulledImageStatus;
export const OWNED_CONDITIONS = ['CredentialsReady', 'Resolved', 'Prepulled'] as const;

/** What a phase is given. */
export interface Pass {
  readonly image: PrepulledImage;
  readonly draft: Draft<Status>;
  readonly context: PhaseContext;
}

/** Notes what a condition is to say. */
export type Mark = (words: ConditionUpdate) => void;

/** Sets conditions of this pass on its draft. */
export function marker({ image, draft, context: { now } }: Pass): Mark {
  const moment = { now, generation: image.metadata.generation };
  return (words) => {
    setCondition(draft, words, moment);
  };
}
