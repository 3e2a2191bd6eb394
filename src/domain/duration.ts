/**
 * Durations as Go writes them, held in milliseconds.
 *
 *   duration = [ "+" / "-" ] ( "0" / 1*( decimal unit ) )       unit = "ns" / "us" / "µs" / "ms" / "s" / "m" / "h"
 */

import { ok, type Problem, type Result, refuse } from './result.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  μs: 0.001,
  ns: 0.000_001,
};
const PART = /([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)/y;
/** Go counts nanoseconds in 64 bits: about 292 years. */
const MAX_MS = (2 ** 63 - 1) / 1_000_000;

/** Thrown by `parseDuration`. */
export class InvalidDurationError extends Error {
  override readonly name = 'InvalidDurationError';
  readonly position: number;

  constructor(text: string, problem: Problem) {
    super(`parsing duration ${JSON.stringify(text)}: ${problem.message} (at ${problem.position})`);
    this.position = problem.position;
  }
}

/** Milliseconds (may have a fraction, may be negative). */
export function validateDuration(text: string): Result<number, Problem> {
  const signed = text.startsWith('-') || text.startsWith('+') ? 1 : 0;
  const sign = text.startsWith('-') ? -1 : 1;
  if (text.slice(signed) === '0') return ok(0);
  if (text.length === signed) return refuse('a duration is a number and a unit, such as "5m"', signed);
  const total = sumParts(text, signed);
  return total.ok ? ok(total.value === 0 ? 0 : sign * total.value) : total;
}

function sumParts(text: string, start: number): Result<number, Problem> {
  let total = 0;
  let position = start;
  while (position < text.length) {
    PART.lastIndex = position;
    const part = PART.exec(text);
    if (part === null) return partProblem(text, position);
    const [whole, amount = '', unit = ''] = part;
    total += Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
    position += whole.length;
  }
  return total > MAX_MS ? refuse('longer than 292 years') : ok(total);
}

/** @throws InvalidDurationError */
export function parseDuration(text: string): number {
  const result = validateDuration(text);
  if (!result.ok) throw new InvalidDurationError(text, result.error);
  return result.value;
}

export function isValidDuration(text: string): boolean {
  return validateDuration(text).ok;
}

/** The shortest text that reads back as the same milliseconds: 90000 is "1m30s", 0 is "0s". */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  let rest = Math.abs(ms);
  const hours = Math.floor(rest / 3_600_000);
  rest -= hours * 3_600_000;
  const minutes = Math.floor(rest / 60_000);
  rest -= minutes * 60_000;
  return (
    sign +
    [hours > 0 && `${hours}h`, minutes > 0 && `${minutes}m`, formatSeconds(rest)].filter(Boolean).join('')
  );
}

function formatSeconds(ms: number): string {
  if (ms === 0) return '';
  if (ms < 1) return `${Math.round(ms * 1_000_000)}ns`;
  if (ms < 1000) return `${Number(ms.toFixed(6))}ms`;
  return `${Number((ms / 1000).toFixed(9))}s`;
}

function partProblem(text: string, position: number): Result<never, Problem> {
  const digits = /^(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)/.exec(text.slice(position))?.[0] ?? '';
  if (digits === '') return refuse('a number is expected', position);
  const known = 'one of the units h, m, s, ms, us, ns is expected';
  return refuse(known, position + digits.length);
}
