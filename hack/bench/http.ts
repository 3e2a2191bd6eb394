/**
 * What serving costs: requests a second and latency of /spawner/v1/images, idle and while a rollout changes it all the
 * time, the time and size of /v1/coverage, and memory. Server and load each have a core.
 *
 *   node hack/bench/http.ts [seconds a measurement, default 10]
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';

const CONNECTIONS = 16;
const WARM_UP_MS = 2_000;
const [seconds = '10'] = process.argv.slice(2);

const child = fork(join(import.meta.dirname, 'http-server.ts'), [], {
  execPath: 'taskset',
  execArgv: ['-c', '0', process.execPath, '--expose-gc'],
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});
const [{ url }] = (await once(child, 'message')) as [{ readonly url: string }];
const pool = new Pool(url, { connections: CONNECTIONS });

interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

async function load(path: string, ms: number): Promise<Measured> {
  const took: number[] = [];
  const end = performance.now() + ms;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const began = performance.now();
      const { body, statusCode } = await pool.request({
        path,
        method: 'GET',
        headers: { 'accept-encoding': 'gzip' },
      });
      await body.dump();
      if (statusCode !== 200) throw new Error(`${path}: ${statusCode}`);
      took.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  took.sort((left, right) => left - right);
  const at = (share: number): number => Number((took[Math.floor(took.length * share)] ?? 0).toFixed(2));
  return {
    perSecond: Math.round((took.length * 1000) / ms),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(0.9999),
  };
}

async function memoryMiB(): Promise<number> {
  child.send('memory');
  const [{ rssBytes }] = (await once(child, 'message')) as [{ readonly rssBytes: number }];
  return Math.round(rssBytes / 2 ** 20);
}

/** The first answer after everything is new, and one more. */
async function coverage(): Promise<Readonly<Record<string, number>>> {
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < 2; round += 1) {
    const began = performance.now();
    const { body } = await pool.request({
      path: '/v1/coverage',
      method: 'GET',
      headers: { 'accept-encoding': 'gzip' },
    });
    bytes = (await body.bytes()).length;
    times.push(Math.round(performance.now() - began));
  }
  return { firstMs: times[0] ?? 0, nextMs: times[1] ?? 0, gzipKiB: Math.round(bytes / 1024) };
}

console.log('coverage 1,000 x 50', await coverage());
await load('/spawner/v1/images', WARM_UP_MS);
console.log('memory MiB', await memoryMiB());
console.log('idle', await load('/spawner/v1/images', Number(seconds) * 1000));
console.log('memory MiB', await memoryMiB());
child.send('rollout');
await delay(1_000);
console.log('rollout', await load('/spawner/v1/images', Number(seconds) * 1000));
console.log('coverage in a rollout', await coverage());
console.log('memory MiB', await memoryMiB());
await pool.close();
child.kill();
