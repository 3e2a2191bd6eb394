/**
 * What the operator does when there is nothing to do: writes and CPU over some minutes after a rollout has rested.
 *
 *   node hack/bench/idle.ts [NODES [IMAGES [MINUTES]]]        (default 100 nodes, 5 images, 10 minutes)
 *
 * Needs `make build` and the development cluster. Starts a cluster of simulated nodes, stocks them, waits until the last
 * pull pod has rested and gone (some seven minutes), then counts the operator's requests in the API server's audit log.
 */

import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { operatorRequests, writeAuditPolicy } from '../../test/support/audit.ts';
import { Cluster } from '../dev-cluster/cluster.ts';
import { installLarder, startOperator } from '../dev-cluster/operator-process.ts';

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete']);
const LOOK_MS = 5_000;
/** Linux counts CPU in hundredths of a second. */
const TICKS_PER_SECOND = 100;

function image(index: number): object {
  const digest = `sha256:${String(index).padStart(64, '0')}`;
  const metadata = { name: `image-${index}`, namespace: 'default' };
  // Nobody answers there: a digest needs no registry.
  const spec = { image: `127.0.0.1:1/lab@${digest}`, access: { plainHTTP: true } };
  return { apiVersion: 'larder.dev/v1alpha1', kind: 'PrepulledImage', metadata, spec };
}

async function listed(
  cluster: Cluster,
  kind: string,
): Promise<readonly { status?: { prepulled?: boolean } }[]> {
  return (await cluster.getJson<{ items: { status?: { prepulled?: boolean } }[] }>([kind, '-A'])).items;
}

/** Seconds of CPU that the process has used. */
async function cpuSeconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function rollOut(cluster: Cluster, images: number): Promise<void> {
  const items = Array.from({ length: images }, (_, index) => image(index));
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const isStocked = async (): Promise<boolean> =>
    (await listed(cluster, 'prepulledimages')).every(({ status }) => status?.prepulled === true);
  while (!(await isStocked())) await delay(LOOK_MS);
  while ((await listed(cluster, 'pods')).length > 0) await delay(LOOK_MS);
}

async function main(): Promise<void> {
  const [nodes = 100, images = 5, minutes = 10] = process.argv.slice(2).map(Number);
  await using folder = await mkdtempDisposable(join(tmpdir(), 'larder-idle-'));
  const cluster = await Cluster.start({ auditPolicy: await writeAuditPolicy(folder.path) });
  try {
    await installLarder(cluster);
    await cluster.addNodes(Array.from({ length: nodes }, (_, index) => ({ name: `node-${index}` })));
    const operator = await startOperator(cluster, { flags: ['--pull-slots=0'] });
    await rollOut(cluster, images);
    const before = { requests: await operatorRequests(cluster), cpu: await cpuSeconds(operator.pid) };
    await delay(minutes * 60_000);
    const requests = (await operatorRequests(cluster)).slice(before.requests.length);
    const cpu = (await cpuSeconds(operator.pid)) - before.cpu;
    const writes = requests.filter(({ verb }) => WRITES.has(verb));
    const lease = writes.filter(({ objectRef }) => objectRef?.resource === 'leases').length;
    const others = writes.length - lease;
    const cpuPercent = Math.round((cpu / (minutes * 60)) * 10_000) / 100;
    const figures = {
      nodes,
      images,
      minutes,
      requests: requests.length,
      lease,
      otherWrites: others,
      cpuPercent,
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  } finally {
    await cluster.stop();
  }
}

await main();
