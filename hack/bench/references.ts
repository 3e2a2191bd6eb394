/**
 * What it costs to find out who refers to the records of a namespace with many pods.
 *
 *   node --max-old-space-size=160 --max-semi-space-size=2 hack/bench/references.ts [--pods N]     (default 50000)
 *
 * The server is a process of its own; every 1,000th pod is looked for by image. Prints CPU, time and peak memory of one
 * survey that reads metadata only, of one that reads whole pods, and of an informer of all pods beside them.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { systemClock } from '../../src/clock.ts';
import { RecordReferences } from '../../src/controllers/record-references.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { KubeConfigCredentials } from '../../src/kube/credentials.ts';
import { Transport } from '../../src/kube/transport.ts';
import type { ServerAddress } from './kube-server.ts';

const { values } = parseArgs({ options: { pods: { type: 'string', default: '50000' } } });

function configOf({ url, authority }: ServerAddress): KubeConfig {
  const config = new KubeConfig();
  const caData = Buffer.from(authority).toString('base64');
  config.loadFromOptions({
    clusters: [{ name: 'bench', server: url, caData, skipTLSVerify: false }],
    users: [{ name: 'bench', token: 'bench' }],
    contexts: [{ name: 'bench', cluster: 'bench', user: 'bench' }],
    currentContext: 'bench',
  });
  return config;
}

/** Runs the work and prints what it cost this process. */
async function measure(name: string, work: () => Promise<string>): Promise<void> {
  const started = process.cpuUsage();
  const since = performance.now();
  let peak = 0;
  const sampler = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 10);
  const result = await work();
  clearInterval(sampler);
  const { user, system } = process.cpuUsage(started);
  const cpu = ((user + system) / 1e6).toFixed(2);
  const seconds = ((performance.now() - since) / 1000).toFixed(2);
  process.stdout.write(
    `${name}: ${cpu} s CPU, ${seconds} s, ${Math.round(peak / 2 ** 20)} MB at most; ${result}\n`,
  );
}

const server = fork(join(import.meta.dirname, 'kube-server.ts'), ['--pods', values.pods]);
const [address] = (await once(server, 'message')) as [ServerAddress];
const credentials = new KubeConfigCredentials(systemClock, () => configOf(address));
const rate = { qps: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY };
const transport = new Transport({ clock: systemClock, credentials, userAgent: 'bench', rate });
const client = new KubeClient({ transport, fieldManager: 'bench' });
const signal = new AbortController().signal;
const references = new RecordReferences({
  list: (type, options) => client.list(type, options),
  // The server has nothing but pods.
  listPage: (type, options) =>
    type.plural === 'pods'
      ? client.listPage(type, options)
      : Promise.resolve({ items: [], resourceVersion: '1', continueToken: undefined }),
});
const image = 'registry.example.org/team-0/service-0:v1.0.0';
for (const images of [new Set<string>(), new Set([image])]) {
  await measure(images.size === 0 ? 'metadata only' : 'whole pods', async () => {
    const { looked, podsByImage } = await references.survey('default', { images, signal });
    return `${looked} pods looked at, ${podsByImage.get(image)?.length ?? 0} found`;
  });
}
await transport.close();
server.kill();
