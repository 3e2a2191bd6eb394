/** The operator's image, built from the Dockerfile by buildah: no Docker, no image from the internet. Needs root. */

import { execFile } from 'node:child_process';
import { access, cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const ROOT = resolve(import.meta.dirname, '../..');
const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;
const BASE = 'localhost/larder-base:1';
const BUILD = 'localhost/larder-build:1';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const USERS = 'root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n';

/** Why no image can be built here; undefined if one can. */
export async function whyNoImage(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'buildah needs root here';
  return run('buildah', ['--version']).then(
    () => undefined,
    () => 'buildah is not installed',
  );
}

export interface BuildOptions {
  readonly tag: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
}

/** Images and layers in a folder of their own. */
export class ImageStore {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** A store with what the Dockerfile starts from: node on a bare root, and the same with npm and a shell. */
  static async create(folder: string): Promise<ImageStore> {
    const store = new ImageStore(folder);
    const base = join(folder, 'base');
    await writeBaseRoot(base);
    await store.#commit(base, BASE);
    const build = join(folder, 'build');
    await cp(base, build, { recursive: true });
    await addBuildTools(build);
    // Where a proxy re-signs everything, npm must trust what this machine trusts.
    await store.#commit(build, BUILD, [
      '--env=PATH=/usr/local/bin:/bin',
      '--env=HOME=/root',
      `--env=NODE_EXTRA_CA_CERTS=${CERTIFICATES}`,
    ]);
    return store;
  }

  /** Builds the Dockerfile of this checkout for this machine. */
  async build({ tag, buildArgs = {} }: BuildOptions): Promise<void> {
    const given = { BUILD_IMAGE: BUILD, BASE_IMAGE: BASE, ...buildArgs };
    await this.buildah([
      'build',
      '--isolation=chroot',
      // Cached layers would be whole copies of the root file system here: minutes and gigabytes.
      '--layers=false',
      '--format=oci',
      '--pull-never',
      ...Object.entries(given).map(([name, value]) => `--build-arg=${name}=${value}`),
      `--tag=${tag}`,
      ROOT,
    ]);
  }

  /** Pushes to a registry on plain HTTP. */
  async push(tag: string, target: string): Promise<void> {
    await this.buildah(['push', '--tls-verify=false', tag, `docker://${target}`]);
  }

  /** Runs buildah on this store; returns what it prints. @throws Error with buildah's own words */
  async buildah(args: readonly string[]): Promise<string> {
    const places = ['--storage-driver=vfs', `--root=${join(this.#folder, 'store')}`];
    const options = [...places, `--runroot=${join(this.#folder, 'run')}`, ...args];
    return (await run('buildah', options, { maxBuffer: OUTPUT_LIMIT_BYTES })).stdout;
  }

  async #commit(folder: string, tag: string, config: readonly string[] = []): Promise<void> {
    const container = (await this.buildah(['from', 'scratch'])).trim();
    await this.buildah(['copy', container, folder, '/']);
    if (config.length > 0) await this.buildah(['config', ...config, container]);
    await this.buildah(['commit', '--rm', '--format=oci', container, tag]);
  }
}

/** What a distroless base has, as far as it matters: node, the libraries it is linked with, certificates and users. */
async function writeBaseRoot(folder: string): Promise<void> {
  const node = join(ROOT, `node_modules/node-linux-${process.arch}/bin/node`);
  await copyInto(folder, node, 'nodejs/bin/node');
  const { stdout } = await run('ldd', [node]);
  for (const [path] of stdout.matchAll(/\/\S+/g)) await copyInto(folder, path, path);
  await copyInto(folder, CERTIFICATES, CERTIFICATES);
  await writeFile(join(folder, 'etc/passwd'), USERS);
  await mkdir(join(folder, 'tmp'), { mode: 0o1777 });
}

async function addBuildTools(folder: string): Promise<void> {
  const npm = await npmFolder();
  await cp(npm, join(folder, 'usr/local/lib/node_modules/npm'), { recursive: true, dereference: true });
  await copyInto(folder, await busybox(), 'bin/busybox');
  await symlink('busybox', join(folder, 'bin/sh'));
  await mkdir(join(folder, 'usr/local/bin'), { recursive: true });
  await mkdir(join(folder, 'usr/bin'), { recursive: true });
  await symlink('/nodejs/bin/node', join(folder, 'usr/local/bin/node'));
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(folder, 'usr/local/bin/npm'));
  await symlink('/bin/busybox', join(folder, 'usr/bin/env'));
  await mkdir(join(folder, 'var/tmp'), { recursive: true, mode: 0o1777 });
}

/** The npm of this machine. */
async function npmFolder(): Promise<string> {
  const { stdout } = await run('sh', ['-c', 'readlink -f "$(command -v npm)"']);
  return dirname(dirname(stdout.trim()));
}

async function busybox(): Promise<string> {
  return access('/bin/busybox').then(
    () => '/bin/busybox',
    () => '/usr/bin/busybox',
  );
}

async function copyInto(folder: string, path: string, target: string): Promise<void> {
  const place = join(folder, target);
  await mkdir(dirname(place), { recursive: true });
  await cp(path, place, { dereference: true });
}
