/** Whole numbers of any size: a plain number where it is exact, a bigint beyond. */

/** Never negative. A value has one form only, so `===` compares and `<` works across both. */
export type Integer = number | bigint;

/** Digits that always fit a double exactly. */
const SAFE_DIGITS = 15;

/** Reads decimal digits (leading zeros allowed, nothing else). */
export function parseInteger(digits: string): Integer {
  if (digits.length <= SAFE_DIGITS) return Number(digits);
  const value = BigInt(digits);
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** As `parseInteger` of `text.slice(start, end)`, without making that text. */
export function readDigits(text: string, start: number, end: number): Integer {
  if (end - start > SAFE_DIGITS) return parseInteger(text.slice(start, end));
  let value = 0;
  for (let index = start; index < end; index++) value = value * 10 + text.charCodeAt(index) - 0x30;
  return value;
}

export function compareIntegers(left: Integer, right: Integer): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** JSON form: a number where JSON keeps it exact, else its digits. */
export function integerToJson(value: Integer): number | string {
  return typeof value === 'number' ? value : value.toString();
}
