/** What two replicas serve from a real API server under the RBAC of config/: the same, and only to who may see it. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Daemon } from '../../hack/dev-cluster/daemon.ts';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import type { SpawnerImages } from '../../src/domain/spawner.ts';
import { imageSourceManifest } from '../support/builders.ts';
import { apply, eventually, getSource, type Stage, startStage } from '../support/dev-cluster.ts';

const WEEKLIES = ['w_2026_44', 'w_2026_45', 'w_2026_46', 'w_2026_47'];

let stage: Stage;
let leader: string;
let standby: string;
let token: string;

/** Where the process serves, from its own log. */
async function addressOf({ logFile }: Daemon): Promise<string> {
  const log = await readFile(logFile, 'utf8');
  return `http://127.0.0.1:${/"httpPort":(\d+)/.exec(log)?.[1] ?? ''}`;
}

function ask(base: string, path: string, bearer = token): Promise<Response> {
  return fetch(`${base}${path}`, { headers: { authorization: `Bearer ${bearer}` } });
}

async function tokenOf(account: string): Promise<string> {
  await stage.cluster.kubectl(['create', 'serviceaccount', account]);
  return (await stage.cluster.kubectl(['create', 'token', account])).stdout.trim();
}

function leads(daemon: Daemon): Promise<boolean> {
  return daemon.hasLogged('"msg":"leading"');
}

beforeAll(async () => {
  stage = await startStage({ logFolder: join('reports', 'e2e-serving') });
  const { cluster, registry } = stage;
  const lab = new ImageWriter(registry.host, 'sciplat/lab');
  for (const tag of WEEKLIES) await lab.push({ seed: `serving ${tag}` }, [tag]);
  await lab.push({ seed: 'serving w_2026_46' }, ['recommended']);
  const first = await startOperator(cluster, { name: 'first' });
  await first.waitUntil(() => leads(first), 30_000);
  const second = await startOperator(cluster, { name: 'second' });
  [leader, standby] = [await addressOf(first), await addressOf(second)];
  token = await tokenOf('hub');
  await cluster.kubectl([
    'create',
    'clusterrole',
    'larder-view',
    '--verb=get,list',
    '--resource=imagesources.larder.dev,prepulledimages.larder.dev,nodes',
  ]);
  await cluster.kubectl([
    'create',
    'clusterrolebinding',
    'hub',
    '--clusterrole=larder-view',
    '--serviceaccount=default:hub',
  ]);
  const spec = {
    image: `${registry.host}/sciplat/lab`,
    access: { plainHTTP: true },
    tags: { grammar: 'RSP' as const },
    select: [{ name: 'weeklies', type: 'weekly' as const, newest: 2 }],
    prepull: {},
  };
  await apply(cluster, imageSourceManifest({ spec }));
  await eventually(async () => {
    expect((await getSource(cluster, 'default', 'lab')).status?.counts).toMatchObject({
      selected: 3,
      prepulled: 3,
    });
  });
});

afterAll(async () => {
  await stage.cluster.stop({ keepLogs: true });
});

it('serves the whole list, the same from the leader and from another replica', async () => {
  const answers = await Promise.all([leader, standby].map((base) => ask(base, '/spawner/v1/images')));
  for (const answer of answers) {
    expect(answer.status).toBe(200);
    expect(answer.headers.get('larder-list')).toBe('Scan');
  }
  const [first, second] = (await Promise.all(answers.map((answer) => answer.json()))) as SpawnerImages[];
  expect(first?.all.map(({ tag, prepulled }) => [tag, prepulled])).toEqual([
    ['recommended', true],
    ['w_2026_47', true],
    ['w_2026_46', true],
    ['w_2026_45', false],
    ['w_2026_44', false],
  ]);
  expect(first?.recommended).toMatchObject({
    name: 'Recommended (Weekly 2026_46)',
    aliases: ['w_2026_46'],
    prepulled: true,
  });
  expect(second).toEqual(first);
});

it('tells from any replica where everything is', async () => {
  for (const base of [leader, standby]) {
    const coverage = (await (await ask(base, '/v1/coverage')).json()) as {
      ratio: number;
      images: readonly { on: readonly string[] }[];
    };
    expect(coverage.ratio).toBe(1);
    expect(coverage.images.map(({ on }) => on)).toEqual([
      ['node-1', 'node-2', 'node-3'],
      ['node-1', 'node-2', 'node-3'],
    ]);
    const prepulls = (await (await ask(base, '/spawner/v1/prepulls')).json()) as {
      images: { pending: unknown[] };
    };
    expect(prepulls.images.pending).toEqual([]);
  }
});

it('asks the API server who calls and what they may see', async () => {
  expect((await fetch(`${leader}/v1/sources`)).status).toBe(401);
  expect((await ask(leader, '/v1/sources', 'not.a.token')).status).toBe(401);
  const stranger = await tokenOf('stranger');
  const refused = await ask(leader, '/spawner/v1/images', stranger);
  expect(refused.status).toBe(403);
  expect(await refused.text()).toContain('you may not get the default ImageSource');
  expect(await (await ask(leader, '/v1/sources', stranger)).json()).toEqual({ items: [] });
  expect((await fetch(`${leader}/openapi.json`)).status).toBe(200);
});
