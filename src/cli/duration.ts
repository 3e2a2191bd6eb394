/** `larder duration parse`: Go durations in milliseconds. */

import { Command } from 'commander';

import { formatDuration, validateDuration } from '../domain/duration.ts';
import { argumentsOrLines, badInput, type CliIo } from './io.ts';
import { type OutputFormat, print, withOutput } from './output.ts';

export function durationCommand(io: CliIo): Command {
  const parse = withOutput(new Command('parse'))
    .description('milliseconds and shortest form of each duration, such as 1h30m')
    .argument('[duration...]', 'durations; without any, the lines of standard input')
    .action(async (given: string[], { output }: { output: OutputFormat }) => {
      const parsed = (await argumentsOrLines(io, given, 'durations')).map(describeDuration);
      print(io, output, parsed, () => ({
        columns: ['DURATION', 'MILLISECONDS', 'SHORTEST'],
        rows: parsed.map(({ input, milliseconds, shortest }) => [input, milliseconds, shortest]),
      }));
    });
  return new Command('duration').description('read Go durations').addCommand(parse);
}

interface ParsedDuration {
  readonly input: string;
  readonly milliseconds: number;
  readonly shortest: string;
}

function describeDuration(input: string): ParsedDuration {
  const result = validateDuration(input);
  if (!result.ok)
    throw badInput(`duration ${JSON.stringify(input)}`, result.error.message, result.error.position);
  return { input, milliseconds: result.value, shortest: formatDuration(result.value) };
}
