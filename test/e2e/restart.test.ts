/** kill -9 at any moment of the main job: the same end state, nothing pulled twice, no child lost. */

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Daemon } from '../../hack/dev-cluster/daemon.ts';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import { imageSourceManifest } from '../support/builders.ts';
import {
  apply,
  eventually,
  getSource,
  listImages,
  listPods,
  type Stage,
  startStage,
  tagOf,
} from '../support/dev-cluster.ts';

/** Milliseconds of life of each operator: before its first scan, during it, between pods, and so on. */
const LIVES_MS = [150, 400, 700, 1_000, 1_300, 1_700, 250, 2_200];
const TAGS = ['r29_0_1', 'w_2026_46', 'w_2026_47', 'd_2026_11_19', 'd_2026_11_20', 'd_2026_11_21'];

let stage: Stage;

beforeAll(async () => {
  stage = await startStage({ nodes: 5, logFolder: join('reports', 'e2e-restart') });
  const lab = new ImageWriter(stage.registry.host, 'sciplat/lab');
  for (const tag of TAGS) await lab.push({ seed: tag }, [tag]);
});

afterAll(async () => {
  await stage.cluster.stop();
});

it('ends where an undisturbed run ends', async () => {
  const { cluster, registry } = stage;
  const spec = {
    image: `${registry.host}/sciplat/lab`,
    interval: '10s',
    access: { plainHTTP: true },
    prepull: {},
  };
  await apply(cluster, imageSourceManifest({ spec: { ...spec, tags: { grammar: 'RSP' } } }));
  for (const [index, lifeMs] of LIVES_MS.entries()) {
    const victim = await startOperator(cluster, { name: `victim-${index}`, flags: ['--leader-elect=false'] });
    await delay(lifeMs);
    victim.signal('SIGKILL');
    await victim.exited();
  }
  const survivor = await startOperator(cluster, { name: 'survivor', flags: ['--leader-elect=false'] });

  await eventually(async () => {
    const found = await getSource(cluster, 'default', 'lab');
    expect(found.status?.counts).toMatchObject({ known: 6, selected: 6, prepulled: 6 });
  });
  const images = await listImages(cluster, 'default');
  expect(images.map(tagOf).sort()).toEqual([...TAGS].sort());
  expect(images.map(({ status }) => status?.ready)).toEqual(TAGS.map(() => '5/5'));
  await survivor.stop();

  const pulls = await pullsOf('sciplat/lab');
  expect(pulls.length).toBe(TAGS.length * 5);
  expect(new Set(pulls).size).toBe(pulls.length);
});

it('exits in order on SIGTERM, and its successor leads at once', async () => {
  const first = await startOperator(stage.cluster, { name: 'first' });
  await first.waitUntil(() => first.hasLogged('"msg":"leading"'), 30_000);
  const second = await startOperator(stage.cluster, { name: 'second' });
  first.signal('SIGTERM');
  expect(await first.exited()).toBe(0);
  const released = performance.now();
  await second.waitUntil(() => second.hasLogged('"msg":"leading"'), 30_000);
  // Far less than the 15 s that a lease lasts: it was given back.
  expect(performance.now() - released).toBeLessThan(8_000);
  await second.stop();
});

it('hands over when the leader freezes, and the frozen one does no harm when it wakes', async () => {
  const { cluster, registry } = stage;
  const leader = await startOperator(cluster, { name: 'leader' });
  const standby = await startOperator(cluster, { name: 'standby' });
  const isLeading = (daemon: Daemon) => () => daemon.hasLogged('"msg":"leading"');
  await leader.waitUntil(isLeading(leader), 30_000);
  const tools = new ImageWriter(registry.host, 'tools/proxy');
  const versions = ['1.0.0', '1.1.0', '1.2.0', '1.3.0'];
  for (const tag of versions) await tools.push({ seed: `proxy ${tag}` }, [tag]);
  const spec = {
    image: `${registry.host}/tools/proxy`,
    access: { plainHTTP: true },
    select: [{ name: 'all', semver: '*', newest: 4 }],
    prepull: {},
  };
  await apply(cluster, imageSourceManifest({ metadata: { name: 'proxy' }, spec }));
  await eventually(async () => {
    expect(await tagsOf('proxy')).toHaveLength(4);
  });
  leader.signal('SIGSTOP');
  await standby.waitUntil(isLeading(standby), 40_000);
  leader.signal('SIGCONT');
  expect(await leader.exited()).not.toBe(0);
  await eventually(async () => {
    const found = await getSource(cluster, 'default', 'proxy');
    expect(found.status?.counts).toMatchObject({ selected: 4, prepulled: 4 });
  });
  const pulls = await pullsOf('tools/proxy');
  expect(pulls.length).toBe(versions.length * 5);
  expect(new Set(pulls).size).toBe(pulls.length);
  await standby.stop();
});

it('ends at once on a second SIGTERM, whatever it waits for', async () => {
  const server = stage.cluster.daemon('kube-apiserver');
  const operator = await startOperator(stage.cluster, { name: 'impatient' });
  await operator.waitUntil(() => operator.hasLogged('"msg":"leading"'), 30_000);
  server.signal('SIGSTOP');
  try {
    operator.signal('SIGTERM');
    await operator.waitUntil(() => operator.hasLogged('"msg":"stopping"'), 10_000);
    operator.signal('SIGTERM');
    expect(await operator.exited()).toBe(143);
  } finally {
    server.signal('SIGCONT');
  }
});

/** Tags of the children of a source. */
async function tagsOf(source: string): Promise<readonly string[]> {
  const images = await listImages(stage.cluster, 'default');
  return images.filter(({ metadata }) => metadata.labels?.['larder.dev/source'] === source).map(tagOf);
}

/** `node image` of every container that ever pulled from the repository; finished pods rest for minutes. */
async function pullsOf(repository: string): Promise<readonly string[]> {
  const pods = await listPods(stage.cluster);
  const all = pods.flatMap(({ spec: { nodeName, containers } }) =>
    containers.map(({ image }) => `${nodeName} ${image}`),
  );
  return all.filter((pull) => pull.includes(`/${repository}`));
}
