/**
 * Rollouts that are disturbed end as an undisturbed one does: every image on every node, each pulled once, and hardly
 * more of our own writes. FAULT_NODES and FAULT_KILLS make the runs longer (default 20 nodes, 8 kills).
 */

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../../hack/dev-cluster/daemon.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import { type AuditEntry, operatorRequests, writeAuditPolicy } from '../support/audit.ts';
import { apply, eventually, listImages, listPods, type Stage, startStage } from '../support/dev-cluster.ts';
import { addMuteNode, HOST, image } from './stocking-stage.ts';

const NODES = Number(process.env['FAULT_NODES'] ?? 20);
const KILLS = Number(process.env['FAULT_KILLS'] ?? 8);
const IMAGES = 5;
const LIMIT_MS = 150_000;
const LOGS = join('reports', 'e2e-faults');
const FLAGS = [`--pull-slots=${Math.ceil(NODES / 4)}`];

let stage: Stage;
let operator: Daemon;
/** Own writes of the undisturbed run. */
let calm = 0;
let runs = 0;

beforeAll(async () => {
  const auditPolicy = await writeAuditPolicy(LOGS);
  stage = await startStage({ nodes: NODES, logFolder: LOGS, auditPolicy });
  operator = await start('first');
});

afterAll(async () => {
  await stage.cluster.stop({ keepLogs: true });
});

function start(name: string): Promise<Daemon> {
  return startOperator(stage.cluster, { name, flags: FLAGS });
}

interface Run {
  /** Digests of the images of this run. */
  readonly digests: readonly string[];
  /** Own requests before it. */
  readonly before: number;
}

async function begin(): Promise<Run> {
  runs += 1;
  const run = runs;
  await stage.cluster.kubectl(['delete', 'ppi', '--all', '--wait=true']);
  await stage.cluster.kubectl(['delete', 'pods', '--all', '--force', '--grace-period=0']);
  const digests = Array.from({ length: IMAGES }, (_, index) => `sha256:${`${run}${index}`.repeat(32)}`);
  const before = (await operatorRequests(stage.cluster)).length;
  const images = digests.map((digest, index) =>
    image(`run-${run}-${index}`, { image: `${HOST}/run-${run}/lab@${digest}` }),
  );
  await apply(stage.cluster, ...images);
  return { digests, before };
}

/** Some nodes have pulled, some have not. */
async function middle(): Promise<void> {
  await eventually(async () => {
    expect((await counts()).present).toBeGreaterThan(0);
  });
}

async function counts(): Promise<{ readonly present: number; readonly ready: readonly unknown[] }> {
  const all = await listImages(stage.cluster, 'default');
  const own = all.filter(({ metadata }) => metadata.name.startsWith(`run-${runs}-`));
  const present = own.reduce((sum, { status }) => sum + (status?.nodes?.present ?? 0), 0);
  return { present, ready: own.map(({ status }) => status?.ready) };
}

/** Waits for the end and checks it. Pods of nodes that went are not there any more; mute nodes keep theirs, if any. */
async function end(run: Run, nodes = NODES, mute = 0): Promise<void> {
  await eventually(async () => {
    expect((await counts()).ready).toEqual(run.digests.map(() => `${nodes}/${nodes}`));
  }, LIMIT_MS);
  const pods = await listPods(stage.cluster);
  const pulls = pods.flatMap(({ spec, metadata }) =>
    spec.containers
      .filter((container) => run.digests.some((digest) => container.image.endsWith(digest)))
      .map((container) => `${metadata.ownerReferences?.[0]?.uid ?? ''} ${container.image}`),
  );
  expect(new Set(pulls).size).toBe(pulls.length);
  expect(pulls.length).toBeGreaterThanOrEqual(nodes * IMAGES);
  expect(pulls.length).toBeLessThanOrEqual((nodes + mute) * IMAGES);
}

