/** Shows the main job on a real API server: a registry is watched, nodes are stocked, a new image arrives, an old one goes. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from '../dev-cluster/cluster.ts';
import { freePorts } from '../dev-cluster/daemon.ts';
import { startImageRegistry } from '../dev-cluster/image-registry.ts';
import { installLarder, startOperator } from '../dev-cluster/operator-process.ts';
import { fillRegistry, pushNewWeekly } from './fill-registry.ts';

const NAMESPACE = 'science';
const LIMIT_MS = 90_000;
const POLL_MS = 250;

interface PrepulledImage {
  readonly spec: { readonly image: string };
  readonly status?: { readonly prepulled?: boolean; readonly ready?: string };
}

function say(text: string): void {
  process.stdout.write(`\n\u001b[1m${text}\u001b[0m\n`);
}

function print(text: string): void {
  process.stdout.write(`${text.trimEnd()}\n`);
}

/** Tags of the PrepulledImages, with whether every node has them. */
async function stock(cluster: Cluster): Promise<ReadonlyMap<string, boolean>> {
  const { items } = await cluster.getJson<{ items: readonly PrepulledImage[] }>([
    'prepulledimages',
    '-n',
    NAMESPACE,
  ]);
  return new Map(
    items.map(({ spec, status }) => [
      /:([^:@/]+)@/.exec(spec.image)?.[1] ?? spec.image,
      status?.prepulled ?? false,
    ]),
  );
}

/** Waits until exactly these tags are stocked on every node. @throws Error that says what is there instead */
async function waitForStock(cluster: Cluster, tags: readonly string[]): Promise<void> {
  const wanted = [...tags].sort().join(' ');
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const there = await stock(cluster);
    const complete = [...there.values()].every(Boolean);
    if (complete && [...there.keys()].sort().join(' ') === wanted) return;
    if (performance.now() > deadline) {
      const found = [...there].map(([tag, done]) => `${tag}${done ? '' : ' (missing on nodes)'}`).join(', ');
      throw new Error(`expected ${wanted} on every node, found: ${found}`);
    }
    await delay(POLL_MS);
  }
}

async function show(cluster: Cluster): Promise<void> {
  const { stdout } = await cluster.kubectl(['get', 'imagesources,prepulledimages', '-n', NAMESPACE]);
  print(stdout);
}

const ALWAYS = ['r29_0_1', 'd_2026_11_21', 'd_2026_11_20', '2.0.0', '1.3.0'];
const STOCK_BEFORE = [...ALWAYS, 'w_2026_46', 'w_2026_47'];
const STOCK_AFTER = [...ALWAYS, 'w_2026_47', 'w_2026_48'];

async function demo(cluster: Cluster, httpPort: number): Promise<void> {
  const registry = await startImageRegistry({ folder: cluster.folder, progress: print });
  cluster.adopt(registry.daemon);
  print(
    `registry at ${registry.host}: ${await fillRegistry(registry.host)} tags in sciplat/lab and tools/proxy`,
  );
  await cluster.addNodes(Array.from({ length: 5 }, (_, index) => ({ name: `node-${index + 1}` })));
  await installLarder(cluster);
  await startOperator(cluster, { flags: [`--http-port=${httpPort}`, '--anonymous-read=true'] });
  print('API server, 5 simulated nodes and the operator (under its own ServiceAccount) are up');

  say('$ kubectl apply -f sources.yaml        # two ImageSources');
  const sources = await readFile(join(import.meta.dirname, 'sources.yaml'), 'utf8');
  await cluster.kubectl(['create', 'namespace', NAMESPACE]);
  print(
    (await cluster.kubectl(['apply', '-f', '-'], sources.replaceAll('@REGISTRY@', registry.host))).stdout,
  );
  await waitForStock(cluster, STOCK_BEFORE);
  say('$ kubectl get imagesources,prepulledimages -n science');
  await show(cluster);

  say('Somebody pushes w_2026_48 and moves latest_weekly to it ...');
  await pushNewWeekly(registry.host);
  await waitForStock(cluster, STOCK_AFTER);
  say('$ kubectl get imagesources,prepulledimages -n science        # w_2026_48 came, the older weekly went');
  await show(cluster);
}

function waitForInterrupt(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => {
      resolve();
    });
    process.once('SIGTERM', () => {
      resolve();
    });
  });
}

function giveUp(): never {
  throw new Error('interrupted');
}

function printWhatToTry(cluster: Cluster, httpPort: number): void {
  say(`It stays up until Ctrl-C. The dashboard is at http://127.0.0.1:${httpPort}/. In another terminal:`);
  print(`  export KUBECONFIG=${cluster.kubeconfigFile}
  kubectl get imagesources,prepulledimages -n science -o wide
  kubectl describe imagesource lab -n science
  kubectl cordon node-3; kubectl get prepulledimages -n science -w
  kubectl patch imagesource lab -n science --type=merge -p '{"spec":{"suspend":true}}'
  tail -f ${join(cluster.folder, 'operator.log')}`);
}

const started = performance.now();
const interrupted = waitForInterrupt();
const cluster = await Cluster.start({ progress: print });
const [httpPort = 0] = await freePorts(1);
let succeeded = false;
try {
  await Promise.race([demo(cluster, httpPort), interrupted.then(giveUp)]);
  succeeded = true;
  print(`\nThe show took ${((performance.now() - started) / 1000).toFixed(0)} s.`);
  if (process.env['ONCE'] !== '1') {
    printWhatToTry(cluster, httpPort);
    await interrupted;
  }
} catch (error) {
  process.stderr.write(`\nThe demo has failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await cluster.stop({ keepLogs: !succeeded });
}
process.exit();
