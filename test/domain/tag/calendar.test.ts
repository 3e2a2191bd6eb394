import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { dayMs, weekMs } from '../../../src/domain/tag/calendar.ts';

const DAY_MS = 86_400_000;

/** The slow way, by Date objects. */
function dateMs(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined;
}

describe('days', () => {
  it('agree with Date for every day there may be', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 31 }),
        (year, month, day) => {
          expect(dayMs(year, month, day)).toBe(dateMs(year, month, day));
        },
      ),
    );
  });

  it.each([
    [2024, 2, 29, true],
    [2023, 2, 29, false],
    [1900, 2, 29, false],
    [2000, 2, 29, true],
    [2024, 2, 30, false],
    [2024, 4, 31, false],
    [2024, 12, 31, true],
    [2024, 0, 1, false],
    [2024, 13, 1, false],
    [2024, 1, 0, false],
    [2024, 1, 32, false],
    [0, 1, 1, false],
    [1, 1, 1, true],
    [9999, 12, 31, true],
    [10_000, 1, 1, false],
  ])('%s-%s-%s exists: %s', (year, month, day, exists) => {
    expect(dayMs(year, month, day) !== undefined).toBe(exists);
  });

  it('are UTC midnight', () => {
    expect(dayMs(1970, 1, 1)).toBe(0);
    expect(dayMs(1969, 12, 31)).toBe(-DAY_MS);
    expect(dayMs(2077, 10, 23)).toBe(Date.UTC(2077, 9, 23));
  });
});

describe('weeks', () => {
  it('are their Thursday, in the year they are counted in', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 9999 }), fc.integer({ min: 1, max: 53 }), (year, week) => {
        const ms = weekMs(year, week);
        if (ms === undefined) {
          expect(week).toBe(53);
          return;
        }
        expect(new Date(ms).getUTCDay()).toBe(4);
        expect(new Date(ms).getUTCFullYear()).toBe(year);
        expect(Math.floor((ms - Date.UTC(year, 0, 1)) / DAY_MS / 7)).toBe(week - 1);
      }),
    );
  });

  it.each([
    [2020, 53, '2020-12-31'],
    [2021, 1, '2021-01-07'],
    [2077, 45, '2077-11-11'],
    [2015, 53, '2015-12-31'],
    [1, 1, '0001-01-04'],
  ])('%s week %s is %s', (year, week, date) => {
    expect(new Date(weekMs(year, week) ?? 0).toISOString().slice(0, 10)).toBe(date);
  });

  it.each([
    [2021, 53],
    [2021, 54],
    [2021, 0],
    [0, 1],
    [10_000, 1],
  ])('%s has no week %s', (year, week) => {
    expect(weekMs(year, week)).toBeUndefined();
  });
});
