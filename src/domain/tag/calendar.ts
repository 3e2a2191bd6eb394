/** Dates out of tags: days and ISO weeks, UTC, years 1 to 9999. */

const DAY_MS = 86_400_000;
const MAX_YEAR = 9999;

/** UTC midnight of a day in milliseconds since the epoch; undefined if there is no such day. */
export function dayMs(year: number, month: number, day: number): number | undefined {
  if (year < 1 || year > MAX_YEAR || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const ms = utcMs(year, month - 1, day);
  return new Date(ms).getUTCDate() === day ? ms : undefined;
}

/** UTC midnight of the Thursday of an ISO week; undefined if the year has no such week. */
export function weekMs(year: number, week: number): number | undefined {
  if (year < 1 || year > MAX_YEAR || week < 1 || week > 53) return undefined;
  // 4 January is always in week 1; ISO days count from Monday.
  const fourth = utcMs(year, 0, 4);
  const isoDay = (new Date(fourth).getUTCDay() + 6) % 7;
  const thursday = fourth + (3 - isoDay + (week - 1) * 7) * DAY_MS;
  return new Date(thursday).getUTCFullYear() === year ? thursday : undefined;
}

/** Date.UTC reads years below 100 as 19xx. */
function utcMs(year: number, month: number, day: number): number {
  return year >= 100 ? Date.UTC(year, month, day) : new Date(0).setUTCFullYear(year, month, day);
}
