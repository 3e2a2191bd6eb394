/** `larder record export`: DockerImageRecords as a UFDL server lists its images. */

import { Command, Option } from 'commander';
import { type ImageView, NO_LOGIN, viewImage } from '../server/docker/image-view.ts';
import type { CliIo } from './io.ts';
import { OUTPUT_FORMATS, type OutputFormat, print } from './output.ts';
import { type RecordCluster, type RecordFlags, withRecordOptions, withRecords } from './record-cluster.ts';

interface Flags extends RecordFlags {
  readonly output: OutputFormat;
  readonly withCredentials?: true;
}

/** The command; prints JSON unless told otherwise. */
export function exportRecordsCommand(io: CliIo): Command {
  const output = new Option('-o, --output <format>', 'how they are printed');
  return withRecordOptions(new Command('export'))
    .description('print the records as a UFDL server lists its images; import takes them')
    .addOption(output.choices(OUTPUT_FORMATS).default('json'))
    .option('--with-credentials', 'with the logins of registries, which needs the right to get their Secrets')
    .action(async (flags: Flags) => {
      const withCredentials = flags.withCredentials === true;
      const views = await withRecords(io, flags, (cluster) => viewAll(cluster, withCredentials, io.signal));
      print(io, flags.output, views, () => ({
        columns: ['PK', 'NAME', 'VERSION', 'URL'],
        rows: views.map(({ pk, name, version, url }) => [pk, name, version, url]),
      }));
    });
}

async function viewAll(
  { records, logins, catalogue }: RecordCluster,
  withCredentials: boolean,
  signal: AbortSignal,
): Promise<readonly ImageView[]> {
  const views: ImageView[] = [];
  for (const record of await records.list({}, signal)) {
    const login = withCredentials ? await logins.read(record, signal) : NO_LOGIN;
    const view = viewImage(record, catalogue, login);
    if (view !== undefined) views.push(view);
  }
  return views.sort((left, right) => left.pk - right.pk);
}
