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
}

/** Runs `larder` with these arguments. Without `stdin`, standard input is a terminal. */
export async function larder(
  argv: readonly string[],
  { stdin, files = {}, nowMs, environment = {} }: CliInput = {},
): Promise<CliRun> {
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
    },
    writeError: (text) => {
      error += text;
    },
    clock: new FakeClock(nowMs),
    signal: new AbortController().signal,
    stdinIsTerminal: stdin === undefined,
    stdoutIsTerminal: false,
    environment,
  };
  const code = await runCli(argv, io);
  return { code, out, error };
}
