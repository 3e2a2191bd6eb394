/** `larder record convert`: push items of pushsource as DockerImageRecords in files; no cluster, nothing is written. */

import { Command, Option } from 'commander';
import { dockerImageRecordSpecSchema } from '../api/docker-image-record.ts';
import { withoutNulls } from '../api/parse.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { readDocuments } from './image-source-file.ts';
import { badInput, CliError, type CliIo, readInput } from './io.ts';
import { OUTPUT_FORMATS, type OutputFormat, print, toYaml } from './output.ts';
import { groupByImage } from './push-group.ts';
import { type PushItems, type Refusal, readPushItems } from './push-item-file.ts';
import { buildPushRecord, type PushRecord } from './push-record.ts';

interface Flags {
  readonly output: OutputFormat;
  readonly spec?: string;
}

/** Fields that the items tell, and a file may not. */
const TOLD = ['name', 'version', 'image', 'contentKind', 'platforms', 'signing', 'provenance'];
/** So many items are named in one message. */
const MAX_NAMED = 4;

/** The command; exit code 1 if no record could be made of an item. */
export function convertPushItemsCommand(io: CliIo): Command {
  const output = new Option('-o, --output <format>', 'how they are printed');
  return new Command('convert')
    .description('print the container push items of pushsource as DockerImageRecords, for kubectl apply -f -')
    .argument('<file>', 'JSON list of push items, or one a line; - for standard input')
    .option('--spec <file>', 'YAML with fields of the spec that no push item tells, such as licence')
    .addOption(output.choices(OUTPUT_FORMATS).default('yaml'))
    .action(async (file: string, flags: Flags) => {
      const stated = await readSpec(io, flags.spec, file);
      const items = readPushItems(await readInput(io, file), file);
      const { records, refusals, notes } = convert(items, stated);
      printRecords(io, flags.output, records);
      for (const line of [...notes, ...refusals.flatMap(describeRefusal)]) io.writeError(`${line}\n`);
      const refused = refusals.reduce((sum, { indexes }) => sum + indexes.length, 0);
      const isIncomplete = refusals.some(({ reason }) => reason.startsWith('spec:'));
      const hint =
        isIncomplete && flags.spec === undefined ? '; what no push item tells comes from --spec' : '';
      if (refused > 0) throw new CliError(`${refused} of ${items.total} push items were refused${hint}`);
    });
}

async function readSpec(io: CliIo, path: string | undefined, file: string): Promise<JsonObject> {
  if (path === undefined) return {};
  if (path === '-' && file === '-') throw badInput('--spec', 'standard input is taken by the push items');
  const [spec = {}, ...more] = readDocuments(await readInput(io, path), path).map(withoutNulls);
  if (!isJsonObject(spec) || more.length > 0) throw badInput(path, 'not one object with fields of a spec');
  for (const field of Object.keys(spec)) {
    if (TOLD.includes(field)) throw badInput(`${path}: ${field}`, 'is told by the push items');
    if (!Object.hasOwn(dockerImageRecordSpecSchema.shape, field)) {
      throw badInput(`${path}: ${field}`, 'is no field of the spec of a DockerImageRecord');
    }
  }
  return spec;
}

interface Conversion {
  readonly records: readonly PushRecord[];
  /** By their first items. */
  readonly refusals: readonly Refusal[];
  readonly notes: readonly string[];
}

function convert(read: PushItems, stated: JsonObject): Conversion {
  const { groups, refusals: ungrouped } = groupByImage(read.images);
  const records: PushRecord[] = [];
  const refusals = [...read.refusals, ...ungrouped];
  const notes = [...read.others].map(([type, count]) => `left out: ${count} of type ${type}, no images`);
  for (const group of groups) {
    const indexes = group.items.map(({ index }) => index);
    const record = buildPushRecord(group, stated);
    if (!record.ok) {
      refusals.push({ indexes, reason: record.error.join('; ') });
      continue;
    }
    records.push(record.value);
    notes.push(...record.value.notes.map((note) => `${nameItems(indexes)}: ${note}`));
  }
  return {
    records,
    refusals: refusals.toSorted((left, right) => (left.indexes[0] ?? 0) - (right.indexes[0] ?? 0)),
    notes,
  };
}

function describeRefusal({ indexes, reason }: Refusal): string {
  return `${nameItems(indexes)}: ${reason}`;
}

function nameItems(indexes: readonly number[]): string {
  const named = indexes.slice(0, MAX_NAMED).map((index) => `items[${index}]`);
  const more = indexes.length - named.length;
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** YAML is a stream of documents; JSON has none: kubectl takes a List. */
function printRecords(io: CliIo, format: OutputFormat, records: readonly PushRecord[]): void {
  const manifests = records.map(({ manifest }) => manifest);
  if (format === 'yaml') io.writeOut(manifests.map((manifest) => `---\n${toYaml(manifest)}`).join(''));
  else {
    print(io, format, { apiVersion: 'v1', kind: 'List', items: manifests }, () => ({
      columns: ['NAME', 'VERSION', 'IMAGE'],
      rows: records.map(({ name, version, image }) => [name, version, image]),
    }));
  }
}
