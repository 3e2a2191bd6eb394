import { describe, expect, it } from 'vitest';
import {
  type ConditionHolder,
  findCondition,
  formatTime,
  isConditionTrue,
  removeCondition,
  setCondition,
} from '../../src/kube/condition.ts';

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0, 789);

describe('conditions', () => {
  it('are set, replaced in place, and removed', () => {
    const draft: ConditionHolder = {};
    const update = { type: 'Ready', status: 'False', reason: 'Waiting', message: 'm' } as const;
    setCondition(draft, update, { now: NOW, generation: 3 });
    setCondition(draft, { ...update, type: 'Other' }, { now: NOW, generation: undefined });
    const first = draft.conditions;
    setCondition(draft, { ...update, status: 'True', reason: 'Done' }, { now: NOW + 5_000, generation: 4 });
    expect(draft.conditions).toEqual([
      {
        type: 'Ready',
        status: 'True',
        reason: 'Done',
        message: 'm',
        observedGeneration: 4,
        lastTransitionTime: '2026-01-01T12:00:05Z',
      },
      {
        type: 'Other',
        status: 'False',
        reason: 'Waiting',
        message: 'm',
        lastTransitionTime: '2026-01-01T12:00:00Z',
      },
    ]);
    expect(first?.[0]?.reason).toBe('Waiting');
    removeCondition(draft, 'Ready');
    const rest = draft.conditions;
    removeCondition(draft, 'Ready');
    expect(draft.conditions).toBe(rest);
    expect([isConditionTrue(draft, 'Ready'), findCondition(undefined, 'Ready')]).toEqual([false, undefined]);
  });

  it('keep their transition time while the status stays', () => {
    const draft: ConditionHolder = {};
    const update = { type: 'Ready', status: 'False', reason: 'A', message: 'm' } as const;
    setCondition(draft, update, { now: NOW, generation: 1 });
    setCondition(draft, { ...update, reason: 'B' }, { now: NOW + 60_000, generation: 2 });
    expect(draft.conditions?.[0]).toMatchObject({ reason: 'B', lastTransitionTime: formatTime(NOW) });
  });

  it('cut messages that would drown the rest', () => {
    const draft: ConditionHolder = {};
    setCondition(
      draft,
      { type: 'Ready', status: 'False', reason: 'A', message: 'x'.repeat(5_000) },
      { now: NOW, generation: 1 },
    );
    expect(draft.conditions?.[0]?.message).toHaveLength(1_024);
  });
});
