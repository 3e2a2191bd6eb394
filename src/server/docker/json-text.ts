/**
 * JSON as the original reads it: numbers keep their text (11.10 is not 11.1), and errors have the words and positions
 * of Python's decoder, which clients of the original see.
 */

import { err, ok, type Result } from '../../domain/result.ts';

/** A number as it was written. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get isInteger(): boolean {
    return /^-?[0-9]+$/.test(this.text);
  }

  get value(): number {
    return Number(this.text);
  }
}

/** By name; of repeated names the last one counts. */
export type JsonMap = ReadonlyMap<string, JsonValue>;
/** Any JSON. */
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonMap;

/** Deeper input is refused: nothing that we read nests more than five deep. */
const MAX_DEPTH = 64;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WHITE_SPACE = /[ \t\n\r]*/y;
/** What needs no second look within a string. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these
const PLAIN = /[^"\\\x00-\x1f]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

/** Internal: left by the first mistake, turned into a message by `parseJsonText`. */
class Mistake extends Error {
  override readonly name = 'Mistake';
  readonly position: number | undefined;

  constructor(message: string, position?: number) {
    super(message);
    this.position = position;
  }
}

/** The value, or a message such as `Expecting value: line 1 column 1 (char 0)`. */
export function parseJsonText(text: string): Result<JsonValue> {
  try {
    return ok(new Reader(text).readAll());
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    return err(
      error.position === undefined ? error.message : `${error.message}: ${place(text, error.position)}`,
    );
  }
}

/** Lines and columns count from 1, characters from 0; all of them are code points. */
function place(text: string, position: number): string {
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = codePoints(before.slice(before.lastIndexOf('\n') + 1)) + 1;
  return `line ${line} column ${column} (char ${codePoints(before)})`;
}

function codePoints(text: string): number {
  return Array.from(text).length;
}

class Reader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readAll(): JsonValue {
    if (this.#text.startsWith('\uFEFF'))
      throw new Mistake('Unexpected UTF-8 BOM (decode using utf-8-sig)', 0);
    this.#skip();
    const value = this.#value(0);
    this.#skip();
    if (this.#position < this.#text.length) throw new Mistake('Extra data', this.#position);
    return value;
  }

  #value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw new Mistake('Nested too deeply', this.#position);
    const next = this.#peek();
    if (next === '"') return this.#string();
    if (next === '{') return this.#object(depth);
    if (next === '[') return this.#array(depth);
    return this.#scalar();
  }

  #scalar(): JsonValue {
    for (const [word, value] of Object.entries(WORDS)) {
      if (this.#take(word)) return value;
    }
    for (const word of ['NaN', 'Infinity', '-Infinity']) {
      if (this.#text.startsWith(word, this.#position)) {
        throw new Mistake(`Out of range float values are not JSON compliant: '${word}'`);
      }
    }
    const number = this.#match(NUMBER);
    if (number === '') throw new Mistake('Expecting value', this.#position);
    return new JsonNumber(number);
  }

  #object(depth: number): JsonMap {
    this.#position += 1;
    const members = new Map<string, JsonValue>();
    this.#skip();
    if (this.#take('}')) return members;
    for (;;) {
      if (this.#peek() !== '"') {
        throw new Mistake('Expecting property name enclosed in double quotes', this.#position);
      }
      const name = this.#string();
      this.#skip();
      if (!this.#take(':')) throw new Mistake("Expecting ':' delimiter", this.#position);
      this.#skip();
      members.set(name, this.#value(depth + 1));
      if (this.#isLast('}')) return members;
    }
  }

  #array(depth: number): readonly JsonValue[] {
    this.#position += 1;
    const items: JsonValue[] = [];
    this.#skip();
    if (this.#take(']')) return items;
    for (;;) {
      items.push(this.#value(depth + 1));
      if (this.#isLast(']')) return items;
    }
  }

  /** After a member: whether the bracket closes; otherwise a comma has been read. */
  #isLast(bracket: string): boolean {
    this.#skip();
    if (this.#take(bracket)) return true;
    if (!this.#take(',')) throw new Mistake("Expecting ',' delimiter", this.#position);
    this.#skip();
    return false;
  }

  #string(): string {
    const start = this.#position;
    this.#position += 1;
    let value = '';
    for (;;) {
      value += this.#match(PLAIN);
      const next = this.#peek();
      if (next === undefined) throw new Mistake('Unterminated string starting at', start);
      if (next !== '"' && next !== '\\') throw new Mistake('Invalid control character at', this.#position);
      this.#position += 1;
      if (next === '"') return value;
      value += this.#escape(start);
    }
  }

  #escape(start: number): string {
    const at = this.#position - 1;
    const letter = this.#peek();
    if (letter === undefined) throw new Mistake('Unterminated string starting at', start);
    this.#position += 1;
    if (letter !== 'u') {
      const character = ESCAPES[letter];
      if (character === undefined) throw new Mistake('Invalid \\escape', at);
      return character;
    }
    const digits = this.#text.slice(this.#position, this.#position + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new Mistake('Invalid \\uXXXX escape', at + 1);
    this.#position += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #peek(): string | undefined {
    return this.#text[this.#position];
  }

  #take(word: string): boolean {
    const isNext = this.#text.startsWith(word, this.#position);
    if (isNext) this.#position += word.length;
    return isNext;
  }

  #skip(): void {
    this.#match(WHITE_SPACE);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#position += found.length;
    return found;
  }
}
