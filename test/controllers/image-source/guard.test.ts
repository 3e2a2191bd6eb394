import { describe, expect, it } from 'vitest';
import { type GuardQuestion, listRevision, rejectList } from '../../../src/controllers/image-source/guard.ts';

const HOUR_MS = 3_600_000;
const START = Date.parse('2026-11-01T10:00:00Z');

function question(overrides: Partial<GuardQuestion> = {}): GuardQuestion {
  return {
    tags: ['a'],
    before: ['a', 'b', 'c', 'd'],
    rejected: undefined,
    maxRemovedPercent: 50,
    requested: false,
    now: START,
    ...overrides,
  };
}

describe('rejectList', () => {
  it('does not believe a list that has lost more than it may', () => {
    expect(rejectList(question())).toEqual({
      listRevision: listRevision(['a']),
      scans: 1,
      since: '2026-11-01T10:00:00Z',
      tags: 1,
      removedPercent: 75,
    });
  });

  it.each([
    ['exactly half', { tags: ['a', 'b'] }],
    ['nothing of the known ones, but all are new ones besides', { tags: ['a', 'b', 'c', 'd', 'e'] }],
    ['most, on request', { requested: true }],
    ['everything, the first time', { before: undefined, tags: [] }],
    ['most, where that is allowed', { maxRemovedPercent: 75 }],
    ['as many as were known before a restart', { before: 2, tags: ['x'] }],
  ])('believes a list that has lost %s', (_case, overrides) => {
    expect(rejectList(question(overrides))).toBeUndefined();
  });

  it('counts what is missing, not what is left: other tags do not make up for it', () => {
    expect(rejectList(question({ tags: ['v', 'w', 'x', 'y', 'z'] }))?.removedPercent).toBe(100);
  });

  it('knows only the number after a restart', () => {
    expect(rejectList(question({ before: 100 }))?.removedPercent).toBe(99);
  });

  it('believes the third equal list, if an hour has passed', () => {
    const first = rejectList(question());
    const second = rejectList(question({ rejected: first, now: START + HOUR_MS }));
    expect(second).toMatchObject({ scans: 2, since: '2026-11-01T10:00:00Z' });
    expect(rejectList(question({ rejected: second, now: START + HOUR_MS }))).toBeUndefined();
    expect(rejectList(question({ rejected: second, now: START + HOUR_MS - 1 }))).toMatchObject({ scans: 3 });
  });

  it('begins again when the list changes', () => {
    const rejected = { ...rejectList(question()), scans: 2 } as NonNullable<GuardQuestion['rejected']>;
    expect(rejectList(question({ tags: ['b'], rejected, now: START + HOUR_MS }))).toMatchObject({ scans: 1 });
  });
});

it('a revision is another for each of many lists that are much alike', () => {
  const tags = Array.from({ length: 300 }, (_, n) => `w_2026_${String(n)}`);
  const lists = tags.flatMap((tag, n) => [
    tags.toSpliced(n, 1),
    tags.with(n, `${tag}0`),
    tags.with(n, tag.toUpperCase()),
  ]);
  const revisions = new Set([[], tags, ...lists].map(listRevision));
  expect(revisions.size).toBe(902);
  for (const revision of revisions) expect(revision).toMatch(/^[0-9a-f]{16}$/);
});

it('a revision depends on the tags, not on their order', () => {
  expect(listRevision(['a', 'b'])).toBe(listRevision(['b', 'a']));
  expect(listRevision(['a', 'b'])).not.toBe(listRevision(['ab']));
});
