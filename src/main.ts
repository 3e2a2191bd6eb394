/** Entry: hands argv to the command line, stops on SIGTERM and SIGINT; nothing else. */

import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

import { runCli } from './cli/cli.ts';
import { systemClock } from './clock.ts';

const stop = new AbortController();
process.once('SIGTERM', () => {
  stop.abort(new Error('stopped by SIGTERM'));
});
process.once('SIGINT', () => {
  stop.abort(new Error('stopped by SIGINT'));
});

process.exitCode = await runCli(process.argv.slice(2), {
  readStdin: () => text(process.stdin),
  readFile: (path) => readFile(path, 'utf8'),
  writeOut: (output) => process.stdout.write(output),
  writeError: (output) => process.stderr.write(output),
  clock: systemClock,
  signal: stop.signal,
  stdinIsTerminal: process.stdin.isTTY,
  stdoutIsTerminal: process.stdout.isTTY,
  environment: process.env,
});
