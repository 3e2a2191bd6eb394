/** The two processes of the registry benchmark: a server with N tags, and Larder listing them once. */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';

import { buildAccess } from '../../src/registry/access.ts';
import { RegistryClient } from '../../src/registry/client.ts';
import { newScanMeter } from '../../src/registry/meter.ts';
import { FakeRegistry } from '../../test/support/fake-registry.ts';

export const REPOSITORY = 'bench/app';

export interface Cost {
  readonly tags: number;
  readonly requests: number;
  readonly wallMs: number;
  /** User and system. */
  readonly cpuMs: number;
  /** Peak resident memory of the whole process. */
  readonly peakMb: number;
  /** Longest time the event loop stood still. */
  readonly stallMs?: number;
}

/** Tells its host, then answers each message with the number of requests since the last one. */
async function serve(tags: number): Promise<void> {
  const registry = await FakeRegistry.start();
  const names = Array.from(
    { length: tags },
    (_, index) => `v${Math.floor(index / 1000)}.${index % 1000}.0-build${index}`,
  );
  registry.setTags(REPOSITORY, names);
  process.on('message', () => {
    process.send?.(registry.log.length);
    registry.log.length = 0;
  });
  process.send?.(registry.host);
}

async function listTags(host: string): Promise<Cost> {
  const client = new RegistryClient({ budget: { perSecond: 1e6, burst: 1e6 } });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const before = process.cpuUsage();
  const started = performance.now();
  const list = await client.collectTags(
    { registry: host, repository: REPOSITORY },
    buildAccess({ plainHTTP: true }),
    {
      signal: AbortSignal.timeout(60_000),
      meter: newScanMeter(),
    },
  );
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  delay.disable();
  await client.close();
  const peakMb = process.resourceUsage().maxRSS / 1024;
  return {
    tags: list.tags.length,
    requests: 0,
    wallMs,
    cpuMs: (user + system) / 1000,
    peakMb,
    stallMs: delay.max / 1e6,
  };
}

const { values } = parseArgs({ options: { serve: { type: 'string' }, list: { type: 'string' } } });
if (values.serve !== undefined) await serve(Number(values.serve));
else if (values.list !== undefined) process.send?.(await listTags(values.list));
