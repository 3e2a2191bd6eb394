/** How a pass's outcome becomes Ready, Reconciling and Stalled (kstatus), and when observedGeneration moves. */

import {
  type Condition,
  type ConditionMoment,
  type ConditionStatus,
  isConditionTrue,
  removeCondition,
  setCondition,
} from './condition.ts';
import type { KubeObject } from './resource.ts';
import { TerminalError, TransientError, WaitingError } from './result.ts';

/** The condition types the runtime itself writes, for every kind. */
export const SUMMARY_CONDITIONS = ['Ready', 'Reconciling', 'Stalled'] as const;

/** Reason of Reconciling after a failure that is tried again. */
export const RETRYING = 'ProgressingWithRetry';

/** The part of a status that every kind shares. */
export interface CommonStatus {
  readonly conditions?: readonly Condition[] | undefined;
  readonly observedGeneration?: number | undefined;
  /** Value of the last reconcile-request annotation that was answered. */
  readonly lastHandledReconcileAt?: string | undefined;
}

/** A status being edited: members may be set; nested values are replaced, not changed. */
export type Draft<S> = { -readonly [K in keyof S]: S[K] };

/** What Ready shall say after a pass in which nothing was thrown. */
export interface Summary {
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
  /** Present while work is pending: Reconciling=True with these words. */
  readonly progressing?: { readonly reason: string; readonly message: string } | undefined;
  /** Only a person can help, although the phases came to their end: Stalled=True with the words of Ready. */
  readonly stalled?: boolean | undefined;
}

/** How a pass over an object ended. */
export type PassOutcome =
  | { readonly kind: 'concluded'; readonly summary: Summary }
  | { readonly kind: 'suspended' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Writes the outcome into the draft. */
export function conclude(
  draft: Draft<CommonStatus>,
  object: KubeObject,
  outcome: PassOutcome,
  now: number,
): void {
  const moment: ConditionMoment = { now, generation: object.metadata.generation };
  switch (outcome.kind) {
    case 'concluded':
      markReady(draft, outcome.summary, moment);
      break;
    case 'suspended':
      markReady(draft, { status: 'False', reason: 'Suspended', message: 'spec.suspend is set' }, moment);
      break;
    case 'failed':
      markFailed(draft, outcome.error, moment);
      break;
  }
  if (isConditionTrue(draft, 'Ready') || isConditionTrue(draft, 'Stalled')) {
    draft.observedGeneration = moment.generation;
  }
}

function markReady(draft: Draft<CommonStatus>, summary: Summary, moment: ConditionMoment): void {
  const { status, reason, message, progressing, stalled } = summary;
  setCondition(draft, { type: 'Ready', status, reason, message }, moment);
  if (stalled === true) setCondition(draft, { type: 'Stalled', status: 'True', reason, message }, moment);
  else removeCondition(draft, 'Stalled');
  if (progressing === undefined) removeCondition(draft, 'Reconciling');
  else setCondition(draft, { type: 'Reconciling', status: 'True', ...progressing }, moment);
}

function markFailed(draft: Draft<CommonStatus>, error: unknown, moment: ConditionMoment): void {
  const { reason, message } = wordsOf(error);
  setCondition(draft, { type: 'Ready', status: 'False', reason, message }, moment);
  if (error instanceof TerminalError) {
    removeCondition(draft, 'Reconciling');
    setCondition(draft, { type: 'Stalled', status: 'True', reason, message }, moment);
    return;
  }
  removeCondition(draft, 'Stalled');
  const retrying = error instanceof WaitingError ? reason : RETRYING;
  setCondition(draft, { type: 'Reconciling', status: 'True', reason: retrying, message }, moment);
}

/** Errors made for users bring their own words; of all others only the message is shown, never a stack. */
function wordsOf(error: unknown): { readonly reason: string; readonly message: string } {
  if (error instanceof TerminalError || error instanceof WaitingError || error instanceof TransientError) {
    return { reason: error.reason, message: error.message };
  }
  return { reason: 'ReconcileFailed', message: error instanceof Error ? error.message : 'unknown failure' };
}
