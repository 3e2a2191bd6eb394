/** Conditions by kstatus: the list-map every status carries. */
import * as z from 'zod';
import { count, listMap, matching, text, time } from './fields.ts';

/** Longest condition message, in characters; writers cut theirs to it. */
const CONDITION_MESSAGE_MAX = 1024;

const CONDITION_STATUSES = ['True', 'False', 'Unknown'] as const;

export const conditionSchema = z.object({
  type: matching('^[A-Z][A-Za-z]*$', 'must be CamelCase', 64).describe('What it says something about.'),
  status: z.enum(CONDITION_STATUSES).describe('Whether that holds.'),
  reason: matching('^[A-Z][A-Za-z0-9]*$', 'must be CamelCase', 64).describe('Why, as one word.'),
  message: text(CONDITION_MESSAGE_MAX).describe('Why, as a sentence for people.'),
  lastTransitionTime: time().describe('When status changed last.'),
  observedGeneration: count().optional().describe('Generation of the spec that this was found for.'),
});

/** A metav1.Condition. */
export type Condition = Readonly<z.output<typeof conditionSchema>>;
export type ConditionStatus = Condition['status'];

/** The conditions of one kind, at most `max` types. */
export function conditions(max: number): z.ZodOptional<z.ZodArray<typeof conditionSchema>> {
  return listMap(conditionSchema, 'type', max)
    .optional()
    .describe(
      'Ready is always present; Reconciling only while work is pending; Stalled only if a person must act.',
    );
}
