/** The program `larder`: its verbs, and how every run ends. */

import { Command, CommanderError } from 'commander';

import { VERSION } from '../version.ts';
import { CliError, type CliIo, EXIT } from './io.ts';

type MakeCommand = (io: CliIo) => Command;

/** One line a verb. Loaded when asked for: reading a tag should not have to load the operator. */
const VERBS: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  run: async () => (await import('./run.ts')).runCommand,
  plan: async () => (await import('./plan.ts')).planCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  crds: async () => (await import('./crds.ts')).crdsCommand,
  export: async () => (await import('./export.ts')).exportCommand,
  select: async () => (await import('./select.ts')).selectCommand,
  scan: async () => (await import('./scan.ts')).scanCommand,
  inspect: async () => (await import('./inspect.ts')).inspectCommand,
  tag: async () => (await import('./tag.ts')).tagCommand,
  reference: async () => (await import('./reference.ts')).referenceCommand,
  record: async () => (await import('./record.ts')).recordCommand,
  range: async () => (await import('./range.ts')).rangeCommand,
  duration: async () => (await import('./duration.ts')).durationCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
};

/** Runs one command line (without node and script) and resolves with the exit code; never throws for bad input. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const writeError = (text: string): void => {
    io.writeError(withoutControls(text));
  };
  const harmless = { ...io, writeError };
  try {
    const program = await buildProgram(harmless, argv[0]);
    await program.parseAsync([...argv], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return report(error, harmless);
  }
}

/** Messages quote registries and clusters, which must not write to the terminal. */
function withoutControls(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, '?');
}

/** The whole program, or only the verb that is asked for. */
async function buildProgram(io: CliIo, verb: string | undefined): Promise<Command> {
  const program = new Command('larder')
    .description('Keeps the nodes of a cluster stocked with the container images that matter')
    .version(VERSION);
  // Completion speaks of all verbs.
  const asked = Object.entries(VERBS).filter(([name]) => name === verb && verb !== 'completion');
  for (const [, load] of asked.length > 0 ? asked : Object.entries(VERBS)) {
    const makeCommand = await load();
    program.addCommand(makeCommand(io));
  }
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
