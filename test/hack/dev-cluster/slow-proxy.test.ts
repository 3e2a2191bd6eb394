/** The slow line delivers everything, at its rate, and breaks where it is cut. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SlowProxy } from '../../../hack/dev-cluster/slow-proxy.ts';

const BODY = Buffer.alloc(300_000, 'b');

let server: Server;
let proxy: SlowProxy;

beforeEach(async () => {
  server = createServer((_request, response) => response.end(BODY));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  proxy = await SlowProxy.start({ target, bytesPerSecond: 1_000_000 });
});

afterEach(async () => {
  await proxy.stop();
  server.closeAllConnections();
  server.close();
});

async function download(): Promise<Buffer> {
  const response = await fetch(`http://${proxy.host}/`, { headers: { connection: 'close' } });
  return Buffer.from(await response.arrayBuffer());
}

it('delivers all bytes, no faster than its rate', async () => {
  const started = performance.now();
  expect((await download()).equals(BODY)).toBe(true);
  expect(performance.now() - started).toBeGreaterThan(250);
  expect(proxy.sentBytes).toBeGreaterThan(BODY.length);
});

it('shares its rate between connections', async () => {
  const started = performance.now();
  await Promise.all([download(), download()]);
  expect(performance.now() - started).toBeGreaterThan(500);
});

it('breaks a transfer when it is cut, refuses the next, and delivers again once mended', async () => {
  proxy.setRate(100_000);
  const broken = download();
  const outcome = expect(broken).rejects.toThrow();
  await proxy.sent(50_000);
  proxy.cut();
  await outcome;
  await expect(download()).rejects.toThrow('fetch failed');

  proxy.mend();
  proxy.setRate(10_000_000);
  expect((await download()).length).toBe(BODY.length);
});
