/** Commands of the development cluster: `build`, `up NAME`, `down NAME`. State lies in `.cluster/NAME` of the checkout. */

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findBinaries } from './binaries.ts';
import { Cluster } from './cluster.ts';
import { startImageRegistry } from './image-registry.ts';
import { binaryNames, peerBinaryNames } from './versions.ts';

const NODES = 5;
const STOP_POLL_MS = 100;

function folderOf(name: string): string {
  return resolve(import.meta.dirname, '../../.cluster', name);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function up(name: string): Promise<void> {
  const folder = folderOf(name);
  if (existsSync(folder))
    throw new Error(`cluster ${name} is up already; stop it with: make cluster-down NAME=${name}`);
  await mkdir(folder, { recursive: true });
  const cluster = await Cluster.start({ folder, detached: true, progress: print });
  const registry = await startImageRegistry({ folder, progress: print });
  cluster.adopt(registry.daemon);
  const nodes = Array.from({ length: NODES }, (_, index) => ({ name: `node-${index + 1}` }));
  await cluster.addNodes(nodes);
  cluster.release();
  print(`export KUBECONFIG=${cluster.kubeconfigFile}`);
  print(`registry: ${registry.host} (plain HTTP)   nodes: ${NODES}   stop: make cluster-down NAME=${name}`);
}

/** Ends the processes whose pid files lie in the folder and that still are the ones started for it. */
async function down(name: string): Promise<void> {
  const folder = folderOf(name);
  const files = existsSync(folder) ? (await readdir(folder)).filter((file) => file.endsWith('.pid')) : [];
  const pids = await Promise.all(
    files.map(async (file) => Number(await readFile(join(folder, file), 'utf8'))),
  );
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of pids) if (await runsFrom(pid, folder)) process.kill(pid, signal);
    for (let waits = 0; waits < 50 && (await anyRuns(pids, folder)); waits += 1) await delay(STOP_POLL_MS);
  }
  await rm(folder, { recursive: true, force: true });
  print(files.length === 0 ? `cluster ${name} is not up` : `cluster ${name} is down`);
}

async function anyRuns(pids: readonly number[], folder: string): Promise<boolean> {
  return (await Promise.all(pids.map((pid) => runsFrom(pid, folder)))).includes(true);
}

async function runsFrom(pid: number, folder: string): Promise<boolean> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(folder);
}

const [command = '', name = 'dev'] = process.argv.slice(2);
switch (command) {
  case 'build':
    await findBinaries([...binaryNames, ...peerBinaryNames], print);
    break;
  case 'up':
    await up(name);
    break;
  case 'down':
    await down(name);
    break;
  default:
    process.stderr.write('usage: main.ts build | up [NAME] | down [NAME]\n');
    process.exitCode = 2;
}
