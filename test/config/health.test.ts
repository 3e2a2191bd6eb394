/** What Argo CD shows for each state that an object of ours can be in. */

import { describe, expect, it } from 'vitest';
import { CONDITIONS, type ConditionType } from '../../src/api/reasons.ts';
import { healthOf, whyNoLua } from '../support/lua.ts';

const refusal = await whyNoLua();
if (refusal !== undefined) process.stderr.write(`skipped: health in Argo CD: ${refusal}\n`);

interface State {
  readonly spec?: object;
  readonly metadata?: object;
  readonly conditions?: readonly object[];
}

function object({ spec = {}, metadata = {}, conditions }: State): object {
  return {
    metadata: { name: 'lab', generation: 2, ...metadata },
    spec: { image: 'r.io/lab', ...spec },
    ...(conditions !== undefined && { status: { conditions, observedGeneration: 1 } }),
  };
}

function condition(type: ConditionType, status: string, reason: string, observedGeneration = 2): object {
  return { type, status, reason, message: `the "message"\nof ${reason}`, observedGeneration };
}

const STATES: readonly (readonly [what: string, state: State, status: string, message: string])[] = [
  ['not seen yet', {}, 'Progressing', 'Waiting for the operator'],
  ['seen without conditions', { conditions: [] }, 'Progressing', 'Waiting for the operator'],
  ['ready', { conditions: [condition('Ready', 'True', 'Stocked')] }, 'Healthy', 'Stocked: the "message"'],
  [
    'ready without nodes',
    { conditions: [condition('Ready', 'True', 'NoEligibleNodes')] },
    'Healthy',
    'NoEligible',
  ],
  [
    'ready for an older spec',
    { conditions: [condition('Ready', 'True', 'Stocked', 1)] },
    'Progressing',
    'generation 2',
  ],
  [
    'failed for an older spec',
    { conditions: [condition('Ready', 'False', 'Forbidden', 1)] },
    'Progressing',
    'generation',
  ],
  ['being stocked', { conditions: [condition('Ready', 'False', 'Stocking')] }, 'Progressing', 'Stocking: '],
  ['begun', { conditions: [condition('Ready', 'Unknown', 'Progressing')] }, 'Progressing', 'Progressing: '],
  [
    'refused by its registry',
    { conditions: [condition('Ready', 'False', 'Unauthorized')] },
    'Degraded',
    'Unauthorized',
  ],
  [
    'without its secret',
    { conditions: [condition('Ready', 'False', 'SecretAccessDenied')] },
    'Degraded',
    'SecretAccess',
  ],
  [
    'missing on nodes',
    { conditions: [condition('Ready', 'False', 'NodesMissing')] },
    'Degraded',
    'NodesMissing',
  ],
  [
    'failed and tried again',
    {
      conditions: [
        condition('Reconciling', 'True', 'ProgressingWithRetry'),
        condition('Ready', 'False', 'TooManyRequests'),
      ],
    },
    'Degraded',
    'TooManyRequests',
  ],
  [
    'stalled',
    { conditions: [condition('Ready', 'False', 'InvalidSpec'), condition('Stalled', 'True', 'InvalidSpec')] },
    'Degraded',
    'InvalidSpec: the "message"',
  ],
  [
    'suspended',
    { spec: { suspend: true }, conditions: [condition('Ready', 'True', 'Suspended')] },
    'Suspended',
    'suspend',
  ],
  [
    'being deleted',
    {
      metadata: { deletionTimestamp: '2026-11-21T00:00:00Z' },
      conditions: [condition('Ready', 'True', 'Stocked')],
    },
    'Progressing',
    'Being deleted',
  ],
];

describe.skipIf(refusal !== undefined)('health in Argo CD of an object', () => {
  it.each(STATES)('%s', async (_what, state, status, message) => {
    const health = await healthOf(object(state));
    expect(health.status).toBe(status);
    expect(health.message).toContain(message);
  });

  it('rests on conditions that every kind has', () => {
    for (const types of Object.values(CONDITIONS)) {
      expect(types).toEqual(expect.arrayContaining(['Ready', 'Stalled']));
    }
  });
});
