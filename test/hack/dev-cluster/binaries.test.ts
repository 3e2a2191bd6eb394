import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheFolder, findBinaries } from '../../../hack/dev-cluster/binaries.ts';
import { type Binary, type BinaryName, binaries } from '../../../hack/dev-cluster/versions.ts';
import { eventually } from '../../support/fake-clock.ts';
import { buildTar } from '../../support/tar-archive.ts';

const DEAD_PID = 2 ** 22 - 1;

let folder: string;
let server: Server;
let base: string;
/** What the release server has, by path. */
let files: Map<string, Buffer | string>;
let requests: string[];
let progress: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-binaries-'));
  files = new Map();
  requests = [];
  progress = [];
  server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const body = files.get(path);
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  vi.stubEnv('KUBEBUILDER_ASSETS', '');
  vi.stubEnv('PATH', `${join(folder, 'path')}:${process.env['PATH'] ?? ''}`);
  await writeGo('echo "go was not to be run" >&2; exit 1');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

/** Stands in for the Go tool; notes each run. */
async function writeGo(script: string): Promise<void> {
  await putExecutable(
    join(folder, 'path'),
    'go',
    `#!/bin/sh\necho "$@" >> ${join(folder, 'go.runs')}\n${script}\n`,
  );
}

/** Writes what it is asked to build: -o is the fifth argument, its value the sixth. */
const BUILDS = 'echo built > "$6"; chmod 755 "$6"';

async function goRuns(): Promise<number> {
  const text = await readFile(join(folder, 'go.runs'), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).length;
}

async function putExecutable(into: string, name: string, content: string): Promise<string> {
  await mkdir(into, { recursive: true });
  const path = join(into, name);
  await writeFile(path, content);
  await chmod(path, 0o755);
  return path;
}

/** The catalogue with one binary published by our server. */
function published(name: BinaryName, release: Binary['release']): Readonly<Record<BinaryName, Binary>> {
  return { ...binaries, [name]: { ...binaries[name], ...(release !== undefined && { release }) } };
}

