/** `larder plan`: what would be pulled where, before or after files are applied; changes nothing. */

import { Command, InvalidArgumentError } from 'commander';
import type { NodeObject } from '../controllers/node.ts';
import { formatBytes } from '../controllers/prepulled-image/bytes.ts';
import { FLAGS } from '../options.ts';
import { RegistryClient } from '../registry/client.ts';
import {
  type ClusterFlags,
  type ClusterState,
  readCluster,
  withCluster,
  withClusterOptions,
} from './cluster.ts';
import { badInput, CliError, type CliIo, EXIT, readInput } from './io.ts';
import { readNodeList } from './node-list.ts';
import { type OutputFormat, print, type Table, withOutput } from './output.ts';
import {
  applyImage,
  applySource,
  type Change,
  type Outcome,
  type ResolveImage,
  readManifests,
} from './plan-changes.ts';
import { type ClusterPlan, type PlannedPull, planCluster } from './plan-cluster.ts';
import { findSourceImages } from './plan-scan.ts';
import { openAccess, type RegistryFlags, withRegistryOptions } from './registry-options.ts';

interface Flags extends ClusterFlags, RegistryFlags {
  readonly file?: readonly string[];
  readonly nodes?: string;
  readonly offline?: true;
  readonly tags?: string;
  readonly pullSlots: number;
  readonly diff?: true;
  readonly exitCode?: true;
  readonly output: OutputFormat;
}

/** What `larder plan -o json` prints. */
export interface PlanOutput extends ClusterPlan {
  readonly changes: readonly Change[];
  readonly totals: {
    readonly nodes: number;
    readonly pulls: number;
    readonly bytes: number;
    readonly skipped: number;
  };
}

const RESOLVE_TIMEOUT_MS = 30_000;

export function planCommand(io: CliIo): Command {
  return withRegistryOptions(withClusterOptions(withOutput(new Command('plan'))))
    .description('which images would be pulled on which nodes, in which order, and why not the others')
    .option(
      '-f, --file <path...>',
      'ImageSources and PrepulledImages as if they were applied; "-" for standard input',
    )
    .option(
      '--nodes <path>',
      'NodeList as printed by kubectl get nodes -o json, instead of the nodes of the cluster',
    )
    .option('--offline', 'asks no cluster: needs --nodes and --file')
    .option(
      '--tags <path>',
      'tag list of the ImageSource in the file, as for larder select; asks no registry',
    )
    .option(
      '--pull-slots <number>',
      'as of the operator; 0: no limit',
      readSlots,
      Number(FLAGS.pullSlots.default),
    )
    .option('--diff', 'only what the files change')
    .option('--exit-code', `exit code ${EXIT.incomplete} if anything would be pulled or changed`)
    .action(async (flags: Flags) => {
      const output = await plan(io, flags);
      print(io, flags.output, output, () => tables(output));
      const isNothing = output.totals.pulls === 0 && output.changes.every(({ change }) => change === 'keep');
      if (flags.exitCode === true && !isNothing)
        throw new CliError('there is something to do', EXIT.incomplete);
    });
}

async function plan(io: CliIo, flags: Flags): Promise<PlanOutput> {
  const before = await readState(io, flags);
  const after = await applyFiles(io, flags, before);
  const question = {
    nodes: before.nodes,
    pullSlots: flags.pullSlots === 0 ? Number.POSITIVE_INFINITY : flags.pullSlots,
    nodeStatusMaxImages: Number(FLAGS.nodeStatusMaxImages.default),
    nowMs: io.clock.now(),
  };
  const whole = planCluster({ ...question, images: after.images });
  if (flags.diff !== true) return describe(whole, after.changes);
  const changes = after.changes.filter(({ change }) => change !== 'keep');
  return describe(without(whole, planCluster({ ...question, images: before.images })), changes);
}

async function readState(io: CliIo, flags: Flags): Promise<ClusterState> {
  if (flags.offline === true && (flags.nodes === undefined || flags.file === undefined))
    throw badInput('--offline', 'needs --nodes and --file');
  const state: ClusterState =
    flags.offline === true
      ? { sources: [], images: [], nodes: [] }
      : await withCluster(io, flags, (client) => readCluster(client, flags, io.signal));
  return flags.nodes === undefined ? state : { ...state, nodes: toObjects(await readInput(io, flags.nodes)) };
}

function toObjects(text: string): readonly NodeObject[] {
  return readNodeList(text).map((facts) => ({ metadata: { name: facts.name, uid: facts.uid }, facts }));
}

