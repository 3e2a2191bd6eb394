/** `larder select`: what an ImageSource would select from a tag list, without registry or cluster. */

import { Command, InvalidArgumentError } from 'commander';

import { toSelectionSpec } from '../controllers/image-source/selection-spec.ts';
import { runFold } from '../domain/fold.ts';
import { eligibleNodes, presenceOf } from '../domain/image-source.ts';
import type { ListedTag } from '../domain/listing.ts';
import type { NodeFacts, NodeScope } from '../domain/node.ts';
import {
  compileSelection,
  droppedTags,
  planSelection,
  type Selection,
  type SelectionPlan,
} from '../domain/selection.ts';
import {
  displayedTags,
  type PublishedImage,
  type SelectedImage,
  type SelectionResult,
  summarise,
} from '../domain/selection-result.ts';
import { concludeSelection, type SourceImages } from '../domain/source-images.ts';
import { type SpawnerImages, spawnerImages } from '../domain/spawner.ts';
import { readImageSource } from './image-source-file.ts';
import { badInput, type CliIo, readInput } from './io.ts';
import { readNodeList } from './node-list.ts';
import { type OutputFormat, print, type Table, withOutput } from './output.ts';
import { readTagList } from './tag-list.ts';

interface Flags {
  readonly file: string;
  readonly tags: string;
  readonly nodes?: string;
  readonly now?: number;
  readonly output: OutputFormat;
}

/** What `larder select -o json` prints. */
export interface SelectOutput {
  readonly recommended: PublishedImage | null;
  readonly latestWeekly: PublishedImage | null;
  readonly latestDaily: PublishedImage | null;
  readonly latestRelease: PublishedImage | null;
  readonly images: readonly SelectedImage[];
  readonly displayed: readonly string[];
  readonly dropped: readonly { readonly tag: string; readonly reason: string }[];
  readonly spawner: SpawnerImages;
}

export function selectCommand(io: CliIo): Command {
  return withOutput(new Command('select'))
    .description('what an ImageSource selects from a tag list, and why not the rest; needs no cluster')
    .requiredOption('-f, --file <path>', 'YAML or JSON of the ImageSource, "-" for standard input')
    .requiredOption('--tags <path>', 'JSON array of tags, or of {tag, digest, size?}; "-" for standard input')
    .option('--nodes <path>', 'NodeList as printed by kubectl get nodes -o json')
    .option('--now <time>', 'RFC 3339 time to judge ages by; without, the present', readTime)
    .action(async (flags: Flags) => {
      if (flags.file === '-' && flags.tags === '-')
        throw badInput('--tags', 'standard input is taken by --file');
      const source = readImageSource(await readInput(io, flags.file), flags.file);
      const tags = readTagList(await readInput(io, flags.tags));
      const nodes = flags.nodes === undefined ? [] : readNodeList(await readInput(io, flags.nodes));
      const selection = compile(toSelectionSpec(source.spec));
      const scope: NodeScope = source.spec.prepull?.nodes ?? {};
      const output = select(selection, tags, { nodes, scope, nowMs: flags.now ?? io.clock.now() });
      print(io, flags.output, output, () => toTables(output));
    });
}

/** @throws CliError for a selection that cannot be compiled */
export function compile(spec: ReturnType<typeof toSelectionSpec>): Selection {
  const result = compileSelection(spec);
  if (!result.ok) throw badInput(`spec.${result.error.field}`, result.error.message, result.error.position);
  return result.value;
}

interface Surroundings {
  readonly nodes: readonly NodeFacts[];
  readonly scope: NodeScope;
  readonly nowMs: number;
}

function select(
  selection: Selection,
  tags: readonly ListedTag[],
  { nodes, scope, nowMs }: Surroundings,
): SelectOutput {
  const plan = runFold(planSelection(selection, tags, nowMs));
  const facts = {
    digests: new Map(),
    eligibleNodes: eligibleNodes(nodes, scope),
    presence: presenceOf(nodes),
  };
  return describeSelection(selection, plan, runFold(concludeSelection(selection, plan, facts)));
}

/** What is printed of a selection, whether its tags came from a file or from a registry. */
export function describeSelection(
  selection: Selection,
  plan: SelectionPlan,
  source: SourceImages,
): SelectOutput {
  return {
    ...publicFields(runFold(summarise(source))),
    displayed: [...displayedTags(source)],
    dropped: [...droppedTags(selection, plan)],
    spawner: spawnerImages(source),
  };
}

function publicFields(result: SelectionResult): Omit<SelectOutput, 'displayed' | 'dropped' | 'spawner'> {
  const { recommended, latestWeekly, latestDaily, latestRelease, images } = result;
  return { recommended, latestWeekly, latestDaily, latestRelease, images };
}

/** For people. */
export function toTables({ images, dropped }: SelectOutput): readonly Table[] {
  return [
    {
      columns: ['TAG', 'TYPE', 'PREPULLED', 'RULES', 'ALIASES', 'NAME'],
      rows: images.map((image) => [
        image.tag,
        image.type,
        image.prepulled,
        image.rules.join(','),
        image.aliases.join(','),
        image.name,
      ]),
    },
    { columns: ['DROPPED', 'REASON'], rows: dropped.map(({ tag, reason }) => [tag, reason]) },
  ];
}

function readTime(text: string): number {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i.test(text);
  const ms = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError('not an RFC 3339 time such as 2026-01-31T12:00:00Z.');
  return ms;
}
