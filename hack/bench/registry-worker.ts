/** The two processes of the registry benchmark: a server with N tags, and Larder listing them once. */

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
  // In the order in which registries list.
  const names = Array.from(
    { length: tags },
    (_, index) => `v${Math.floor(index / 1000)}.${index % 1000}.0-build${index}`,
  ).sort();
  registry.setTags(REPOSITORY, names);
  process.on('message', () => {
    process.send?.(registry.log.length);
    registry.log.length = 0;
  });
  process.send?.(registry.host);
}

async function listTags(host: string): Promise<Cost> {
  const client = new RegistryClient({ budget: { perSecond: 1e6, burst: 1e6 } });
  const stall = watchStalls();
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
  const stallMs = stall();
  await client.close();
  const peakMb = process.resourceUsage().maxRSS / 1024;
  return {
    tags: list.tags.length,
    requests: 0,
    wallMs,
    cpuMs: (user + system) / 1000,
    peakMb,
    stallMs,
  };
}

/** Ticks each millisecond; the function it returns tells the longest wait for a tick. */
function watchStalls(): () => number {
  let last = performance.now();
  let longest = 0;
  const note = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(note, 1);
  return () => {
    note();
    clearInterval(timer);
    return longest;
  };
}

const { values } = parseArgs({ options: { serve: { type: 'string' }, list: { type: 'string' } } });
if (values.serve !== undefined) await serve(Number(values.serve));
else if (values.list !== undefined) process.send?.(await listTags(values.list));
