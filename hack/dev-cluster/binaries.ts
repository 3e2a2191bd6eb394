/** Finds or makes the binaries of the development cluster: KUBEBUILDER_ASSETS, cache, official release, Go build. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Binary, type BinaryName, binaries, buildOrder, goLinkerFlags, versionKey } from './versions.ts';

/** Where a binary came from; printed, so that a surprise has an explanation. */
export type Origin = 'KUBEBUILDER_ASSETS' | 'cache' | 'release' | 'go build';

export type Progress = (line: string) => void;

const DOWNLOAD_CONNECT_MS = 5_000;
const DOWNLOAD_TOTAL_MS = 300_000;

/** Folder of the cached binaries, outside every checkout. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(base, 'larder', 'dev-cluster', versionKey, 'bin');
}

/**
 * Paths of the named binaries; whatever is missing is downloaded or built first. One process at a time
 * does that, others wait for it.
 * @throws Error if a binary is neither published nor buildable here; the message carries Go's output.
 */
export async function findBinaries(
  names: readonly BinaryName[],
  progress: Progress,
  catalogue: Readonly<Record<BinaryName, Binary>> = binaries,
): Promise<Map<BinaryName, string>> {
  const found = new Map<BinaryName, string>();
  const missing: Binary[] = [];
  for (const name of buildOrder.filter((candidate) => names.includes(candidate))) {
    const path = await findReady(catalogue[name]);
    if (path === undefined) missing.push(catalogue[name]);
    else found.set(name, path);
  }
  if (missing.length === 0) return found;
  await mkdir(cacheFolder(), { recursive: true });
  await withLock(join(cacheFolder(), '.lock'), progress, async () => {
    for (const binary of missing) found.set(binary.name, await provide(binary, progress));
  });
  return found;
}

async function findReady(binary: Binary): Promise<string | undefined> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const candidates = [join(cacheFolder(), binary.name)];
  if (assets !== undefined && assets !== '' && binary.envtest) candidates.unshift(join(assets, binary.name));
  for (const path of candidates) if (await isExecutable(path)) return path;
  return undefined;
}

async function provide(binary: Binary, progress: Progress): Promise<string> {
  const target = join(cacheFolder(), binary.name);
  if (await isExecutable(target)) return target;
  const started = performance.now();
  const origin: Origin = (await download(binary, target, progress)) ? 'release' : 'go build';
  if (origin === 'go build') await goBuild(binary, target, progress);
  progress(`${binary.name}: ${origin}, ${((performance.now() - started) / 1000).toFixed(0)} s`);
  return target;
}

/** True if the official release was fetched and its checksum holds; false sends the caller to the Go build. */
async function download(binary: Binary, target: string, progress: Progress): Promise<boolean> {
  const release = binary.release;
  if (release === undefined) return false;
  try {
    const sums = await (await fetchWithin(release.checksumUrl, DOWNLOAD_CONNECT_MS)).text();
    const file = release.url.slice(release.url.lastIndexOf('/') + 1);
    const line = sums.split('\n').find((text) => text.includes(file)) ?? sums;
    const expected = /^[0-9a-f]{64}/.exec(line.trim())?.[0];
    const body = Buffer.from(await (await fetchWithin(release.url, DOWNLOAD_TOTAL_MS)).arrayBuffer());
    const actual = createHash('sha256').update(body).digest('hex');
    if (actual !== expected)
      throw new Error(`checksum of ${release.url} is ${actual}, not ${String(expected)}`);
    await place(target, release.member === undefined ? body : await extract(body, release.member));
    return true;
  } catch (error) {
    progress(`${binary.name}: no release binary (${causeText(error)})`);
    return false;
  }
}

async function fetchWithin(url: string, limitMs: number): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(limitMs) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response;
}

/** One file of a gzipped tar archive. */
async function extract(archive: Buffer, member: string): Promise<Buffer> {
  const tar = spawn('tar', ['-xzOf', '-', member], { stdio: ['pipe', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  tar.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  tar.stdin.end(archive);
  await exitOf(tar, 'tar');
  return Buffer.concat(chunks);
}

/** A reader never sees half a binary: it is written beside its place and renamed. */
async function place(target: string, content: Buffer): Promise<void> {
  const partial = `${target}.${process.pid}`;
  await writeFile(partial, content);
  await chmod(partial, 0o755);
  await rename(partial, target);
}

async function goBuild(binary: Binary, target: string, progress: Progress): Promise<void> {
  progress(
    `${binary.name}: building from Go modules (the first Kubernetes binary takes 4-10 minutes, the rest seconds)`,
  );
  const partial = `${target}.${process.pid}`;
  const args = ['build', '-trimpath', '-ldflags', goLinkerFlags, '-o', partial, binary.package];
  const go = spawn('go', args, {
    cwd: join(import.meta.dirname, 'tools', binary.module),
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let errors = '';
  go.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4_000);
  });
  const ticker = setInterval(() => {
    progress(`${binary.name}: still building`);
  }, 30_000);
  try {
    await exitOf(go, `go build ${binary.package}`);
  } catch (error) {
    throw new Error(`building ${binary.name}: ${causeText(error)}\n${errors}`, { cause: error });
  } finally {
    clearInterval(ticker);
  }
  await rename(partial, target);
}

/** Runs `work` while this process alone holds `path`; a lock whose owner died is taken over. */
async function withLock(path: string, progress: Progress, work: () => Promise<void>): Promise<void> {
  let told = false;
  while (!(await acquire(path))) {
    if (!told) progress('another process is preparing the binaries; waiting for it');
    told = true;
    await delay(500);
  }
  try {
    await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function acquire(path: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx');
    await handle.write(String(process.pid));
    await handle.close();
    return true;
  } catch {
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (owner > 0 && !isAlive(owner)) await rm(path, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function exitOf(child: ReturnType<typeof spawn>, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new Error(`${name} does not start: ${error.message}`));
    });
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${name} exits with ${String(code)}`));
    });
  });
}

function causeText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
