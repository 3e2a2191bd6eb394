import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { CONFIG_MAPS } from './fixtures.ts';

let server: FakeApiServer;
const proxies: Server[] = [];

beforeEach(async () => {
  server = await FakeApiServer.start();
});

afterEach(async () => {
  await server.close();
  for (const proxy of proxies.splice(0)) proxy.close();
});

async function listen(proxy: Server): Promise<number> {
  proxies.push(proxy);
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return (proxy.address() as AddressInfo).port;
}

function tunnel(client: Socket, host: string, port: number, greeting: Buffer | string): void {
  const upstream = connect(port, host, () => {
    client.write(greeting);
    client.pipe(upstream).pipe(client);
  });
  for (const socket of [client, upstream]) socket.on('error', () => undefined);
}

/** An HTTP proxy that knows CONNECT; counts tunnels. */
async function startHttpProxy(): Promise<{ readonly url: string; readonly tunnels: () => number }> {
  let count = 0;
  const proxy = createHttpServer();
  proxy.on('connect', (request, client: Socket) => {
    count += 1;
    const { hostname, port } = new URL(`http://${request.url ?? ''}`);
    tunnel(client, hostname, Number(port), 'HTTP/1.1 200 Connection established\r\n\r\n');
  });
  return { url: `http://127.0.0.1:${await listen(proxy)}`, tunnels: () => count };
}

/** A SOCKS5 proxy (RFC 1928) without authentication, IPv4 targets only. */
async function startSocksProxy(): Promise<{ readonly url: string; readonly tunnels: () => number }> {
  let count = 0;
  const proxy = createServer((client) => {
    client.once('data', () => {
      client.write(Buffer.from([5, 0]));
      client.once('data', (request: Buffer) => {
        count += 1;
        const host = request.subarray(4, 8).join('.');
        tunnel(client, host, request.readUInt16BE(8), Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
      });
    });
  });
  return { url: `socks5://127.0.0.1:${await listen(proxy)}`, tunnels: () => count };
}

describe('proxies of the kubeconfig', () => {
  it.each([
    ['HTTP', startHttpProxy],
    ['SOCKS', startSocksProxy],
  ] as const)('%s: calls go through it, over few tunnels', async (_name, start) => {
    const proxy = await start();
    const { client, transport } = server.connect(systemClock, {
      config: () => {
        const config = server.kubeConfig();
        config.clusters = config.clusters.map((cluster) => ({ ...cluster, proxyUrl: proxy.url }));
        return config;
      },
    });
    for (let round = 0; round < 5; round += 1) await client.list(CONFIG_MAPS);
    expect(server.count('list')).toBe(5);
    expect(proxy.tunnels()).toBe(server.connections);
    expect(proxy.tunnels()).toBeLessThan(5);
    await transport.close();
  });
});
