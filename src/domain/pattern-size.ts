/** How large a regular expression becomes when its counted repeats are written out, without compiling it. */

const COUNT = /\{([0-9]+)(?:,([0-9]*))?\}/y;
const ESCAPE = /\\(?:[pP](?:\{[^}]*\}|.)|x\{[^}]*\}|x[0-9A-Fa-f]{2}|.)/sy;
const QUOTE = /\\Q([^]*?)(?:\\E|$)/y;
const CLASS = /\[\^?\]?(?:\\.|\[:[^\]]*:\]|[^\]\\])*\]?/sy;

/** Atoms after unrolling {n,m}; an upper bound of the right order, for well-formed and malformed text alike. */
export function estimateSize(source: string): number {
  const open: number[] = [];
  let total = 0;
  let last = 0;
  let position = 0;
  while (position < source.length) {
    const [length, kind, atoms = 1] = nextToken(source, position);
    if (kind === 'open') {
      open.push(total);
      total = 0;
      last = 0;
    } else if (kind === 'close') {
      last = total + 1;
      total = (open.pop() ?? 0) + last;
    } else if (typeof kind === 'number') {
      total += last * (kind - 1);
      last *= kind;
    } else if (kind === 'atom' && atoms > 0) {
      last = 1;
      total += atoms;
    }
    position += length;
  }
  return total + open.reduce((sum, outer) => sum + outer, 0);
}

type Token = readonly [length: number, kind: 'open' | 'close' | 'atom' | 'mark' | number, atoms?: number];

/** One token: a bracket, an atom or a quotation of several, a mark that repeats or separates, or a count (as its number). */
function nextToken(source: string, position: number): Token {
  const character = source.charAt(position);
  switch (character) {
    case '(':
      return [1, 'open'];
    case ')':
      return [1, 'close'];
    case '{':
      return countToken(source, position);
    case '\\':
      return quoteToken(source, position) ?? [matchLength(ESCAPE, source, position), 'atom'];
    case '[':
      return [matchLength(CLASS, source, position), 'atom'];
    default:
      return [1, '*+?|'.includes(character) ? 'mark' : 'atom'];
  }
}

function quoteToken(source: string, position: number): Token | undefined {
  QUOTE.lastIndex = position;
  const [text, quoted = ''] = QUOTE.exec(source) ?? [];
  return text === undefined ? undefined : [text.length, 'atom', quoted.length];
}

function countToken(source: string, position: number): Token {
  COUNT.lastIndex = position;
  const match = COUNT.exec(source);
  if (match === null) return [1, 'atom'];
  const [text, least = '0', most = ''] = match;
  return [text.length, Math.max(1, Number(least), Number(most))];
}

function matchLength(expression: RegExp, source: string, position: number): number {
  expression.lastIndex = position;
  return expression.exec(source)?.[0].length ?? 1;
}