/** One file after the other; of two that say something of one object, the last counts. */
async function applyFiles(io: CliIo, flags: Flags, { images }: ClusterState): Promise<Outcome> {
  const registry = new RegistryClient({ clock: io.clock });
  const resolve = resolver(io, flags, registry);
  let outcome: Outcome = { images, changes: [] };
  const add = (next: Outcome): void => {
    outcome = { images: next.images, changes: [...outcome.changes, ...next.changes] };
  };
  try {
    for (const path of flags.file ?? []) {
      const manifests = readManifests(await readInput(io, path), path, flags.namespace ?? 'default');
      for (const source of manifests.sources) {
        const found = await findSourceImages(io, flags, { source, registry, tags: flags.tags });
        add(await applySource(outcome.images, source, found, resolve));
      }
      for (const image of manifests.images) add(await applyImage(outcome.images, image, resolve));
    }
    return outcome;
  } finally {
    await registry.close();
  }
}

/** Sizes and platforms of new images. Without them, as with the operator, every platform counts as fitting. */
function resolver(io: CliIo, flags: Flags, registry: RegistryClient): ResolveImage {
  return async ({ spec }, reference) => {
    if (flags.tags !== undefined) return undefined;
    const signal = AbortSignal.any([io.signal, AbortSignal.timeout(RESOLVE_TIMEOUT_MS)]);
    try {
      const access = await openAccess(io, flags, spec.access);
      return await registry.resolve(reference, access, { signal, detail: 'sizes' });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      io.writeError(`larder: size and platforms of ${spec.image} are not known: ${message}\n`);
      return undefined;
    }
  };
}

/** Pulls that the other plan has not. */
function without({ nodes, idle }: ClusterPlan, other: ClusterPlan): ClusterPlan {
  const known = new Map(other.nodes.map(({ node, pulls }) => [node, new Set(pulls.map(pullKey))]));
  return {
    idle,
    nodes: nodes.map((each) => {
      const pulls = each.pulls.filter((pull) => known.get(each.node)?.has(pullKey(pull)) !== true);
      return { ...each, pulls, bytes: pulls.reduce((sum, { bytes }) => sum + bytes, 0), skipped: [] };
    }),
  };
}

function pullKey({ image, reference }: PlannedPull): string {
  return `${image} ${reference}`;
}

function describe({ nodes, idle }: ClusterPlan, changes: readonly Change[]): PlanOutput {
  const pulls = nodes.reduce((sum, node) => sum + node.pulls.length, 0);
  const bytes = nodes.reduce((sum, node) => sum + node.bytes, 0);
  const skipped = nodes.reduce((sum, node) => sum + node.skipped.length, 0);
  return { changes, totals: { nodes: nodes.length, pulls, bytes, skipped }, nodes, idle };
}

const SIGNS: Readonly<Record<Change['change'], string>> = { add: '+', update: '~', retire: '-', keep: '=' };

function tables({ changes, nodes, idle, totals }: PlanOutput): readonly Table[] {
  const changed: Table = {
    columns: ['', 'IMAGE', 'REFERENCE', 'BECAUSE'],
    rows: changes.map(({ change, image, reference, because }) => [SIGNS[change], image, reference, because]),
  };
  const pulled: Table = {
    columns: ['NODE', 'POD', 'IMAGE', 'SIZE', 'WAITS FOR'],
    rows: nodes.flatMap(({ node, pulls }) =>
      // No image has 0 bytes: nobody could tell.
      pulls.map(({ image, bytes, pod, waitsFor }) => {
        return [node, pod + 1, image, bytes === 0 ? null : formatBytes(bytes), waitsFor];
      }),
    ),
  };
  const skipped: Table = {
    columns: ['NODE', 'SKIPPED', 'REASON', 'MESSAGE'],
    rows: [
      ...nodes.flatMap((plan) =>
        plan.skipped.map(({ image, reason, message }) => [plan.node, image, reason, message]),
      ),
      ...idle.map(({ image, reason, message }) => ['*', image, reason, message]),
    ],
  };
  const total: Table = {
    columns: ['NODES', 'PULLS', 'BYTES', 'SKIPPED'],
    rows: [[totals.nodes, totals.pulls, formatBytes(totals.bytes), totals.skipped]],
  };
  return [changed, pulled, skipped, total].filter(({ rows }) => rows.length > 0);
}

function readSlots(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError('not a whole number.');
  return Number(text);
}
