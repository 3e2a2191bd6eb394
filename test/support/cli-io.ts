/** A command line in a box: arguments and files in, output and exit code out. */

import { runCli } from '../../src/cli/cli.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { FakeClock } from './fake-clock.ts';

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

export interface CliInput {
  readonly stdin?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly nowMs?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Stepped by the test; without, it stands still. */
  readonly clock?: FakeClock;
  readonly signal?: AbortSignal;
  /** Told of every piece of output as it comes. */
  readonly onOut?: (text: string) => void;
}

/** Runs `larder` with these arguments. Without `stdin`, standard input is a terminal. */
export async function larder(argv: readonly string[], input: CliInput = {}): Promise<CliRun> {
  const { stdin, files = {}, nowMs, environment = {} } = input;
  const { clock = new FakeClock(nowMs), signal = new AbortController().signal } = input;
  let out = '';
  let error = '';
  const io: CliIo = {
    readStdin: () => Promise.resolve(stdin ?? ''),
    readFile: (path) => {
      const content = files[path];
      return content === undefined
        ? Promise.reject(new Error(`cannot read ${path}`))
        : Promise.resolve(content);
    },
    writeOut: (text) => {
      out += text;
      input.onOut?.(text);
    },
    writeError: (text) => {
      error += text;
    },
    clock,
    signal,
    stdinIsTerminal: stdin === undefined,
    stdoutIsTerminal: false,
    environment,
  };
  const code = await runCli(argv, io);
  return { code, out, error };
}