function release(content: Buffer | string, checksum = sha256(content)): NonNullable<Binary['release']> {
  files.set('/v1/kwok', content);
  files.set('/v1/SUMS', `${'0'.repeat(64)}  other\n${checksum}  kwok\n`);
  return { url: `${base}/v1/kwok`, checksumUrl: `${base}/v1/SUMS` };
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

async function find(name: BinaryName, catalogue = binaries): Promise<string> {
  const found = await findBinaries([name], (line) => progress.push(line), catalogue);
  return found.get(name) ?? '';
}

describe('a binary that is there', () => {
  it('is taken from KUBEBUILDER_ASSETS first', async () => {
    vi.stubEnv('KUBEBUILDER_ASSETS', join(folder, 'assets'));
    const path = await putExecutable(join(folder, 'assets'), 'etcd', 'assets');
    await putExecutable(cacheFolder(), 'etcd', 'cache');
    expect(await find('etcd')).toBe(path);
  });

  it('is not, if it is none of those that the assets have', async () => {
    vi.stubEnv('KUBEBUILDER_ASSETS', join(folder, 'assets'));
    await putExecutable(join(folder, 'assets'), 'kwok', 'assets');
    const path = await putExecutable(cacheFolder(), 'kwok', 'cache');
    expect(await find('kwok')).toBe(path);
  });

  it('is taken from the cache, without a word to anybody', async () => {
    const path = await putExecutable(cacheFolder(), 'kwok', 'cache');
    expect(await find('kwok', published('kwok', release('new')))).toBe(path);
    expect([requests, progress, await goRuns()]).toEqual([[], [], 0]);
  });
});

describe('a published binary', () => {
  it('is downloaded once, if its checksum holds', async () => {
    const catalogue = published('kwok', release('#!/bin/sh\necho hello\n'));
    const path = await find('kwok', catalogue);
    expect(await readFile(path, 'utf8')).toContain('echo hello');
    expect(path).toBe(join(cacheFolder(), 'kwok'));
    expect(await find('kwok', catalogue)).toBe(path);
    expect(requests).toEqual(['/v1/SUMS', '/v1/kwok']);
    expect(progress).toEqual([expect.stringMatching(/^kwok: release, \d+ s$/)]);
    expect(await goRuns()).toBe(0);
    expect(await readdir(cacheFolder())).toEqual(['kwok']);
  });

  it('is unpacked from its archive', async () => {
    const archive = gzipSync(buildTar({ 'pack/README': 'no', 'pack/kwok': 'the binary' }));
    const path = await find('kwok', published('kwok', { ...release(archive), member: 'pack/kwok' }));
    expect(await readFile(path, 'utf8')).toBe('the binary');
  });

  it('is found by a checksum file that is about it alone', async () => {
    const only = { ...release('x'), checksumUrl: `${base}/kwok.sha256` };
    files.set('/kwok.sha256', `${sha256('x')}\n`);
    expect(await readFile(await find('kwok', published('kwok', only)), 'utf8')).toBe('x');
  });

  it.each([
    ['does not match its checksum', () => release('evil', sha256('good')), 'checksum of'],
    ['has no checksum', () => ({ ...release('x'), checksumUrl: `${base}/v1/kwok` }), 'checksum of'],
    ['is not there', () => ({ ...release('x'), url: `${base}/gone` }), 'HTTP 404'],
    [
      'has no server',
      () => ({ url: 'http://127.0.0.1:1/x', checksumUrl: 'http://127.0.0.1:1/s' }),
      'fetch failed',
    ],
    [
      'lacks the member',
      () => ({ ...release(gzipSync(buildTar({ other: 'x' }))), member: 'kwok' }),
      'tar exits',
    ],
  ])('that %s is refused, and Go builds it', async (_how, publish, words) => {
    await writeGo(BUILDS);
    const path = await find('kwok', published('kwok', publish()));
    expect(await readFile(path, 'utf8')).toBe('built\n');
    expect(progress[0]).toContain('kwok: no release binary (');
    expect(progress[0]).toContain(words);
    expect(progress.at(-1)).toMatch(/^kwok: go build, \d+ s$/);
    expect(await readdir(cacheFolder())).toEqual(['kwok']);
  });
});

describe('a Go build', () => {
  it('that fails tells what Go said, and leaves nothing', async () => {
    await writeGo('echo "no required module" >&2; exit 1');
    await expect(find('kwok')).rejects.toThrow(/building kwok: .*exits with 1\n.*no required module/s);
    expect(await readdir(cacheFolder())).toEqual([]);
  });

  it('happens once, however many ask at the same time', async () => {
    await writeGo(BUILDS);
    const paths = await Promise.all([find('kwok'), find('kwok')]);
    expect(new Set(paths).size).toBe(1);
    expect(await goRuns()).toBe(1);
    expect(progress).toContain('another process is preparing the binaries; waiting for it');
  });

  it('waits for a process that is at it, and takes over from one that died', async () => {
    await mkdir(cacheFolder(), { recursive: true });
    await writeGo(BUILDS);
    const lock = join(cacheFolder(), '.lock');
    await writeFile(lock, String(process.pid));
    const waiting = find('kwok');
    await eventually(() => progress.length > 0, 15_000);
    expect(await goRuns()).toBe(0);
    await writeFile(lock, String(DEAD_PID));
    await waiting;
    expect(await goRuns()).toBe(1);
    expect(await readdir(cacheFolder())).toEqual(['kwok']);
  });
});

describe('the catalogue', () => {
  it('builds with the versions that it pins, in a module that exists', async () => {
    for (const { name, module } of Object.values(binaries)) {
      const tools = join(import.meta.dirname, '../../../hack/dev-cluster/tools', module);
      expect(await readdir(tools), name).toContain('go.mod');
    }
  });
});
