/** The program `larder`: its verbs, and how every run ends. */

import { Command, CommanderError } from 'commander';

import { VERSION } from '../version.ts';
import { crdsCommand } from './crds.ts';
import { durationCommand } from './duration.ts';
import { inspectCommand } from './inspect.ts';
import { CliError, type CliIo, EXIT } from './io.ts';
import { rangeCommand } from './range.ts';
import { referenceCommand } from './reference.ts';
import { runCommand } from './run.ts';
import { scanCommand } from './scan.ts';
import { selectCommand } from './select.ts';
import { tagCommand } from './tag.ts';

/** One line a verb: a function that makes its command. */
const VERBS: readonly ((io: CliIo) => Command)[] = [
  runCommand,
  crdsCommand,
  selectCommand,
  scanCommand,
  inspectCommand,
  tagCommand,
  referenceCommand,
  rangeCommand,
  durationCommand,
];

/** Runs one command line (without node and script) and resolves with the exit code; never throws for bad input. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    await buildProgram(io).parseAsync([...argv], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return report(error, io);
  }
}

function buildProgram(io: CliIo): Command {
  const program = new Command('larder')
    .description('Keeps the nodes of a cluster stocked with the container images that matter')
    .version(VERSION);
  for (const verb of VERBS) program.addCommand(verb(io));
  for (const command of allCommands(program)) {
    command.exitOverride().configureOutput({ writeOut: io.writeOut, writeErr: io.writeError });
  }
  return program;
}

function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** Help and version are fine; wrong usage is bad input and commander has said so already. */
function report(error: unknown, io: CliIo): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
  if (error instanceof CliError) {
    io.writeError(`larder: ${error.message}\n`);
    return error.exitCode;
  }
  io.writeError(`larder: ${error instanceof Error ? error.message : String(error)}\n`);
  return EXIT.failed;
}
