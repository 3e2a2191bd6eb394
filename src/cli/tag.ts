/** `larder tag parse` and `larder tag sort`: what a tag says, and which is newer. */

import { Command, InvalidArgumentError, Option } from 'commander';

import { type Integer, integerToJson, parseInteger } from '../domain/integer.ts';
import { createGrammar, GRAMMAR_NAMES, type Grammar, type GrammarName } from '../domain/tag/grammar.ts';
import { formatDate, formatTagVersion, isPossibleAlias, type Tag, type TagType } from '../domain/tag/tag.ts';
import { argumentsOrLines, type CliIo } from './io.ts';
import { type OutputFormat, print, withOutput } from './output.ts';

/** One tag as `tag parse` prints it; integers beyond 2^53 as text. */
interface ParsedTag {
  readonly tag: string;
  readonly type: TagType;
  readonly displayName: string;
  readonly base: string | null;
  readonly version: string | null;
  readonly cycle: number | string | null;
  readonly cycleBuild: number | string | null;
  readonly rspBuild: number | string | null;
  readonly architecture: string | null;
  readonly extra: string | null;
  readonly date: string | null;
  readonly possibleAlias: boolean;
}

interface GrammarFlags {
  readonly grammar: GrammarName;
  readonly architectures: readonly string[];
  readonly output: OutputFormat;
}

interface ParseFlags extends GrammarFlags {
  readonly alias: boolean;
}

interface SortFlags extends GrammarFlags {
  readonly aliasTags: readonly string[];
  readonly cycle?: Integer;
}

export function tagCommand(io: CliIo): Command {
  return new Command('tag')
    .description('read and order tags without a cluster')
    .addCommand(parseCommand(io))
    .addCommand(sortCommand(io));
}

function parseCommand(io: CliIo): Command {
  return withGrammar(new Command('parse'))
    .description('what each tag says: type, version, date, name')
    .argument('[tag...]', 'tags; without any, the lines of standard input')
    .option('--alias', 'read the names as known aliases', false)
    .action(async (given: string[], flags: ParseFlags) => {
      const grammar = grammarOf(flags, []);
      const tags = await argumentsOrLines(io, given, 'tags');
      const parsed = tags.map((tag) => describeTag(flags.alias ? grammar.readAlias(tag) : grammar.read(tag)));
      print(io, flags.output, parsed, () => ({
        columns: ['TAG', 'TYPE', 'VERSION', 'DATE', 'NAME'],
        rows: parsed.map(({ tag, type, version, date, displayName }) => [
          tag,
          type,
          version,
          date,
          displayName,
        ]),
      }));
    });
}

function sortCommand(io: CliIo): Command {
  return withGrammar(new Command('sort'))
    .description('tags by type in the fixed order, newest first')
    .argument('[tag...]', 'tags; without any, the lines of standard input')
    .option('--alias-tags <names>', 'tags that are known aliases, joined by commas', splitList, [])
    .option('--cycle <number>', 'only tags of this cycle', readInteger)
    .action(async (given: string[], flags: SortFlags) => {
      const grammar = grammarOf(flags, flags.aliasTags);
      const tags = (await argumentsOrLines(io, given, 'tags')).map(grammar.read);
      const wanted = tags.filter(({ cycle }) => flags.cycle === undefined || cycle === flags.cycle);
      const sorted = wanted.sort(grammar.order);
      const names = sorted.map(({ tag }) => tag);
      print(io, flags.output, names, () => ({
        columns: ['TAG', 'TYPE', 'NAME'],
        rows: sorted.map(({ tag, type, displayName }) => [tag, type, displayName]),
      }));
    });
}

function withGrammar(command: Command): Command {
  return withOutput(command)
    .addOption(new Option('--grammar <name>', 'how tags are read').choices(GRAMMAR_NAMES).default('SemVer'))
    .option(
      '--architectures <names>',
      'RSP: endings that count as architecture; without, any',
      splitList,
      [],
    );
}

function grammarOf({ grammar, architectures }: GrammarFlags, aliases: readonly string[]): Grammar {
  return createGrammar({ name: grammar, recommended: '', aliases, architectures });
}

function describeTag(tag: Tag): ParsedTag {
  return {
    tag: tag.tag,
    type: tag.type,
    displayName: tag.displayName,
    base: tag.base,
    version: formatTagVersion(tag),
    cycle: jsonOrNull(tag.cycle),
    cycleBuild: jsonOrNull(tag.cycleBuild),
    rspBuild: jsonOrNull(tag.rspBuild),
    architecture: tag.architecture,
    extra: tag.extra,
    date: formatDate(tag.dateMs),
    possibleAlias: isPossibleAlias(tag),
  };
}

function jsonOrNull(value: Integer | null): number | string | null {
  return value === null ? null : integerToJson(value);
}

function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function readInteger(text: string): Integer {
  if (!/^[0-9]+$/.test(text)) throw new InvalidArgumentError('not a whole number.');
  return parseInteger(text);
}
