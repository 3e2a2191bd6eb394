/** Options of an operator that talks to a fake API server, and the kubeconfig file they name. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FakeApiServer } from './fake-api-server.ts';

export interface KubeconfigFile extends AsyncDisposable {
  readonly path: string;
}

/** A kubeconfig for the server in a folder of its own, removed at the end of the test. */
export async function kubeconfigFile(server: FakeApiServer): Promise<KubeconfigFile> {
  const folder = await mkdtemp(join(tmpdir(), 'larder-test-'));
  const path = join(folder, 'kubeconfig');
  await writeFile(path, server.kubeConfig().exportConfig(), { mode: 0o600 });
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** What every test operator is started with: no fixed port, no noise. */
export const QUIET_FLAGS = [
  '--health-host=127.0.0.1',
  '--health-port=0',
  '--http-port=off',
  '--log-level=error',
] as const;
