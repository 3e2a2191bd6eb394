/** Regular expressions of users: RE2 syntax and linear time, bounded in length and size before they are compiled. */

import { RE2JS, RE2JSException } from 're2js';

import { estimateSize } from './pattern-size.ts';
import { ok, type Problem, type Result, refuse } from './result.ts';

/** Linear is not cheap: a program this large takes about a millisecond for one tag of 128 characters. */
export const MAX_PROGRAM_SIZE = 500;
export const MAX_PATTERN_LENGTH = 256;
/** Program instructions times items that make one step of a fold, about a millisecond. */
const STEP_BUDGET = 5000;

export interface Pattern {
  readonly source: string;
  /** How many texts may be tested between two pauses of a fold. */
  readonly itemsPerStep: number;
  /** Whether it matches anywhere in the text: anchor it with ^ and $ for all of it. */
  readonly test: (text: string) => boolean;
  /** Text of a named group in the first match; undefined if there is no match or the group took no part. */
  readonly capture: (text: string, group: string) => string | undefined;
}

/** Refused: too long, too large, or not RE2 (no look-around, no back-references). */
export function compilePattern(source: string): Result<Pattern, Problem> {
  if (source.length > MAX_PATTERN_LENGTH) {
    return refuse(`a pattern has at most ${MAX_PATTERN_LENGTH} characters`, MAX_PATTERN_LENGTH);
  }
  // Compiling is what costs with large repeat counts, so their size is bounded before.
  if (estimateSize(source) > MAX_PROGRAM_SIZE) return refuse('the pattern repeats too much');
  const compiled = compile(source);
  if (!compiled.ok) return compiled;
  const size = compiled.value.programSize();
  if (size > MAX_PROGRAM_SIZE)
    return refuse(`the pattern is too large: ${size} steps, at most ${MAX_PROGRAM_SIZE}`);
  return ok(makePattern(source, compiled.value, size));
}

function compile(source: string): Result<RE2JS, Problem> {
  try {
    return ok(RE2JS.compile(source));
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return syntaxProblem(source, error);
  }
}

function makePattern(source: string, expression: RE2JS, size: number): Pattern {
  const prefix = literalPrefix(source);
  return {
    source,
    itemsPerStep: Math.max(1, Math.floor(STEP_BUDGET / size)),
    test: (text) => text.startsWith(prefix) && expression.test(text),
    capture(text, group) {
      const matcher = expression.matcher(text);
      return text.startsWith(prefix) && matcher.find() ? (matcher.group(group) ?? undefined) : undefined;
    },
  };
}

/** Text every match begins with, so that most tags need no matching at all; empty if none is certain. */
export function literalPrefix(source: string): string {
  if (source.includes('|')) return '';
  const [, literal = '', next = ''] = /^\^([A-Za-z0-9_-]*)(.?)/s.exec(source) ?? [];
  return /[*?{]/.test(next) ? literal.slice(0, -1) : literal;
}

function syntaxProblem(source: string, error: RE2JSException): Result<never, Problem> {
  const [, reason = error.message, fragment = ''] =
    /^error parsing regexp: (.*): `(.*)`$/s.exec(error.message) ?? [];
  return refuse(`not a regular expression in RE2 syntax: ${reason}`, Math.max(0, source.indexOf(fragment)));
}
