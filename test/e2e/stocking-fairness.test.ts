/** Namespaces that share one slot, and what one of them may have at most. */

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { apply, conditionOf, eventually, listPods } from '../support/dev-cluster.ts';
import { digest, HOST, image, StockingStage } from './stocking-stage.ts';

const MAX_IMAGES = 3;

let world: StockingStage;

beforeAll(async () => {
  const flags = ['--pull-slots=1', `--max-images-per-namespace=${MAX_IMAGES}`];
  world = await StockingStage.start({ name: 'stocking-fairness', nodes: 4, flags });
  for (const name of ['greedy', 'modest']) await world.cluster.kubectl(['create', 'namespace', name]);
  // A list that is short and not empty tells by its silence: these nodes wait, and are not unknown.
  const other = [{ names: ['registry.k8s.io/pause:3'], sizeBytes: 1 }];
  for (const node of ['node-1', 'node-2', 'node-3', 'node-4']) await world.report(node, other);
});

afterEach(() => world.clear());

afterAll(() => world.stop());

function wanted(name: string, namespace: string, letters: string): object {
  return image(name, { image: `${HOST}/fine/${name}@${digest(letters)}` }, namespace);
}

it('a namespace that came later gets its turn before the first one is done', async () => {
  // Of different identity, so that none of them shares a pod with another.
  const greedy = ['d1', 'd2', 'd3'].map((letters, index) => {
    const secrets = [{ name: `secret-${String(index)}` }];
    const access = { plainHTTP: true, pullSecretRefs: secrets };
    return image(`greedy-${letters}`, { image: `${HOST}/fine/g@${digest(letters)}`, access }, 'greedy');
  });
  await apply(world.cluster, ...greedy);
  await eventually(async () => {
    expect(await listPods(world.cluster)).not.toEqual([]);
  });
  await apply(world.cluster, wanted('modest', 'modest', 'd4'));
  await world.untilReady('modest', '4/4', 'modest');
  const left = await Promise.all(
    ['d1', 'd2', 'd3'].map(async (letters) => (await world.find(`greedy-${letters}`, 'greedy')).status),
  );
  // Twelve pulls of one, four of the other, in turn.
  expect(left.reduce((sum, status) => sum + (status?.nodes?.present ?? 0), 0)).toBeLessThan(10);
  // Which of a node's images waits for the slot, and which behind another one, is up to the plan of the node.
  const waiting = left.flatMap((status) => status?.notPresent ?? []);
  expect(waiting.map(({ reason }) => reason)).toContain('BudgetExhausted');
});

it('images above the limit of their namespace say so, and come when there is room', async () => {
  const names = ['a', 'b', 'c', 'd'];
  for (const [index, name] of names.entries())
    await apply(world.cluster, wanted(name, 'modest', `e${String(index)}`));
  for (const name of names.slice(0, MAX_IMAGES)) await world.untilReady(name, '4/4', 'modest');
  const refused = await world.find('d', 'modest');
  expect(conditionOf(refused, 'Ready')).toMatchObject({ status: 'False', reason: 'NamespaceLimitExceeded' });
  expect(conditionOf(refused, 'Ready')?.message).toContain('may have 3 images');
  expect((await world.pulls()).filter((pull) => pull.includes('/fine/d@'))).toEqual([]);
  await world.cluster.kubectl(['delete', 'ppi', 'a', '-n', 'modest']);
  await world.untilReady('d', '4/4', 'modest');
});
