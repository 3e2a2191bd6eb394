/** Fields that every kind has: the shared part of spec and status. */
import * as z from 'zod';
import { accessSchema } from './access.ts';
import { conditions } from './conditions.ts';
import { count, duration, text } from './fields.ts';

/** spec.interval, spec.suspend and spec.access. */
export const commonSpecFields = {
  interval: duration('10s').default('5m').describe('How often the registry is asked again.'),
  suspend: z
    .boolean()
    .default(false)
    .describe('No new work for this object; what is running ends. Ready says so.'),
  access: accessSchema
    .prefault({})
    .describe('How the registry is reached, and which secrets pull pods carry.'),
};

/** status.conditions (at most `maxConditions` types), status.observedGeneration and status.lastHandledReconcileAt. */
export function commonStatusFields(maxConditions: number): {
  conditions: ReturnType<typeof conditions>;
  observedGeneration: z.ZodOptional<z.ZodInt>;
  lastHandledReconcileAt: z.ZodOptional<z.ZodString>;
} {
  return {
    conditions: conditions(maxConditions),
    observedGeneration: count().optional().describe('Last generation that became Ready or Stalled.'),
    lastHandledReconcileAt: text(128)
      .optional()
      .describe(
        "Value of the annotation larder.dev/reconcile-requested-at (or Flux's) that was answered last.",
      ),
  };
}