/** Own writes since the run began, without the Lease. */
async function writesOf({ before }: Run): Promise<readonly AuditEntry[]> {
  const requests = (await operatorRequests(stage.cluster)).slice(before);
  return requests.filter(
    ({ verb, objectRef }) =>
      ['create', 'update', 'patch', 'delete'].includes(verb) && objectRef?.resource !== 'leases',
  );
}

/** By verb and resource, for the log. */
function summary(writes: readonly AuditEntry[]): string {
  const kinds = writes.map(({ verb, objectRef }) => `${verb} ${objectRef?.resource ?? ''}`);
  return [...new Set(kinds)]
    .map((kind) => `${kind} ${kinds.filter((one) => one === kind).length}`)
    .join(', ');
}

/**
 * `extra`: pulls that the fault made necessary, each a pod to create. Besides the tenth, one more look at each image: with
 * so few nodes that is all the difference between two runs that nothing disturbs.
 */
async function expectFewWrites(name: string, run: Run, extra = 0): Promise<void> {
  const writes = await writesOf(run);
  process.stderr.write(`${name}: ${writes.length} own writes (undisturbed ${calm}): ${summary(writes)}\n`);
  expect(writes.length - extra).toBeLessThanOrEqual(Math.ceil(calm * 1.1) + IMAGES);
}

it('undisturbed, to compare with', async () => {
  const run = await begin();
  await end(run);
  const writes = await writesOf(run);
  calm = writes.length;
  process.stderr.write(`undisturbed: ${calm} own writes: ${summary(writes)}\n`);
  expect(calm).toBeLessThanOrEqual(NODES * IMAGES);
});

describe('a rollout ends as it should', () => {
  it(`although the operator is killed ${KILLS} times`, async () => {
    const run = await begin();
    for (let kill = 0; kill < KILLS; kill += 1) {
      await delay(Math.random() * 1_500);
      await operator.restart();
    }
    await end(run);
    await expectFewWrites('killed', run);
  });

  it('although the leader freezes, and another replica takes over', async () => {
    const standby = await start('second');
    const run = await begin();
    await middle();
    operator.signal('SIGSTOP');
    await standby.waitUntil(() => standby.hasLogged('"msg":"leading"'), 60_000);
    operator.signal('SIGCONT');
    await operator.exited();
    await end(run);
    await expectFewWrites('frozen leader', run);
    operator = standby;
  });

  it('although the API server is killed and comes back', async () => {
    const run = await begin();
    await middle();
    const server = stage.cluster.daemon('kube-apiserver');
    await server.restart();
    await eventually(async () => {
      await stage.cluster.kubectl(['get', '--raw', '/readyz']);
    });
    await end(run);
    await expectFewWrites('API server restarted', run);
  });

  it('although nodes go and come back as other machines of the same name', async () => {
    const run = await begin();
    await middle();
    const names = ['node-1', 'node-2', 'node-3'];
    await stage.cluster.kubectl(['delete', 'node', ...names]);
    await stage.cluster.addNodes(names.map((name) => ({ name })));
    await end(run);
    // A pod for each new machine, and what that does to the figures of the images.
    await expectFewWrites('nodes replaced', run, names.length + IMAGES);
  });

  it('although a tenth of the nodes is mute', async () => {
    const mute = Array.from({ length: Math.ceil(NODES / 10) }, (_, index) => `mute-${index + 1}`);
    const run = await begin();
    for (const name of mute) await addMuteNode(stage.cluster, name);
    await eventually(async () => {
      const found = await listImages(stage.cluster, 'default');
      for (const { status } of found) {
        expect(status?.nodes?.present).toBe(NODES);
        const lacking = status?.notPresent?.map(({ node }) => node) ?? [];
        expect([...lacking].sort()).toEqual([...mute].sort());
      }
    }, LIMIT_MS);
    // Kubernetes notices in the end, and then all that can have the images do.
    await end(run, NODES, mute.length);
    // A pod for each, and that every image must say of it that it is mute.
    await expectFewWrites('mute nodes', run, mute.length * (1 + IMAGES));
  }, 330_000);
});
