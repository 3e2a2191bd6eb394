/** The whole process over fake servers: what it serves, on which ports, and what it says of wrong flags. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpawnerImages } from '../../src/domain/spawner.ts';
import { createOperator, type LarderOperator } from '../../src/operator.ts';
import { readOptions } from '../../src/options.ts';
import { IMAGE_SOURCES } from '../controllers/fixtures.ts';
import { imageSource } from '../support/builders.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { eventually } from '../support/fake-clock.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { type KubeconfigFile, kubeconfigFile } from '../support/operator-options.ts';

const LIMIT_MS = 15_000;

let server: FakeApiServer;
let registry: FakeRegistry;
let kubeconfig: KubeconfigFile;
let operator: LarderOperator | undefined;

beforeEach(async () => {
  server = await FakeApiServer.start();
  registry = await FakeRegistry.start();
  kubeconfig = await kubeconfigFile(server);
});

afterEach(async () => {
  operator?.stop();
  await operator?.finished;
  operator = undefined;
  await kubeconfig[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await server.close();
});

/** A port that nobody has taken a moment ago. */
async function freePort(): Promise<string> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return String(port);
}

async function start(flags: Readonly<Record<string, string>>): Promise<void> {
  const quiet = {
    'health-host': '127.0.0.1',
    'http-host': '127.0.0.1',
    'log-level': 'error',
    namespace: 'stock',
  };
  const options = readOptions({ ...quiet, 'health-port': '0', kubeconfig: kubeconfig.path, ...flags }, {});
  if (!options.ok) throw new Error(options.error.join('\n'));
  const made = createOperator(options.value);
  await made.start();
  operator = made;
}

describe('the servers of the operator', () => {
  it('serve what the scans have found, the document, and metrics of it', async () => {
    for (const tag of ['w_2026_46', 'w_2026_47']) registry.putImage('sciplat/lab', tag);
    const spec = {
      image: `${registry.host}/sciplat/lab`,
      access: { plainHTTP: true },
      tags: { grammar: 'RSP' as const },
      prepull: {},
    };
    server.store.put(IMAGE_SOURCES, imageSource({ spec }));
    const [http, health] = [await freePort(), await freePort()];
    await start({ 'http-port': http, 'health-port': health, 'anonymous-read': 'true' });
    const base = `http://127.0.0.1:${http}`;
    await eventually(async () => {
      const answer = await fetch(`${base}/spawner/v1/images`);
      return answer.headers.get('larder-list') === 'Scan';
    }, LIMIT_MS);
    const { all } = (await (await fetch(`${base}/spawner/v1/images`)).json()) as SpawnerImages;
    expect(all.map(({ tag }) => tag)).toEqual(['w_2026_47', 'w_2026_46']);
    const { paths } = (await (await fetch(`${base}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(paths)).toContain('/v1/coverage');
    expect((await fetch(`${base}/v1/docker/none`)).status).toBe(404);
    const metrics = await (await fetch(`http://127.0.0.1:${health}/metrics`)).text();
    expect(metrics).toMatch(/larder_http_requests_total\{group="spawner",method="GET",code="200"\} \d+/);
    expect(metrics).toContain('larder_source_ready{namespace="default",name="lab"} 1');
    expect(metrics).toContain(`larder_registry_requests_total{host="${registry.host}",code="200"}`);
  });

  it('ask for a token unless reading is open', async () => {
    const http = await freePort();
    await start({ 'http-port': http });
    const ask = () => fetch(`http://127.0.0.1:${http}/v1/sources`);
    await eventually(async () => (await ask()).status !== 503, LIMIT_MS);
    expect((await ask()).status).toBe(401);
  });

  it('do not listen where they are switched off', async () => {
    await start({ 'http-port': 'off' });
    expect(operator?.isHealthy).toBe(true);
  });

  it.each([
    ['half a certificate', { 'http-port': '0', 'http-cert-file': '/tls/tls.crt' }, 'belong together'],
    [
      'a certificate that is not there',
      { 'http-port': '0', 'http-cert-file': '/no/tls.crt', 'http-key-file': '/no/tls.key' },
      'ENOENT',
    ],
  ])('refuse %s', async (_what, flags, message) => {
    await expect(start(flags)).rejects.toThrow(message);
  });
});
