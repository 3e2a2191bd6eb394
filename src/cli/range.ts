/** `larder range test`: which versions a range takes, in either dialect. */

import { Command, Option } from 'commander';

import { compileRange, DIALECTS, type Dialect, type Range } from '../domain/range/range.ts';
import { readLooseVersion } from '../domain/tag/version.ts';
import { argumentsOrLines, badInput, type CliIo } from './io.ts';
import { type OutputFormat, print, withOutput } from './output.ts';

interface Flags {
  readonly dialect: Dialect;
  readonly prereleases: boolean;
  readonly output: OutputFormat;
}

export function rangeCommand(io: CliIo): Command {
  const test = withOutput(new Command('test'))
    .description('whether each version is in the range')
    .argument('<range>', 'such as ">=2 <3"')
    .argument('[version...]', 'versions; without any, the lines of standard input')
    .addOption(new Option('--dialect <name>', 'whose syntax the range is').choices(DIALECTS).default('npm'))
    .option('--prereleases', 'pre-releases count even where the range names none', false)
    .action(async (text: string, given: string[], { dialect, prereleases, output }: Flags) => {
      const range = compileRange(text, dialect, prereleases);
      if (!range.ok)
        throw badInput(`range ${JSON.stringify(text)}`, range.error.message, range.error.position);
      const versions = await argumentsOrLines(io, given, 'versions');
      const tested = versions.map((version) => testVersion(range.value, version));
      print(io, output, tested, () => ({
        columns: ['VERSION', 'MATCHES'],
        rows: tested.map(({ version, matches }) => [version, matches]),
      }));
    });
  return new Command('range').description('test version ranges').addCommand(test);
}

function testVersion(range: Range, text: string): { readonly version: string; readonly matches: boolean } {
  const version = readLooseVersion(text);
  if (version === undefined)
    throw badInput(`version ${JSON.stringify(text)}`, 'not a version', firstOddity(text));
  return { version: text, matches: range.includes(version) };
}

/** Where a text stops looking like a version. */
function firstOddity(text: string): number {
  return /^v?[0-9]*(?:\.[0-9]+){0,2}(?:[-+][0-9A-Za-z.-]*)*/.exec(text)?.[0].length ?? 0;
}
