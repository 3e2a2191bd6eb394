/**
 * What the controller runtime costs, beside client-node as shipped in the same run.
 *
 *   node hack/bench/kube.ts [--pods N] [--calls N] [--skip-cluster]      (default 50000 pods, 6000 calls)
 *
 * 1. Cache N pods (4.2 kB each) from a server on loopback: peak memory, longest stretch of CPU without a turn of the loop, CPU.
 * 2. Merge patches over TLS to the scriptable server on loopback, 10 at a time: rate, CPU per call.
 * 3. The same on a real API server, 2 at a time: CPU per call of the client.
 * 4. Bundled operator: process start to first reconcile, peak memory.
 *
 * Clients run bundled, each in a fresh process under the memory flags of the Deployment (the shipped informer without
 * them: it would die). Servers have processes of their own. Exit code 1 if a bar is missed.
 */

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { bundle } from '../build.ts';
import { Cluster } from '../dev-cluster/cluster.ts';
import type { Cost, Role } from './kube-client.ts';
import type { ServerAddress } from './kube-server.ts';

const MEMORY_FLAGS = ['--max-old-space-size=160', '--max-semi-space-size=2'];
const SHIPPED_FLAGS = ['--max-old-space-size=4096'];

const { values: options } = parseArgs({
  options: {
    pods: { type: 'string', default: '50000' },
    calls: { type: 'string', default: '6000' },
    'skip-cluster': { type: 'boolean', default: false },
  },
});
const calls = Number(options.calls);

const folder = mkdtempSync(join(tmpdir(), 'larder-bench-kube-'));
const program = join(folder, 'client.mjs');
const servers: ChildProcess[] = [];
const misses: string[] = [];

interface Run {
  readonly role: Role;
  readonly kubeconfig: string;
  readonly count?: number;
  readonly parallel?: number;
}

async function measure({ role, kubeconfig, count = 0, parallel = 1 }: Run): Promise<Cost> {
  const result = join(folder, 'result.json');
  const flags = role === 'cache-shipped' ? SHIPPED_FLAGS : MEMORY_FLAGS;
  const args = [
    '--role',
    role,
    '--kubeconfig',
    kubeconfig,
    '--count',
    String(count),
    '--parallel',
    String(parallel),
  ];
  const child = spawn(process.execPath, [...flags, program, ...args, '--result', result], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${role} ended with ${String(code)}`);
  return JSON.parse(readFileSync(result, 'utf8')) as Cost;
}

/** Starts a server process and returns a kubeconfig for it. */
async function serve(kind: 'pods' | 'objects', count: number): Promise<string> {
  const child = fork(join(import.meta.dirname, 'kube-server.ts'), [`--${kind}`, String(count)]);
  servers.push(child);
  const [{ url, authority }] = (await once(child, 'message')) as [ServerAddress];
  const cluster = { server: url, 'certificate-authority-data': Buffer.from(authority).toString('base64') };
  const file = join(folder, `${kind}.kubeconfig`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'bench', cluster }],
    users: [{ name: 'bench', user: { token: 'bench' } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    'current-context': 'bench',
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a figure against its bar. */
function judge(
  what: string,
  figure: number,
  bar: { readonly below?: number; readonly atLeast?: number },
): void {
  const { below = Number.POSITIVE_INFINITY, atLeast = 0 } = bar;
  const isMet = figure < below && figure >= atLeast;
  const wanted = bar.below === undefined ? `at least ${atLeast}` : `below ${below}`;
  print(`  ${isMet ? 'ok  ' : 'MISS'} ${what}: ${figure.toFixed(1)} (${wanted})`);
  if (!isMet) misses.push(what);
}

function describe(name: string, cost: Cost): void {
  const { wallMs, cpuMs, peakMb, stretchMs = 0, stallMs = 0, objects = 0 } = cost;
  const rate = objects === 0 ? 0 : (objects / wallMs) * 1_000;
  const perCall = objects === 0 ? 0 : cpuMs / objects;
  print(
    `  ${name.padEnd(12)} ${(wallMs / 1_000).toFixed(2)} s, CPU ${(cpuMs / 1_000).toFixed(2)} s` +
      ` (${perCall.toFixed(3)} ms each), ${rate.toFixed(0)}/s, peak ${peakMb.toFixed(0)} MB,` +
      ` longest stretch ${stretchMs.toFixed(0)} ms (${stallMs.toFixed(0)} by the clock)`,
  );
}

async function benchCache(): Promise<void> {
  print(`Caching ${options.pods} pods`);
  const kubeconfig = await serve('pods', Number(options.pods));
  const ours = await measure({ role: 'cache', kubeconfig });
  describe('larder', ours);
  const shipped = await measure({ role: 'cache-shipped', kubeconfig });
  describe('as shipped', shipped);
  judge('peak memory, MB', ours.peakMb, { below: 200 });
  judge('longest stretch, ms of CPU', ours.stretchMs ?? 0, { below: 50 });
}

async function benchPatch(): Promise<void> {
  print(`Patching ${calls} times over TLS on loopback, 10 at a time`);
  const kubeconfig = await serve('objects', 100);
  const run = { kubeconfig, count: calls, parallel: 10 } as const;
  const ours = await measure({ role: 'patch', ...run });
  describe('larder', ours);
  const shipped = await measure({ role: 'patch-shipped', ...run, count: Math.ceil(calls / 10) });
  describe('as shipped', shipped);
  const rate = (cost: Cost): number => ((cost.objects ?? 0) / cost.wallMs) * 1_000;
  judge('patches a second', rate(ours), { atLeast: 3_000 });
  judge('times as many as the shipped client', rate(ours) / rate(shipped), { atLeast: 5 });
  print('Starting a bundled operator');
  const start = await measure({ role: 'start', kubeconfig });
  judge('process start to first reconcile, ms', start.startMs ?? 0, { below: 1_000 });
  judge('peak memory, MB', start.peakMb, { below: 100 });
}

async function benchCluster(): Promise<void> {
  print('Patching on a real API server, 2 at a time');
  const cluster = await Cluster.start();
  try {
    const items = Array.from({ length: 100 }, (_each, index) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `c-${index}`, namespace: 'default' },
    }));
    await cluster.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    const run = { kubeconfig: cluster.kubeconfigFile, count: 1_000, parallel: 2 } as const;
    const ours = await measure({ role: 'patch', ...run });
    describe('larder', ours);
    const shipped = await measure({ role: 'patch-shipped', ...run });
    describe('as shipped', shipped);
    judge("times less CPU per call than the shipped client's", shipped.cpuMs / ours.cpuMs, { atLeast: 5 });
  } finally {
    await cluster.stop();
  }
}

try {
  await bundle({ entry: join(import.meta.dirname, 'kube-client.ts'), outfile: program });
  await benchCache();
  await benchPatch();
  if (!options['skip-cluster']) await benchCluster();
} finally {
  for (const server of servers) server.kill();
  rmSync(folder, { recursive: true });
}
process.exitCode = misses.length === 0 ? 0 : 1;
