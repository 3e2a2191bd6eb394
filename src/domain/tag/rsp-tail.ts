/**
 * What follows the version in a tag of the Rubin Science Platform, and the parts of a mere name.
 *
 *   tail         = [ "_c" number "." number ] [ "_rsp" number ] [ "_" extra ] [ "-" architecture ]
 *   extra        = 1*character            ; as few as possible
 *   architecture = 1*( %x61-7A / DIGIT )  ; at the very end
 *
 * Scanned by hand: a repository has a hundred thousand of them, and match arrays are what would cost most.
 */

/** Where the parts of a tail are in its tag: places instead of texts, because few are ever looked at as text. */
export interface Tail {
  /** Where the tail begins. */
  readonly start: number;
  /** The "." of the cycle; 0 if there is no cycle. */
  readonly buildDot: number;
  /** `start` if there is no cycle. */
  readonly cycleEnd: number;
  /** `cycleEnd` if there is no RSP build; what is between it and `dash` is the extra, with its underscore. */
  readonly rspEnd: number;
  /** The dash before the architecture; the end of the tag if there is none. */
  readonly dash: number;
}

/** The parts as they were written; undefined where there is none. */
export interface TailTexts {
  readonly cycle: string | undefined;
  readonly cycleBuild: string | undefined;
  readonly rspBuild: string | undefined;
  readonly extra: string | undefined;
  readonly architecture: string | undefined;
}

/** Endings that count as an architecture; empty: all of the form do. */
export type Architectures = ReadonlySet<string>;

const UNDERSCORE = 0x5f;
const DASH = 0x2d;
const DOT = 0x2e;

/** Finds the parts of the tail from `start` to the end; undefined if the text is none. */
export function readTail(tag: string, start: number, architectures: Architectures): Tail | undefined {
  let buildDot = tag.startsWith('_c', start) ? cycleDot(tag, start) : 0;
  let cycleEnd = buildDot === 0 ? start : skipDigits(tag, buildDot + 1);
  let rspEnd = rspBuildEnd(tag, cycleEnd);
  for (;;) {
    const dash = restDash(tag, rspEnd, architectures);
    if (dash >= 0) return { start, buildDot, cycleEnd, rspEnd, dash };
    if (rspEnd === start) return undefined;
    // A part that is followed by something else is no part: it belongs to the extra.
    if (rspEnd === cycleEnd) {
      buildDot = 0;
      cycleEnd = start;
    }
    rspEnd = cycleEnd;
  }
}

/** The texts of a tail's parts. */
export function tailTexts(tag: string, { start, buildDot, cycleEnd, rspEnd, dash }: Tail): TailTexts {
  return {
    cycle: buildDot === 0 ? undefined : tag.slice(start + 2, buildDot),
    cycleBuild: buildDot === 0 ? undefined : tag.slice(buildDot + 1, cycleEnd),
    rspBuild: rspEnd === cycleEnd ? undefined : tag.slice(cycleEnd + 4, rspEnd),
    extra: rspEnd === dash ? undefined : tag.slice(rspEnd + 1, dash),
    architecture: dash === tag.length ? undefined : tag.slice(dash + 1),
  };
}

/** Parts of a tag that is only a name: `base [ "_c" number ] [ "-" architecture ]`. Every text is one. */
export function readNameParts(
  tag: string,
  architectures: Architectures,
): { readonly base: string; readonly cycle: string | undefined; readonly architecture: string | undefined } {
  const dash = architectureDash(tag, 0, architectures);
  const name = dash < 0 ? tag : tag.slice(0, dash);
  const architecture = dash < 0 ? undefined : tag.slice(dash + 1);
  const mark = name.lastIndexOf('_c');
  const isCycle = mark >= 0 && mark + 2 < name.length && skipDigits(name, mark + 2) === name.length;
  if (!isCycle) return { base: name, cycle: undefined, architecture };
  return { base: name.slice(0, mark), cycle: name.slice(mark + 2), architecture };
}

/** Index after the digits that begin at `start`. */
export function skipDigits(text: string, start: number): number {
  let end = start;
  while (isDigit(text.charCodeAt(end))) end++;
  return end;
}

/** Index of the "." in "_cN.N"; 0 if it is none: a cycle needs its build here. */
function cycleDot(tag: string, start: number): number {
  const dot = skipDigits(tag, start + 2);
  if (dot === start + 2 || tag.charCodeAt(dot) !== DOT || !isDigit(tag.charCodeAt(dot + 1))) return 0;
  return dot;
}

/** Index after "_rspN"; `start` if it is none. */
function rspBuildEnd(tag: string, start: number): number {
  if (!tag.startsWith('_rsp', start)) return start;
  const end = skipDigits(tag, start + 4);
  return end === start + 4 ? start : end;
}

/** `Tail.dash`, if what begins at `begin` is extra and architecture up to the end; -1 if it is not. */
function restDash(tag: string, begin: number, architectures: Architectures): number {
  if (begin === tag.length) return begin;
  // At least one character is extra, so an architecture cannot begin right after the underscore.
  const hasExtra = tag.charCodeAt(begin) === UNDERSCORE && begin + 1 < tag.length;
  const dash = architectureDash(tag, hasExtra ? begin + 2 : begin, architectures);
  if (hasExtra) return dash < 0 ? tag.length : dash;
  return dash === begin ? dash : -1;
}

/** Index of the dash before an architecture at the very end, not before `from`; -1 if there is none. */
function architectureDash(tag: string, from: number, architectures: Architectures): number {
  let begin = tag.length;
  while (begin > from && isArchitectureCharacter(tag.charCodeAt(begin - 1))) begin--;
  const dash = begin - 1;
  if (dash < from || begin === tag.length || tag.charCodeAt(dash) !== DASH) return -1;
  return architectures.size === 0 || architectures.has(tag.slice(begin)) ? dash : -1;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isArchitectureCharacter(code: number): boolean {
  return isDigit(code) || (code >= 0x61 && code <= 0x7a);
}
