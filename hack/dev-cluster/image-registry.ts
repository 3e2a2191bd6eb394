/** CNCF Distribution on a loopback port, plain HTTP, storage in the given folder. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findBinaries, type Progress } from './binaries.ts';
import { Daemon, freePorts } from './daemon.ts';

const READY_LIMIT_MS = 20_000;

export interface ImageRegistryOptions {
  /** Folder for storage, configuration, log and pid file. */
  readonly folder: string;
  readonly progress?: Progress;
  /** Path of an htpasswd file (bcrypt); absent: anonymous. */
  readonly htpasswd?: string;
  /** Where push events are sent to. */
  readonly notify?: { readonly url: string; readonly headers?: Readonly<Record<string, string>> };
}

export interface ImageRegistry {
  /** `127.0.0.1:port`, as it stands in image references. */
  readonly host: string;
  readonly daemon: Daemon;
}

/** Starts a registry and returns once it answers. */
export async function startImageRegistry(options: ImageRegistryOptions): Promise<ImageRegistry> {
  const found = await findBinaries(['registry'], options.progress ?? (() => undefined));
  const [port = 0] = await freePorts(1);
  const host = `127.0.0.1:${port}`;
  const storage = join(options.folder, 'registry');
  await mkdir(storage, { recursive: true });
  const config = {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: host },
    ...(options.htpasswd === undefined
      ? {}
      : { auth: { htpasswd: { realm: 'larder', path: options.htpasswd } } }),
    ...(options.notify === undefined ? {} : { notifications: notifications(options.notify) }),
  };
  const file = join(options.folder, 'registry.json');
  await writeFile(file, JSON.stringify(config));
  const daemon = Daemon.start({
    name: 'registry',
    command: found.get('registry') ?? 'registry',
    args: ['serve', file],
    folder: options.folder,
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  });
  await daemon.waitUntil(async () => (await fetch(`http://${host}/v2/`)).status < 500, READY_LIMIT_MS);
  return { host, daemon };
}

/** As docs/webhooks.md has it. */
function notifications({ url, headers = {} }: NonNullable<ImageRegistryOptions['notify']>): object {
  const lists = Object.entries(headers).map(([name, value]) => [name, [value]]);
  const endpoint = { name: 'larder', url, timeout: '5s', threshold: 5, backoff: '1s' };
  return { endpoints: [{ ...endpoint, headers: Object.fromEntries(lists) as object }] };
}
