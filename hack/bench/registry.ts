/**
 * What reading a registry costs, beside skopeo and crane in the same run.
 *
 *   node hack/bench/registry.ts [--tags N]      (default 100000)
 *
 * 1. List N tags in pages of 1,000 from a registry in another process on loopback: requests, wall time, CPU (user +
 *    system), peak resident memory; for Larder also the longest time its event loop stood still.
 * 2. Refresh a repository of 5,000 tags with 6 selected release images when nothing has moved.
 *
 * skopeo is taken from PATH (or $SKOPEO), crane from the cluster's binaries (or $CRANE); they are left out if not there.
 */

import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildSync } from 'esbuild';

import { parseImageSource } from '../../src/api/parse.ts';
import { systemClock } from '../../src/clock.ts';
import { scan } from '../../src/controllers/image-source/scan.ts';
import { toSelectionSpec } from '../../src/controllers/image-source/selection-spec.ts';
import { compileSelection } from '../../src/domain/selection.ts';
import { buildAccess } from '../../src/registry/access.ts';
import { RegistryClient } from '../../src/registry/client.ts';
import { FakeRegistry } from '../../test/support/fake-registry.ts';
import { cacheFolder } from '../dev-cluster/binaries.ts';
import { type Cost, REPOSITORY } from './registry-worker.ts';

/** Bars of the issue for 100,000 tags. */
const BAR = { cpuMs: 500, memoryMb: 150, stallMs: 50 };

const { values } = parseArgs({ options: { tags: { type: 'string', default: '100000' } } });
await main(Number(values.tags));

async function main(tags: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'larder-bench-'));
  const worker = join(folder, 'worker.mjs');
  // Bundled, as Larder ships: stripping types while running takes memory of its own.
  buildSync({
    entryPoints: [join(import.meta.dirname, 'registry-worker.ts')],
    outfile: worker,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  const server = fork(worker, ['--serve', String(tags)]);
  const [host] = (await once(server, 'message')) as [string];
  const reference = `${host}/${REPOSITORY}`;
  print(tags, [
    ['larder', await larder(server, worker, host)],
    [
      'skopeo',
      await command(server, process.env['SKOPEO'] ?? 'skopeo', [
        'list-tags',
        '--tls-verify=false',
        `docker://${reference}`,
      ]),
    ],
    [
      'crane',
      await command(server, process.env['CRANE'] ?? join(cacheFolder(), 'crane'), [
        'ls',
        '--insecure',
        reference,
      ]),
    ],
  ]);
  server.kill();
  rmSync(folder, { recursive: true });
  await printRefresh();
}

async function countRequests(server: ChildProcess): Promise<number> {
  const counted = once(server, 'message') as Promise<[number]>;
  server.send('count');
  return (await counted)[0];
}

async function larder(server: ChildProcess, worker: string, host: string): Promise<Cost> {
  const [cost] = (await once(fork(worker, ['--list', host]), 'message')) as [Cost];
  return { ...cost, requests: await countRequests(server) };
}

/** CPU and memory of a command, start included: that is what one call of it costs. */
async function command(
  server: ChildProcess,
  program: string,
  args: readonly string[],
): Promise<Cost | string> {
  if (spawnSync('which', [program]).status !== 0) return 'not installed';
  await countRequests(server);
  const started = performance.now();
  // `times` of a shell tells the CPU of its children; -c with exec would hide it.
  const child = spawn(
    'bash',
    ['-c', '"$@" >&3; status=$?; times >&2; exit $status', 'bash', program, ...args],
    {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    },
  );
  let out = '';
  let times = '';
  child.stdio[3]?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (times += chunk.toString()));
  let peakMb = 0;
  const poll = setInterval(() => (peakMb = Math.max(peakMb, peakOfChildren(child.pid))), 5);
  await once(child, 'close');
  clearInterval(poll);
  const wallMs = performance.now() - started;
  if (child.exitCode !== 0) return `failed: ${times.split('\n', 1)[0] ?? ''}`;
  return {
    tags: countTags(out),
    requests: await countRequests(server),
    wallMs,
    cpuMs: cpuOfChildren(times),
    peakMb,
  };
}

/** The last line of `times`: user and system of the children, as 0m0.123s. */
function cpuOfChildren(times: string): number {
  const line = times.trim().split('\n').at(-1) ?? '';
  return [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
}

function peakOfChildren(parent: number | undefined): number {
  try {
    const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
    const status = readFileSync(`/proc/${children[0]}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function countTags(out: string): number {
  return out.trimStart().startsWith('{')
    ? (JSON.parse(out) as { Tags: unknown[] }).Tags.length
    : out.trim().split('\n').length;
}

function print(tags: number, rows: readonly (readonly [string, Cost | string])[]): void {
  process.stdout.write(`list of ${tags} tags      tags  requests  wall ms   CPU ms   RSS MB  stall ms\n`);
  for (const [name, cost] of rows) {
    if (typeof cost === 'string') process.stdout.write(`  ${name}: ${cost}\n`);
    else
      process.stdout.write(
        `  ${name.padEnd(20)}${[cost.tags, cost.requests, cost.wallMs, cost.cpuMs, cost.peakMb, cost.stallMs ?? Number.NaN].map(cell).join('')}\n`,
      );
  }
  process.stdout.write(
    `  bars for Larder: CPU ${BAR.cpuMs} ms, RSS ${BAR.memoryMb} MB, stall ${BAR.stallMs} ms\n`,
  );
  const [, own] = rows[0] ?? [];
  const isWithin =
    typeof own === 'object' &&
    own.cpuMs <= BAR.cpuMs &&
    own.peakMb < BAR.memoryMb &&
    (own.stallMs ?? 0) < BAR.stallMs;
  if (!isWithin) process.exitCode = 1;
}

function cell(value: number): string {
  return (Number.isNaN(value) ? '-' : String(Math.round(value))).padStart(9);
}

/** Two scans of a repository of 5,000 tags behind a token service; the second is the refresh. */
async function printRefresh(): Promise<void> {
  await using registry = await FakeRegistry.start({ auth: 'bearer' });
  registry.setTags(REPOSITORY, Array.from({ length: 5000 }, (_, index) => `nightly-${index}`).slice(6));
  for (let index = 0; index < 6; index++) registry.putImage(REPOSITORY, `${index + 1}.0.0`);
  const parsed = parseImageSource({
    apiVersion: 'larder.dev/v1alpha1',
    kind: 'ImageSource',
    metadata: { name: 'bench' },
    spec: { image: `${registry.host}/${REPOSITORY}`, select: [{ name: 'stable', semver: '>=1', newest: 6 }] },
  });
  const compiled = parsed.ok ? compileSelection(toSelectionSpec(parsed.value.spec)) : undefined;
  if (compiled?.ok !== true) throw new Error('the ImageSource of the benchmark is not valid');
  const client = new RegistryClient();
  const common = {
    registry: client,
    access: buildAccess({ plainHTTP: true }),
    selection: compiled.value,
    maxTags: 10_000,
    clock: systemClock,
    signal: AbortSignal.timeout(60_000),
  };
  const first = await scan({ ...common, known: new Map() });
  const second = await scan({ ...common, known: first.digests });
  await client.close();
  for (const [name, { list, meter }] of [
    ['first scan', first],
    ['refresh', second],
  ] as const) {
    process.stdout.write(
      `${name} of ${list.tags.length} tags, 6 selected: ${list.pages} pages, ${meter.requests} requests, ${meter.headRequests} HEADs\n`,
    );
  }
  if (second.meter.headRequests > 0 || second.meter.requests > second.list.pages + 1) process.exitCode = 1;
}
