/** `larder record import`: the images of a UFDL server become DockerImageRecords that keep their keys. */

import { Command } from 'commander';
import { ApiError } from '../kube/api-error.ts';
import { RefusedRequest } from '../server/docker/answer.ts';
import { createImage } from '../server/docker/create-image.ts';
import { NO_LOGIN } from '../server/docker/image-view.ts';
import type { JsonValue } from '../server/docker/json-text.ts';
import { CliError, type CliIo } from './io.ts';
import { type OutputFormat, print, type Table, withOutput } from './output.ts';
import { type RecordCluster, type RecordFlags, withRecordOptions, withRecords } from './record-cluster.ts';
import { type PlannedImage, type PresentRecord, planImport } from './record-plan.ts';
import { readImages, TOKEN_VARIABLE } from './record-source.ts';

interface Flags extends RecordFlags {
  readonly output: OutputFormat;
  readonly tokenFile?: string;
  readonly dryRun?: true;
}

/** What is printed of an image; with --dry-run nothing was written. */
interface Imported {
  readonly pk: number | null;
  readonly name: string;
  readonly version: string;
  readonly result: 'created' | 'unchanged' | 'refused';
  readonly note: string;
}

/** The command; exit code 1 if an image was refused. */
export function importRecordsCommand(io: CliIo): Command {
  return withRecordOptions(withOutput(new Command('import')))
    .description('create the records that are missing; what is there is compared and never changed')
    .argument(
      '<source>',
      'JSON file with a list of images, - for standard input, or http(s)://…/v1/docker/list',
    )
    .option('--token-file <path>', `bearer token for the URL; without: ${TOKEN_VARIABLE}`)
    .option('--dry-run', 'writes nothing')
    .action(async (source: string, flags: Flags) => {
      const images = await readImages(io, source, flags.tokenFile);
      const imported = await withRecords(io, flags, async (cluster) => {
        const present = await readPresent(cluster, images.some(tellsLogin), io.signal);
        const plan = planImport(images, present, cluster.catalogue);
        return carryOut(plan, cluster, { signal: io.signal, dryRun: flags.dryRun === true });
      });
      print(io, flags.output, imported, () => table(imported));
      const refused = imported.filter(({ result }) => result === 'refused').length;
      if (refused > 0) throw new CliError(`${refused} of ${imported.length} images were refused`);
    });
}

/** Secrets are read only if there is something to compare them with. */
async function readPresent(
  { records, logins }: RecordCluster,
  withLogins: boolean,
  signal: AbortSignal,
): Promise<readonly PresentRecord[]> {
  const present: PresentRecord[] = [];
  for (const record of await records.list({}, signal)) {
    present.push({ record, login: withLogins ? await logins.read(record, signal) : NO_LOGIN });
  }
  return present;
}

function tellsLogin(image: JsonValue): boolean {
  const members =
    image instanceof Map ? (image as ReadonlyMap<string, JsonValue>) : new Map<string, JsonValue>();
  return ['registry_username', 'registry_password'].some((name) => (members.get(name) ?? null) !== null);
}

async function carryOut(
  plan: readonly PlannedImage[],
  cluster: RecordCluster,
  { signal, dryRun }: { readonly signal: AbortSignal; readonly dryRun: boolean },
): Promise<readonly Imported[]> {
  const imported: Imported[] = [];
  for (const { image, verdict, pk, name, version, note } of plan) {
    const head = { pk, name, version };
    if (verdict !== 'create' || image === undefined) {
      imported.push({ ...head, result: verdict === 'unchanged' ? verdict : 'refused', note });
      continue;
    }
    const problem = dryRun ? undefined : await create(cluster, image, signal);
    imported.push({ ...head, result: problem === undefined ? 'created' : 'refused', note: problem ?? note });
  }
  return imported;
}

/** Why it could not be created; nothing a person could not act on. */
async function create(
  cluster: RecordCluster,
  { input, pk }: NonNullable<PlannedImage['image']>,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await createImage(cluster, input, signal, pk);
    return undefined;
  } catch (error) {
    if (error instanceof RefusedRequest) return JSON.stringify(error.answer.body);
    if (error instanceof ApiError && !error.temporary) return error.message;
    throw error;
  }
}

function table(imported: readonly Imported[]): Table {
  return {
    columns: ['PK', 'NAME', 'VERSION', 'RESULT', 'NOTE'],
    rows: imported.map(({ pk, name, version, result, note }) => [pk, name, version, result, note]),
  };
}
