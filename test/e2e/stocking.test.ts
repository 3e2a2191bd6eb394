/** Stocking against a real API server with simulated nodes: what peers get wrong, one scenario each. */

import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { apply, conditionOf, eventually, type Stage } from '../support/dev-cluster.ts';
import { digest, HOST, image, StockingStage } from './stocking-stage.ts';

let world: StockingStage;
let stage: Stage;

beforeAll(async () => {
  world = await StockingStage.start({
    name: 'stocking',
    nodes: 4,
    flags: ['--pull-slots=2', '--warm-gate=true'],
  });
  ({ stage } = world);
});

afterEach(() => world.clear('fresh'));

afterAll(() => world.stop());

describe('a bad image', () => {
  it('is tried on few nodes, says why, and stops nothing else', async () => {
    const missing = image('bad', { image: `${HOST}/missing/lab@${digest('a')}` });
    const good = image('good', { image: `${HOST}/fine/lab@${digest('b')}` });
    await apply(stage.cluster, missing, good);
    await world.untilReady('good', '4/4');
    await eventually(async () => {
      const bad = await world.find('bad');
      expect(conditionOf(bad, 'Ready')).toMatchObject({ status: 'False', reason: 'ImagePullFailed' });
      expect(conditionOf(bad, 'Ready')?.message).toContain('not found');
      expect(bad.status).toMatchObject({
        prepulled: false,
        ready: '0/4',
        backoff: { class: 'Image', attempts: 1 },
      });
      expect(bad.status?.notPresent?.map(({ reason }) => reason)).toContain('ImageNotFound');
    });
  });
});

describe('nodes that cannot', () => {
  it('are skipped with the reason and come back by themselves', async () => {
    const { cluster } = stage;
    await cluster.kubectl(['cordon', 'node-1']);
    await cluster.kubectl(['taint', 'node', 'node-2', 'team=red:NoSchedule']);
    await apply(cluster, image('lab', { image: `${HOST}/fine/lab@${digest('c')}` }));
    await world.untilReady('lab', '2/2');
    const { status } = await world.find('lab');
    expect(status?.prepulled).toBe(true);
    expect(status?.nodes?.skipped).toBe(2);
    expect(status?.notPresent?.map(({ node, state, reason }) => [node, state, reason])).toEqual([
      ['node-1', 'Skipped', 'Cordoned'],
      ['node-2', 'Skipped', 'Tainted'],
    ]);
    await cluster.kubectl(['uncordon', 'node-1']);
    await cluster.kubectl(['taint', 'node', 'node-2', 'team-']);
    await world.untilReady('lab', '4/4');
  });

  it('are none of its business if the selector leaves them out; a late label lets one in', async () => {
    const { cluster } = stage;
    const nodes = { nodeSelector: { pool: 'gpu' } };
    await apply(cluster, image('gpu', { image: `${HOST}/fine/lab@${digest('d')}`, nodes }));
    await eventually(async () => {
      const found = await world.find('gpu');
      expect(conditionOf(found, 'Ready')).toMatchObject({ status: 'True', reason: 'NoEligibleNodes' });
      expect(conditionOf(found, 'Prepulled')).toMatchObject({ status: 'False', reason: 'NoEligibleNodes' });
      expect(found.status?.prepulled).toBe(false);
    });
    await cluster.kubectl(['label', 'node', 'node-3', 'pool=gpu']);
    await world.untilReady('gpu', '1/1');
    expect((await world.find('gpu')).status?.presentOn).toEqual(['node-3']);
    await cluster.kubectl(['label', 'node', 'node-3', 'pool-']);
  });

  it('that wait for their stock behind the startup taint are stocked, and only then let go', async () => {
    const { cluster } = stage;
    await apply(cluster, image('lab', { image: `${HOST}/fine/lab@${digest('e')}` }));
    await world.untilReady('lab', '4/4');
    const others = { key: 'team', value: 'red', effect: 'PreferNoSchedule' };
    await cluster.addNodes([
      { name: 'fresh', taints: [{ key: 'larder.dev/not-stocked', effect: 'NoSchedule' }, others] },
    ]);
    await world.untilReady('lab', '5/5');
    await eventually(async () => {
      const { spec } = await cluster.getJson<{ spec: { taints?: { key: string }[] } }>(['node', 'fresh']);
      expect(spec.taints?.map(({ key }) => key)).toEqual(['team']);
    });
    const log = (await readFile(world.operator.logFile, 'utf8'))
      .split('\n')
      .filter((line) => line.includes('"node":"fresh"'));
    expect(log.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'pull pod created',
      'node is stocked, startup taint removed',
    ]);
    await stage.cluster.kubectl(['delete', 'node', 'fresh']);
    await world.untilReady('lab', '4/4');
  });
});

