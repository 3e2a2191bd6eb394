/** A demo cluster worth looking at: pools, sources good and bad, pulls that fail and hang. */

import { join } from 'node:path';
import { Cluster } from '../../hack/dev-cluster/cluster.ts';
import { freePorts } from '../../hack/dev-cluster/daemon.ts';
import { startImageRegistry } from '../../hack/dev-cluster/image-registry.ts';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { installLarder, startOperator } from '../../hack/dev-cluster/operator-process.ts';
import { imageSourceManifest, prepulledImageManifest } from '../support/builders.ts';
import { apply, conditionOf, eventually, getSource, listImages, type Stage } from '../support/dev-cluster.ts';

export interface DemoStage extends Stage {
  /** Of the dashboard. */
  readonly url: string;
  /** Pushes a tag and asks for a scan. */
  pushWeekly(tag: string): Promise<void>;
}

const LAB = ['r29_0_1', 'r28_0_2', 'w_2026_45', 'w_2026_46', 'w_2026_47', 'd_2026_11_20', 'd_2026_11_21'];
const TOOLS = ['1.2.0', '1.3.0', '2.0.0', '2.1.0-rc.1'];
const NODES = [
  ...names('cpu', 6).map((name) => ({ name, labels: { pool: 'cpu' } })),
  ...names('gpu', 3).map((name) => ({ name, labels: { pool: 'gpu', 'nvidia.com/gpu.product': 'H100' } })),
  { name: 'offline-1', labels: { pool: 'edge' } },
];

function names(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

export async function startDemo(): Promise<DemoStage> {
  const cluster = await Cluster.start({ logFolder: join('reports', 'browser-logs') });
  const registry = await startImageRegistry({ folder: cluster.folder });
  cluster.adopt(registry.daemon);
  await cluster.addNodes(NODES);
  await cluster.kubectl(['cordon', 'cpu-6']);
  await installLarder(cluster);
  await fill(registry.host);
  const [port = 0] = await freePorts(1);
  await startOperator(cluster, { flags: [`--http-port=${port}`, '--anonymous-read=true', '--http-rate=0'] });
  await cluster.kubectl(['create', 'namespace', 'science']);
  await apply(cluster, ...objects(registry.host));
  await eventually(async () => {
    const images = await listImages(cluster, 'science');
    const stocked = images.filter(({ status }) => (status?.nodes?.present ?? 0) >= 8);
    if (stocked.length < 6) throw new Error(`only ${stocked.length} images are stocked`);
    const broken = await getSource(cluster, 'science', 'broken');
    if (conditionOf(broken, 'Ready')?.status !== 'False') throw new Error('broken has not failed yet');
  }, 120_000);
  // Last: what shares a pull pod with it would hang as well.
  await apply(cluster, hangingImage(registry.host));
  const pushWeekly = async (tag: string): Promise<void> => {
    await new ImageWriter(registry.host, 'sciplat/lab').push({ seed: tag }, [tag, 'latest_weekly']);
    const annotation = `larder.dev/reconcile-requested-at=${tag}`;
    await cluster.kubectl(['annotate', '-n', 'science', '--overwrite', 'imagesource', 'lab', annotation]);
  };
  return { cluster, registry, url: `http://127.0.0.1:${port}`, pushWeekly };
}

async function fill(host: string): Promise<void> {
  const lab = new ImageWriter(host, 'sciplat/lab');
  for (const tag of LAB) await lab.push({ seed: tag }, [tag]);
  await lab.push({ seed: 'w_2026_47' }, ['latest_weekly', 'recommended']);
  const tools = new ImageWriter(host, 'tools/proxy');
  for (const tag of TOOLS) await tools.push({ seed: tag }, [tag]);
  for (const name of ['missing', 'hangs'])
    await new ImageWriter(host, `lab/${name}/image`).push({ seed: name }, ['v1']);
}

function objects(host: string): readonly object[] {
  const metadata = (name: string): { name: string; namespace: string } => ({ name, namespace: 'science' });
  const common = { interval: '1h', access: { plainHTTP: true }, prepull: {} };
  const pool = (name: string): object => ({ nodeSelector: { pool: name } });
  return [
    imageSourceManifest({
      metadata: metadata('lab'),
      spec: {
        ...common,
        image: `${host}/sciplat/lab`,
        tags: { grammar: 'RSP', aliases: ['latest_weekly'] },
        select: [
          { name: 'releases', type: 'release', newest: 1 },
          { name: 'weeklies', type: 'weekly', newest: 2 },
          { name: 'dailies', type: 'daily', newest: 2 },
        ],
      },
    }),
    imageSourceManifest({
      metadata: metadata('proxy'),
      spec: {
        ...common,
        image: `${host}/tools/proxy`,
        select: [{ name: 'stable', semver: '>=1 <3', newest: 2 }],
      },
    }),
    imageSourceManifest({
      metadata: metadata('broken'),
      spec: { ...common, image: 'registry.invalid/team/app' },
    }),
    prepulledImageManifest({
      metadata: metadata('never-there'),
      spec: { image: `${host}/lab/missing/image:v1`, access: common.access, nodes: pool('gpu') },
    }),
  ];
}

function hangingImage(host: string): object {
  return prepulledImageManifest({
    metadata: { name: 'takes-forever', namespace: 'science' },
    spec: {
      image: `${host}/lab/hangs/image:v1`,
      access: { plainHTTP: true },
      nodes: { nodeSelector: { 'kubernetes.io/hostname': 'gpu-3' } },
    },
  });
}
