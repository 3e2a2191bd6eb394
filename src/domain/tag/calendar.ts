/** Dates out of tags: days and ISO weeks, UTC, years 1 to 9999; by arithmetic, because Date objects are slow. */

const DAY_MS = 86_400_000;
const MAX_YEAR = 9999;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
/** Days before each month of a year that is not a leap year. */
const DAYS_BEFORE = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const;
/** Days from 0001-01-01 to 1970-01-01. */
const EPOCH_DAY = 719_162;

/** UTC midnight of a day in milliseconds since the epoch; undefined if there is no such day. */
export function dayMs(year: number, month: number, day: number): number | undefined {
  if (year < 1 || year > MAX_YEAR || month < 1 || month > 12 || day < 1) return undefined;
  const leap = month === 2 && isLeapYear(year) ? 1 : 0;
  if (day > (MONTH_DAYS[month - 1] ?? 0) + leap) return undefined;
  return (dayNumber(year, month) + day - 1) * DAY_MS;
}

/** UTC midnight of the Thursday of an ISO week; undefined if the year has no such week. */
export function weekMs(year: number, week: number): number | undefined {
  if (year < 1 || year > MAX_YEAR || week < 1 || week > 53) return undefined;
  // 4 January is always in week 1, and 1970-01-01 was a Thursday.
  const fourth = dayNumber(year, 1) + 3;
  const sinceThursday = (((fourth + 3) % 7) + 7) % 7;
  const thursday = fourth + 3 - sinceThursday + (week - 1) * 7;
  return thursday < dayNumber(year + 1, 1) ? thursday * DAY_MS : undefined;
}

/** Days from the epoch to the first of a month. */
function dayNumber(year: number, month: number): number {
  const before = year - 1;
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  const inYear = (DAYS_BEFORE[month - 1] ?? 0) + (month > 2 && isLeapYear(year) ? 1 : 0);
  return before * 365 + leapDays + inYear - EPOCH_DAY;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