describe('a pull that hangs', () => {
  it('is said to be slow, gives its budget to others, and keeps only its own node', async () => {
    const nodes = { nodeSelector: { 'kubernetes.io/hostname': 'node-1' } };
    const slow = image('slow', {
      image: `${HOST}/hangs/lab@${digest('f')}`,
      nodes,
      pull: { timeout: '10s', priority: 100 },
    });
    await apply(stage.cluster, slow);
    await eventually(async () => {
      expect((await world.find('slow')).status?.notPresent?.[0]).toMatchObject({
        node: 'node-1',
        state: 'Pulling',
      });
    });
    await apply(stage.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('1')}` }));
    await world.untilReady('lab', '3/4');
    await eventually(async () => {
      expect((await world.find('slow')).status?.notPresent?.[0]).toMatchObject({
        state: 'Pulling',
        reason: 'PullSlow',
      });
    });
  });
});

describe('several objects', () => {
  it('of one image share its pulls, and one that goes disturbs no other', async () => {
    const reference = `${HOST}/fine/shared@${digest('2')}`;
    await apply(
      stage.cluster,
      image('one', { image: reference }),
      image('two', { image: reference }),
      image('three', { image: reference }),
    );
    for (const name of ['one', 'two', 'three']) await world.untilReady(name, '4/4');
    const all = await world.pulls();
    expect(all.length).toBe(4);
    await stage.cluster.kubectl(['delete', 'ppi', 'one']);
    expect((await world.find('two')).status?.ready).toBe('4/4');
  });

  it('of one name in two namespaces never mix', async () => {
    await stage.cluster.kubectl(['create', 'namespace', 'other']);
    const mine = image('same', { image: `${HOST}/fine/mine@${digest('3')}` });
    const bad = image('same', { image: `${HOST}/missing/theirs@${digest('4')}` }, 'other');
    await apply(stage.cluster, mine, bad);
    await world.untilReady('same', '4/4');
    await eventually(async () => {
      expect((await world.find('same', 'other')).status?.nodes?.present).toBe(0);
    });
    expect((await world.find('same')).status?.prepulled).toBe(true);
  });
});

describe('an edit', () => {
  it('of a stocked image is stocked again, not taken for done', async () => {
    await apply(stage.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('5')}` }));
    await world.untilReady('lab', '4/4');
    await apply(stage.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('6')}` }));
    await eventually(async () => {
      const { metadata, status } = await world.find('lab');
      expect(status?.image?.digest).toBe(digest('6'));
      expect(status?.observedGeneration).toBe(metadata.generation);
      expect(status?.ready).toBe('4/4');
    });
    const asked = (await world.pulls()).filter((pull) => pull.endsWith(digest('6')));
    expect(asked.length).toBe(4);
  });
});

describe('budgets', () => {
  it('hold: never more nodes pull at once than there are slots', async () => {
    for (const letter of ['7', '8'])
      await apply(stage.cluster, image(`lab-${letter}`, { image: `${HOST}/fine/lab@${digest(letter)}` }));
    const most = await world.mostPullingUntilStocked('lab-7', 'lab-8');
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(2);
  });

  it('of one image hold as well', async () => {
    await apply(
      stage.cluster,
      image('lab', { image: `${HOST}/fine/lab@${digest('9')}`, pull: { maxConcurrentNodes: 1 } }),
    );
    expect(await world.mostPullingUntilStocked('lab')).toBe(1);
  });
});

describe('quiet', () => {
  it('an object that is stocked is not written any more', async () => {
    await apply(stage.cluster, image('lab', { image: `${HOST}/fine/lab@${digest('0')}`, interval: '10s' }));
    await world.untilReady('lab', '4/4');
    const { metadata } = await world.find('lab');
    // Longer than the interval: the registry is asked again meanwhile, and still does not answer.
    await world.quietFor(12);
    expect((await world.find('lab')).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });
});
