/** Conditions by the kstatus conventions: Ready always, Reconciling and Stalled only while they are true. */

/** Unknown means: not determined yet. */
export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** As stored: `metav1.Condition`. */
export interface Condition {
  readonly type: string;
  readonly status: ConditionStatus;
  /** CamelCase noun of the cause. */
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number | undefined;
  /** RFC 3339; moves only when `status` changes. */
  readonly lastTransitionTime: string;
}

/** What a phase says about one aspect; generation and time are filled in by `setCondition`. */
export type ConditionUpdate = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** The part of a status this module edits; arrays are replaced, never mutated in place. */
export interface ConditionHolder {
  conditions?: readonly Condition[] | undefined;
}

/** When and for which generation a condition is set. */
export interface ConditionMoment {
  /** Wall-clock milliseconds. */
  readonly now: number;
  readonly generation: number | undefined;
}

/** The API server refuses more than 32,768; anything near that hides the point. */
const MESSAGE_LIMIT = 1024;

/** Sets or replaces one condition of the draft. The transition time moves only if the status changed. */
export function setCondition(draft: ConditionHolder, update: ConditionUpdate, moment: ConditionMoment): void {
  const before = findCondition(draft, update.type);
  const condition: Condition = {
    type: update.type,
    status: update.status,
    reason: update.reason,
    message: clip(update.message),
    ...(moment.generation === undefined ? {} : { observedGeneration: moment.generation }),
    lastTransitionTime: before?.status === update.status ? before.lastTransitionTime : formatTime(moment.now),
  };
  const others = draft.conditions ?? [];
  draft.conditions =
    before === undefined
      ? [...others, condition]
      : others.map((each) => (each === before ? condition : each));
}

/** Removes a condition; abnormal-true conditions are absent rather than False. */
export function removeCondition(draft: ConditionHolder, type: string): void {
  if (findCondition(draft, type) === undefined) return;
  draft.conditions = (draft.conditions ?? []).filter((condition) => condition.type !== type);
}

/** The condition of that type, if it is there. */
export function findCondition(
  holder: { readonly conditions?: readonly Condition[] | undefined } | undefined,
  type: string,
): Condition | undefined {
  return holder?.conditions?.find((condition) => condition.type === type);
}

/** False also for a condition that is missing or Unknown. */
export function isConditionTrue(
  holder: { readonly conditions?: readonly Condition[] | undefined } | undefined,
  type: string,
): boolean {
  return findCondition(holder, type)?.status === 'True';
}

/** RFC 3339 without fraction, the precision of `metav1.Time`: a stored time reads back equal. */
export function formatTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

function clip(message: string): string {
  return message.length <= MESSAGE_LIMIT ? message : `${message.slice(0, MESSAGE_LIMIT - 1)}…`;
}
