import { beforeEach, describe, expect, it } from 'vitest';
import type { Draft } from '../../src/kube/conclusion.ts';
import type { Condition } from '../../src/kube/condition.ts';
import { UnwrittenStatuses } from '../../src/kube/unwritten.ts';
import type { Widget, WidgetStatus } from './fixtures.ts';

let unwritten: UnwrittenStatuses<WidgetStatus>;

beforeEach(() => {
  unwritten = new UnwrittenStatuses(['Sized', 'Painted', 'Priced']);
});

function condition(type: string, reason = 'Said'): Condition {
  return { type, status: 'True', reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
}

function stored(status?: WidgetStatus, uid = 'u'): Widget {
  return { metadata: { namespace: 'default', name: 'a', uid }, ...(status && { status }) };
}

/** A pass over `object` that changes its draft so. */
function pass(object: Widget, change: (draft: Draft<WidgetStatus>) => void): void {
  const draft = unwritten.startDraft(object);
  change(draft);
  unwritten.note(object, draft);
}

describe('what a pass could not write', () => {
  it('is what the next one begins with', () => {
    const object = stored({ size: 1, note: 'old', conditions: [condition('Ready')] });
    const found: WidgetStatus = { size: 2, conditions: [condition('Sized'), condition('Ready', 'Changed')] };
    pass(object, (draft) => {
      Object.assign(draft, found, { note: undefined });
    });
    expect(unwritten.startDraft(object)).toEqual(found);
    pass(object, (draft) => {
      draft.note = 'more';
    });
    expect(unwritten.startDraft(object)).toEqual({ ...found, note: 'more' });
  });

  it('is a copy for each pass', () => {
    const object = stored();
    pass(object, (draft) => {
      draft.conditions = [condition('Ready')];
    });
    const draft = unwritten.startDraft(object);
    expect(draft.conditions?.[0]).not.toBe(unwritten.startDraft(object).conditions?.[0]);
  });

  it('takes back nothing that somebody else has written meanwhile', () => {
    const before = ['Ready', 'Sized', 'Painted'].map((type) => condition(type));
    pass(stored({ size: 1, note: 'old', conditions: before }), (draft) => {
      draft.size = 2;
      draft.conditions = [condition('Ready'), condition('Sized', 'Changed')];
    });
    const after = [
      ...['Ready', 'Sized', 'Painted'].map((type) => condition(type, 'Newer')),
      condition('Priced'),
    ];
    expect(unwritten.startDraft(stored({ size: 3, note: 'newer', conditions: after }))).toEqual({
      size: 2,
      note: 'newer',
      conditions: [condition('Ready', 'Newer'), condition('Sized', 'Changed'), condition('Priced')],
    });
    // Somebody has taken off what the pass did not touch.
    expect(unwritten.startDraft(stored({ conditions: [] }))).toEqual({
      size: 2,
      conditions: [condition('Sized', 'Changed')],
    });
  });

  it('says nothing of a successor of the same name, of other objects, and of conditions of others', () => {
    pass(stored(), (draft) => {
      draft.size = 2;
    });
    expect(unwritten.startDraft(stored({ size: 1 }, 'successor'))).toEqual({ size: 1, conditions: [] });
    const other: Widget = { metadata: { namespace: 'other', name: 'a', uid: 'u' } };
    expect(unwritten.startDraft(other)).toEqual({ conditions: [] });
    expect(unwritten.startDraft(stored({ conditions: [condition('Foreign')] }))).toEqual({
      size: 2,
      conditions: [],
    });
  });

  it('is over when it was written, or the object is gone', () => {
    pass(stored(), (draft) => {
      draft.size = 2;
    });
    unwritten.forget({ namespace: 'default', name: 'a' });
    expect(unwritten.startDraft(stored())).toEqual({ conditions: [] });
  });
});
