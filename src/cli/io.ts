/** What a verb may touch of the outside world; tests hand in their own. */

import type { Clock } from '../clock.ts';

/** Made of the process by main.ts. */
export interface CliIo {
  /** Everything on standard input. */
  readonly readStdin: () => Promise<string>;
  /** @throws an Error with a readable message if the file cannot be read */
  readonly readFile: (path: string) => Promise<string>;
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
  readonly clock: Clock;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Exit codes of every verb, as documented in docs/cli.md. */
export const EXIT = { ok: 0, failed: 1, badInput: 2, incomplete: 3 } as const;

/** Ends a verb with a message for people and an exit code; never has a stack printed. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Input that cannot be read as what it should be: exit code 2, with the place. */
export function badInput(what: string, message: string, position?: number): CliError {
  const place = position === undefined ? '' : ` (at position ${position})`;
  return new CliError(`${what}: ${message}${place}`, EXIT.badInput);
}

/** The text behind a path, "-" being standard input. */
export function readInput(io: CliIo, path: string): Promise<string> {
  return path === '-' ? io.readStdin() : io.readFile(path);
}

/** JSON that a person wrote, so the parser's message helps. @throws CliError that names `what` */
export function parseInput(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badInput(what, error instanceof Error ? error.message : 'not JSON');
  }
}

/** Arguments, or the lines of standard input if there are none (or only "-"); blank lines are left out. */
export async function argumentsOrLines(
  io: CliIo,
  given: readonly string[],
  what: string,
): Promise<readonly string[]> {
  if (given.length > 0 && !(given.length === 1 && given[0] === '-')) return given;
  if (given.length === 0 && io.stdinIsTerminal)
    throw badInput(what, 'none given, neither as arguments nor on standard input');
  const lines = (await io.readStdin()).split(/\r?\n/);
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}
