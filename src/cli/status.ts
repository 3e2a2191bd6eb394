/** `larder status`: which images are where, as a table for people and an exit code for pipelines. */

import { Command, InvalidArgumentError, Option } from 'commander';
import type { ImageSource } from '../api/image-source.ts';
import { sleep } from '../clock.ts';
import { formatBytes } from '../controllers/prepulled-image/bytes.ts';
import { validateDuration } from '../domain/duration.ts';
import { compareNames } from '../domain/sorted-names.ts';
import type { MissingNode } from '../domain/stock-report.ts';
import { ApiError } from '../kube/api-error.ts';
import type { KubeClient } from '../kube/client.ts';
import { type Condition, findCondition, isConditionTrue } from '../kube/condition.ts';
import { formatKey } from '../kube/resource.ts';
import { type ImageCoverage, imageCoverage } from '../server/image-coverage.ts';
import { describeCoverage, sourceOf } from '../server/stocked-image.ts';
import { type ClusterFlags, readCluster, withCluster, withClusterOptions } from './cluster.ts';
import { badInput, CliError, type CliIo, EXIT } from './io.ts';
import { formatTable, type OutputFormat, print, type Table, withOutput } from './output.ts';

interface Flags extends ClusterFlags {
  readonly output: OutputFormat;
  readonly source?: string | undefined;
  readonly missing?: true;
  readonly watch?: true;
  readonly wait?: true;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Between two looks of --watch and --wait. */
const LOOK_MS = 2_000;
const DEFAULT_TIMEOUT_MS = 600_000;
const CLEAR_SCREEN = '\u001B[2J\u001B[H';

export function statusCommand(io: CliIo): Command {
  return withClusterOptions(withOutput(new Command('status')))
    .description(
      'which images are on which nodes, and why not on the others; exit code 3 if some are missing',
    )
    .option('--source <namespace/name>', 'only images of this ImageSource; with -n its name will do')
    .option('--missing', 'one line for each node that lacks an image, and why')
    .option('-w, --watch', 'shows every change until interrupted')
    .option('--wait', 'waits until every image is on every node that should have it')
    .addOption(
      new Option('--timeout <duration>', 'how long --wait waits')
        .argParser(readDuration)
        .default(DEFAULT_TIMEOUT_MS, '10m'),
    )
    .action(async (given: Flags) => {
      const flags = { ...given, source: keyOfSource(given) };
      const { images, source } = await withCluster(io, flags, (client) => observe(io, client, flags));
      // Watching is ended by whoever watches: there is nothing to fail.
      if (flags.watch === true && flags.wait !== true) return;
      if (source !== undefined) throw new CliError(source, EXIT.incomplete);
      const incomplete = images.filter((image) => !isComplete(image));
      if (incomplete.length > 0) throw new CliError(incompleteMessage(incomplete), EXIT.incomplete);
    });
}

/** `namespace/name`. @throws CliError if nobody says which namespace */
function keyOfSource({ source, namespace }: Flags): string | undefined {
  if (source === undefined || source.includes('/')) return source;
  if (namespace === undefined)
    throw badInput(`--source ${source}`, 'write namespace/name, or add -n NAMESPACE');
  return `${namespace}/${source}`;
}

/** What was found at one moment. */
interface Sight {
  readonly images: readonly ImageCoverage[];
  /** Why the source that was asked for has not said yet which images it wants; undefined: it has. */
  readonly source: string | undefined;
}

async function observe(io: CliIo, client: KubeClient, flags: Flags): Promise<Sight> {
  const deadline = io.clock.monotonic() + flags.timeout;
  let shown: string | undefined;
  let sight: Sight | undefined;
  for (;;) {
    sight = await look(client, flags, io.signal).catch((error: unknown) => {
      const isLate = flags.wait === true && io.clock.monotonic() >= deadline;
      if (sight !== undefined && isPassing(error) && !isLate) return sight;
      throw error;
    });
    const { images } = sight;
    const isLast = isOver(sight, flags, io.clock.monotonic() >= deadline);
    const text = flags.watch === true || isLast ? render(images, flags) : shown;
    if (text !== undefined && text !== shown) show(io, flags, text, images);
    shown = text;
    if (isLast) return sight;
    await sleep(io.clock, LOOK_MS, io.signal).catch(() => undefined);
    if (io.signal.aborted) return sight;
  }
}

/** An API server that restarts ends no wait. */
function isPassing(error: unknown): boolean {
  return error instanceof ApiError && error.temporary;
}

function isOver({ images, source }: Sight, { watch, wait }: Flags, isLate: boolean): boolean {
  if (wait === true) return isLate || (source === undefined && images.every(isComplete));
  return watch !== true;
}

function show(io: CliIo, flags: Flags, text: string, images: readonly ImageCoverage[]): void {
  if (flags.watch === true && io.stdoutIsTerminal) io.writeOut(`${CLEAR_SCREEN}${text}`);
  else if (flags.watch === true) io.writeOut(text);
  else print(io, flags.output, output(images), () => table(images, flags));
}

async function look(client: KubeClient, flags: Flags, signal: AbortSignal): Promise<Sight> {
  const { sources, images, nodes } = await readCluster(client, flags, signal);
  const facts = nodes.map((node) => node.facts);
  const shown = images
    .filter((image) => flags.source === undefined || sourceOf(image) === flags.source)
    .map((image) => imageCoverage(image, facts))
    .sort((left, right) => compareNames(formatKey(left.image.metadata), formatKey(right.image.metadata)));
  return { images: shown, source: flags.source === undefined ? undefined : silenceOf(flags.source, sources) };
}

/** A source that is not there, or has not scanned since it was changed, has no images yet: nothing would be missing. */
function silenceOf(name: string, sources: readonly ImageSource[]): string | undefined {
  const source = sources.find(({ metadata }) => formatKey(metadata) === name);
  if (source === undefined) return `there is no ImageSource ${name}`;
  const { metadata, spec, status } = source;
  const isSeen = status?.observedGeneration === metadata.generation;
  if (spec.suspend || (isSeen && !isConditionTrue(status, 'Stalled'))) return undefined;
  const message = findCondition(status, 'Ready')?.message ?? 'nobody has looked at it';
  return `ImageSource ${name} has not said which images it wants since it was changed: ${message}`;
}

/** An image that no node is for, or that is suspended, keeps nobody waiting; one that fits no node is a mistake. */
function isComplete({ image, eligible, prepulled, missing }: ImageCoverage): boolean {
  const fitsNowhere = missing.length > 0 && missing.every(({ reason }) => reason === 'PlatformMismatch');
  return image.spec.suspend || prepulled || (eligible === 0 && !fitsNowhere);
}

/** Why an image that lies on every node must not be used: the registry refuses its credentials, say. */
function refusalOf({ image, eligible, present }: ImageCoverage): Condition | undefined {
  const condition = findCondition(image.status, 'Prepulled');
  return present === eligible && condition?.status === 'False' ? condition : undefined;
}

function output(images: readonly ImageCoverage[]) {
  const complete = images.filter(isComplete).length;
  return { complete, incomplete: images.length - complete, images: images.map(describeCoverage) };
}

function render(images: readonly ImageCoverage[], flags: Flags): string {
  return flags.output === 'table' ? formatTable(table(images, flags)) : `${JSON.stringify(output(images))}\n`;
}

function table(images: readonly ImageCoverage[], { missing }: Flags): Table {
  return missing === true ? missingTable(images) : coverageTable(images);
}

function coverageTable(images: readonly ImageCoverage[]): Table {
  return {
    columns: [
      'NAMESPACE',
      'NAME',
      'TAG',
      'READY',
      'PULLING',
      'WAITING',
      'FAILED',
      'UNKNOWN',
      'SKIPPED',
      'SIZE',
    ],
    rows: images.map((coverage) => {
      const { image, present, eligible, pulling, waiting, failed, unknown, skipped } = coverage;
      const { metadata, status } = image;
      const size = formatBytes(status?.image?.size);
      const ready = `${present}/${eligible}`;
      const counts = [pulling, waiting, failed, unknown, skipped];
      return [metadata.namespace, metadata.name, status?.image?.tag, ready, ...counts, size];
    }),
  };
}

function missingTable(images: readonly ImageCoverage[]): Table {
  return {
    columns: ['NAMESPACE', 'NAME', 'TAG', 'NODE', 'STATE', 'REASON', 'ATTEMPTS', 'MESSAGE'],
    rows: images.flatMap((coverage) =>
      missingRows(coverage).map(({ node, state, reason, attempts, message }) => [
        coverage.image.metadata.namespace,
        coverage.image.metadata.name,
        coverage.image.status?.image?.tag,
        node,
        state,
        reason,
        attempts,
        message,
      ]),
    ),
  };
}

function missingRows(coverage: ImageCoverage): readonly MissingNode[] {
  const refusal = isComplete(coverage) ? undefined : refusalOf(coverage);
  if (refusal === undefined) return coverage.missing;
  const { reason, message } = refusal;
  return [{ node: '*', state: 'Failed', reason, message, attempts: 0 }, ...coverage.missing];
}

const MAX_NAMED = 5;

function incompleteMessage(images: readonly ImageCoverage[]): string {
  const named = images.slice(0, MAX_NAMED).map((coverage) => {
    const refusal = refusalOf(coverage);
    const why = refusal === undefined ? '' : `, ${refusal.reason}`;
    return `${formatKey(coverage.image.metadata)} (${coverage.present}/${coverage.eligible}${why})`;
  });
  const rest = images.length > MAX_NAMED ? ` and ${images.length - MAX_NAMED} more` : '';
  return `not on every node yet: ${named.join(', ')}${rest}`;
}

function readDuration(text: string): number {
  const duration = validateDuration(text);
  if (!duration.ok || duration.value < 0) throw new InvalidArgumentError('not a duration such as 10m.');
  return duration.value;
}
