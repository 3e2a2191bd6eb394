/** Entry: hands argv to the command line, stops on SIGTERM and SIGINT, or when nobody reads on; nothing else. */

import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

import { runCli } from './cli/cli.ts';
import { stayAlive, systemClock } from './clock.ts';

/** What a shell reports of a process that SIGTERM has ended. */
const EXIT_AT_ONCE = 143;
/** What a shell reports of a process that SIGPIPE has ended: Node ignores that signal. */
const EXIT_UNREAD = 141;

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // The first process of a container has no default action: whoever asks twice must be obeyed here.
    if (stop.signal.aborted) process.exit(EXIT_AT_ONCE);
    stop.abort(new Error(`stopped by ${signal}`));
  });
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT_UNREAD);
  });
}

const alive = stayAlive();
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
alive.cancel();
