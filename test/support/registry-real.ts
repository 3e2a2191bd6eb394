/** Real registries for tests: CNCF Distribution and go-containerregistry's, as processes on loopback. */

import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../hack/dev-cluster/binaries.ts';
import { Daemon, freePorts } from '../../hack/dev-cluster/daemon.ts';
import { sha256 } from './fake-registry.ts';

const READY_LIMIT_MS = 20_000;

/** The path of an executable: beside the cluster's binaries, or where an environment variable says. */
export function findExecutable(name: string, variable: string): string | undefined {
  return [
    process.env[variable] ?? '',
    join(cacheFolder(), name),
    `/usr/bin/${name}`,
    `/usr/local/bin/${name}`,
  ].find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return path !== '';
  } catch {
    return false;
  }
}

/** Several Distribution processes over one storage: content is pushed to the open one, read through the others. */
export class Distribution implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'larder-distribution-'));
  readonly #binary: string;
  readonly #daemons: Daemon[] = [];

  constructor(binary: string) {
    this.#binary = binary;
  }

  /** Starts one more; `overrides` go into its configuration. Returns host:port. */
  async start(overrides: { readonly http?: object; readonly auth?: object } = {}): Promise<string> {
    const [port = 0] = await freePorts(1);
    const host = `127.0.0.1:${port}`;
    const storage = join(this.folder, 'storage');
    mkdirSync(storage, { recursive: true });
    const config = {
      version: '0.1',
      log: { level: 'warn', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
      http: { addr: host, ...overrides.http },
      ...(overrides.auth && { auth: overrides.auth }),
    };
    const file = join(this.folder, `${port}.json`);
    writeFileSync(file, JSON.stringify(config));
    const env = { ...process.env, OTEL_TRACES_EXPORTER: 'none' };
    const daemon = Daemon.start({
      name: `registry-${port}`,
      command: this.#binary,
      args: ['serve', file],
      folder: this.folder,
      env,
    });
    this.#daemons.push(daemon);
    await daemon.waitUntil(() => isListening(host), READY_LIMIT_MS);
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** go-containerregistry's in-memory registry. */
export async function startGoRegistry(
  binary: string,
  folder: string,
): Promise<{ host: string; daemon: Daemon }> {
  const [port = 0] = await freePorts(1);
  const host = `127.0.0.1:${port}`;
  const daemon = Daemon.start({
    name: `ggcr-${port}`,
    command: binary,
    args: ['registry', 'serve', '--address', host],
    folder,
  });
  await daemon.waitUntil(() => isListening(host), READY_LIMIT_MS);
  return { host, daemon };
}

/** Any HTTP answer will do; a TLS server refuses plain http with a 400. */
async function isListening(host: string): Promise<boolean> {
  return (await fetch(`http://${host}/v2/`)).status > 0;
}

/** Uploads content over the distribution API. */
export class Pusher {
  readonly #base: string;

  constructor(host: string, repository: string) {
    this.#base = `http://${host}/v2/${repository}`;
  }

  async blob(content: string): Promise<{ digest: string; size: number }> {
    const digest = sha256(content);
    const started = await fetch(`${this.#base}/blobs/uploads/`, { method: 'POST' });
    const location = new URL(started.headers.get('location') ?? '', this.#base);
    location.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream' };
    const done = await fetch(location, { method: 'PUT', body: content, headers });
    if (!done.ok) throw new Error(`pushing a blob: ${done.status}`);
    return { digest, size: Buffer.byteLength(content) };
  }

  async manifest(manifest: object, mediaType: string, identifier?: string): Promise<string> {
    const body = JSON.stringify(manifest);
    const digest = sha256(body);
    const url = `${this.#base}/manifests/${identifier ?? digest}`;
    const done = await fetch(url, { method: 'PUT', body, headers: { 'content-type': mediaType } });
    if (!done.ok) throw new Error(`pushing a manifest: ${done.status} ${await done.text()}`);
    return digest;
  }
}
