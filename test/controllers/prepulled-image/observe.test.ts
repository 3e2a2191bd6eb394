import { afterEach, describe, expect, it } from 'vitest';
import { summarise } from '../../../src/controllers/prepulled-image/summary.ts';
import { hostCircuit, imageCircuit } from '../../../src/domain/circuits.ts';
import { formatTime } from '../../../src/kube/condition.ts';
import { prepulledImage } from '../../support/builders.ts';
import { sendError } from '../../support/registry-exchange.ts';
import { nodeFacts } from '../../support/stock-builders.ts';
import { NOW } from '../fixtures.ts';
import { REPOSITORY, StockWorld } from './stock-world.ts';

let world: StockWorld;

describe('the figures', () => {
  afterEach(() => world[Symbol.asyncDispose]());

  it('count every node once, and name those without the image, worst first', async () => {
    world = await StockWorld.start({ nodes: { nodeSelector: { pool: 'lab' } } });
    const inPool = { labels: { pool: 'lab' } };
    world.nodes = [
      ...['n1', 'n2', 'n3', 'n4'].map((name) => nodeFacts(name, inPool)),
      nodeFacts('n5', { ...inPool, unschedulable: true }),
      nodeFacts('n6', { ...inPool, architecture: 'arm64' }),
      nodeFacts('elsewhere'),
    ];
    await world.reconcile();
    world.stock('n1');
    world.pulling('n2', true);
    world.fail('n3', 'manifest unknown');
    await world.clock.advance(60_000);
    await world.reconcile();
    expect(world.status).toMatchObject({
      nodes: { eligible: 4, present: 1, pulling: 1, waiting: 1, failed: 1, skipped: 2 },
      ready: '1/4',
      prepulled: false,
      presentOn: ['n1'],
      coverageTime: '2026-01-01T00:01:00Z',
    });
    expect(world.status.notPresent).toMatchObject([
      {
        node: 'n3',
        state: 'Failed',
        reason: 'ImageNotFound',
        attempts: 2,
        lastAttempt: '2026-01-01T00:00:00Z',
      },
      { node: 'n2', state: 'Pulling', reason: 'Pulling' },
      { node: 'n4', state: 'Waiting', reason: 'Queued' },
      { node: 'n5', state: 'Skipped', reason: 'Cordoned' },
      { node: 'n6', state: 'Skipped', reason: 'PlatformMismatch' },
    ]);
    expect(world.conditions).toMatchObject({ Prepulled: 'False/NodesMissing', Ready: 'False/Stocking' });
    expect(world.message('Prepulled')).toBe('On 1 of 4 eligible nodes; 1 failed: manifest unknown');
  });

  it('call a node unknown whose own list is cut short', async () => {
    world = await StockWorld.start();
    // The kubelet shows five names of an image at most: this one may have more.
    const names = Array.from({ length: 5 }, (_, index) => `registry.example.org/a:${String(index)}`);
    world.nodes = [nodeFacts('n1'), nodeFacts('n2', { images: [{ names, sizeBytes: 10 }] })];
    await world.reconcile();
    world.stock('n1');
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.status).toMatchObject({ nodes: { eligible: 2, present: 1, unknown: 1 }, prepulled: false });
    expect(world.status.notPresent).toMatchObject([{ node: 'n2', state: 'Unknown', reason: 'NotVerified' }]);
    expect(world.conditions['Prepulled']).toBe('False/NodesMissing');
  });

  it('are complete once every eligible node has it', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    world.stock('n1', 'n2');
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.status).toMatchObject({
      ready: '2/2',
      prepulled: true,
      presentOn: ['n1', 'n2'],
      notPresent: [],
    });
    expect(world.conditions).toEqual({
      CredentialsReady: 'True/NoCredentialsNeeded',
      Resolved: 'True/TagResolved',
      Prepulled: 'True/AllNodes',
      Ready: 'True/Stocked',
    });
    expect(world.status.observedGeneration).toBe(1);
  });

  it('are nothing to wait for where no node is eligible', async () => {
    world = await StockWorld.start();
    world.nodes = [nodeFacts('n1', { ready: false })];
    await world.reconcile();
    expect(world.conditions).toMatchObject({
      Prepulled: 'False/NoEligibleNodes',
      Ready: 'True/NoEligibleNodes',
    });
    expect(world.status).toMatchObject({ ready: '0/0', prepulled: false });
    expect(world.conditions).not.toHaveProperty('Reconciling');
    const words = 'None of the 1 nodes that want the image can pull it now; n1: Node is not ready';
    expect([world.message('Ready'), world.message('Prepulled')]).toEqual([words, words]);
  });

  it('say so where spec.nodes selects none', async () => {
    world = await StockWorld.start({ nodes: { nodeSelector: { pool: 'gpuu' } } });
    world.nodes = [nodeFacts('n1', { labels: { pool: 'gpu' } })];
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('True/NoEligibleNodes');
    const words = 'spec.nodes selects no node of the cluster';
    expect([world.message('Ready'), world.message('Prepulled')]).toEqual([words, words]);
  });

  it.each([
    ['all', 40, 'False/NoMatchingPlatform'],
    ['most', 39, 'True/NoEligibleNodes'],
  ])(
    'are a matter for a person if the image fits no platform of %s that want it',
    async (_who, wrong, ready) => {
      world = await StockWorld.start();
      world.nodes = Array.from({ length: 40 }, (_, index) =>
        nodeFacts(
          `n${String(index).padStart(2, '0')}`,
          index < wrong ? { architecture: 'arm64' } : { ready: false },
        ),
      );
      await world.reconcile();
      await world.clock.advance(3_000);
      await world.reconcile();
      expect(world.conditions['Ready']).toBe(ready);
      expect(world.status).toMatchObject({ prepulled: false, nodes: { eligible: 0, skipped: 40 } });
      if (wrong === 40) expect(world.message('Ready')).toContain('any of the 40 nodes that want it');
      expect(world.conditions).not.toHaveProperty('Reconciling');
    },
  );

  it('are not each explained when all are cordoned: the first ones tell that somebody could run it', async () => {
    world = await StockWorld.start();
    world.nodes = Array.from({ length: 40 }, (_, n) => nodeFacts(`n${String(n)}`, { unschedulable: true }));
    const explained: number[] = [];
    const report = world.index.report.bind(world.index);
    world.index.report = (want, limits) => {
      const made = report(want, limits);
      explained.push(made.missing.length);
      return made;
    };
    await world.reconcile();
    expect(world.conditions['Prepulled']).toBe('False/NoEligibleNodes');
    expect(world.status.nodes).toMatchObject({ eligible: 0, skipped: 40 });
    expect(Math.max(...explained)).toBe(32);
  });

  it('are cut at the limits of the status, and say so', async () => {
    world = await StockWorld.start();
    const many = Array.from({ length: 150 }, (_, index) => `n${String(index).padStart(3, '0')}`);
    world.nodes = many.map((name) => nodeFacts(name));
    await world.reconcile();
    expect(world.status.notPresent).toHaveLength(32);
    expect(world.status).toMatchObject({ truncated: true, nodes: { eligible: 150, waiting: 150 } });
    world.stock(...many);
    world.fail('n000', 'x'.repeat(1_000));
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.status.presentOn).toEqual(many.slice(0, 100));
    expect(world.status).not.toHaveProperty('truncated');
  });

  it('are none for an image above the limits of its namespace, which says so', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    world.refusal = 'The namespace may have 1 images, and has that many older ones';
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.conditions).toMatchObject({
      Prepulled: 'False/NamespaceLimitExceeded',
      Ready: 'False/NamespaceLimitExceeded',
    });
    expect(world.message('Ready')).toBe(world.refusal);
    expect(world.status).not.toHaveProperty('nodes');
    world.refusal = undefined;
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.conditions).toMatchObject({ Prepulled: 'False/NodesMissing', Ready: 'False/Stocking' });
  });

  it.each([
    ['PodRefused', 'AdmissionRefused'],
    ['EvictedRepeatedly', 'EvictedRepeatedly'],
    ['DiskFull', 'NodesMissing'],
  ])('say when all nodes fail with %s', async (reason, expected) => {
    world = await StockWorld.start();
    await world.reconcile();
    for (const node of ['n1', 'n2']) world.fail(node, 'no', reason);
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.conditions['Prepulled']).toBe(`False/${expected}`);
    expect(world.conditions['Ready']).toBe(`False/${expected === 'NodesMissing' ? 'Stocking' : expected}`);
    world.stock('n1', 'n2');
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.conditions['Prepulled']).toBe('True/AllNodes');
  });

  it('hold long messages to their limit', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    world.fail('n1', 'x'.repeat(1_000));
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.status.notPresent?.[0]?.message).toHaveLength(256);
  });

  it('are not those of another image while nobody knows the one that is asked for', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    world.stock('n1', 'n2');
    await world.clock.advance(3_000);
    await world.reconcile();
    world.edit({ image: world.reference('no_such_tag') });
    await world.reconcile();
    expect(world.conditions).toMatchObject({
      Resolved: 'False/ManifestUnknown',
      Prepulled: 'Unknown/ManifestUnknown',
      Ready: 'False/ManifestUnknown',
    });
    expect(world.status.prepulled).toBe(false);
    for (const field of ['ready', 'nodes', 'presentOn', 'coverageTime', 'size']) {
      expect(world.status).not.toHaveProperty(field);
    }
    world.edit({ image: world.reference('w_2026_47') });
    await world.reconcile();
    expect(world.status).toMatchObject({ ready: '2/2', prepulled: true });
  });

  it('say what is held back everywhere, why and until when', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    const { want } = world;
    for (const node of ['n1', 'n2', 'n3']) {
      world.circuits.fail(imageCircuit(want.id), node, {
        now: NOW,
        monotonic: 0,
        message: 'manifest unknown',
      });
    }
    world.fail('n1', 'manifest unknown');
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.status.backoff).toEqual({
      class: 'Image',
      attempts: 1,
      nextAttempt: '2026-01-01T00:00:30Z',
    });
    expect(world.status.notPresent?.map(({ reason }) => reason)).toEqual(['ImageNotFound', 'CircuitOpen']);
    expect(world.conditions['Ready']).toBe('False/ImagePullFailed');
    expect(world.message('Ready')).toBe('manifest unknown; tried again at 2026-01-01T00:00:30Z');
    world.circuits.reset(imageCircuit(want.id));
    for (const node of ['n1', 'n2', 'n3']) {
      world.circuits.fail(hostCircuit(want.host), node, { now: NOW, monotonic: 0, message: 'i/o timeout' });
    }
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.status.backoff?.class).toBe('Registry');
    expect(world.conditions['Ready']).toBe('False/RegistryUnreachable');
  });

  it('hold nothing back for an image that no node lacks, whatever its registry does to others', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    const { want } = world;
    world.stock('n1', 'n2');
    for (const node of ['n1', 'n2', 'n3']) {
      world.circuits.fail(hostCircuit(want.host), node, { now: NOW, monotonic: 0, message: 'i/o timeout' });
    }
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.status).not.toHaveProperty('backoff');
    expect(world.conditions).toMatchObject({ Prepulled: 'True/AllNodes', Ready: 'True/Stocked' });
  });

  it('say when nodes that no list has room for try again, and count as any others that lack the image', async () => {
    world = await StockWorld.start({ minReady: '10%' });
    const names = Array.from({ length: 40 }, (_, index) => `n${String(index).padStart(2, '0')}`);
    world.nodes = names.map((name) => nodeFacts(name));
    await world.reconcile();
    const { want, coverage } = world;
    world.stock(...names.slice(0, 5));
    const failure = { message: '', attempts: 2, lastAttempt: NOW };
    for (const [index, name] of names.slice(5).entries()) {
      const reason = index < 32 ? 'DiskFull' : 'PodRefused';
      coverage.setFailure(nodeFacts(name), want, { ...failure, reason, notBefore: 60_000 - index });
    }
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.status).toMatchObject({
      nodes: { failed: 35, present: 5 },
      truncated: true,
      backoff: { class: 'Admission', attempts: 2, nextAttempt: formatTime(NOW + 60_000) },
    });
    expect(world.conditions['Ready']).toBe('True/Stocked');
  });

  it('are of no node that was ever stocked when the first ones of an empty pool come', async () => {
    world = await StockWorld.start();
    const { nodes } = world;
    world.nodes = [];
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('True/NoEligibleNodes');
    await world.clock.advance(3_000);
    await world.reconcile();
    world.nodes = nodes;
    await world.reconcile();
    expect(world.conditions).toMatchObject({ Ready: 'False/Stocking', Reconciling: 'True/Progressing' });
    world.stock('n1', 'n2');
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.status.stockedGeneration).toBe(1);
    world.edit({ minReady: '50%' });
    for (const { name } of nodes) world.index.removeNode(name);
    world.nodes = [];
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.status).toMatchObject({ observedGeneration: 2, stockedGeneration: 1 });
  });

  it('count no newcomer of a pool that was empty for a while', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    world.stock('n1', 'n2');
    await world.clock.advance(3_000);
    await world.reconcile();
    for (const name of ['n1', 'n2']) world.index.removeNode(name);
    world.nodes = [];
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('True/NoEligibleNodes');
    world.nodes = [nodeFacts('n3')];
    await world.clock.advance(3_000);
    await world.reconcile();
    expect(world.status.ready).toBe('0/1');
    expect(world.conditions['Ready']).toBe('True/NoEligibleNodes');
    expect(world.message('Ready')).toBe('On 0 of 1 eligible nodes, all of which joined within pull.timeout');
    await world.clock.advance(600_000);
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('False/Stocking');
  });

  it('do not make a ready image unready because a node joins', async () => {
    world = await StockWorld.start({ pull: { timeout: '5m' } });
    await world.reconcile();
    world.stock('n1', 'n2');
    await world.clock.advance(3_000);
    await world.reconcile();
    await world.clock.advance(3_000);
    world.nodes = [...world.nodes, nodeFacts('n3')];
    await world.reconcile();
    expect(world.conditions).toMatchObject({ Prepulled: 'False/NodesMissing', Ready: 'True/Stocked' });
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('False/Stocking');
  });

  it('begin anew for an object that was away', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    const { object } = world;
    const ref = { group: 'larder.dev', version: 'v1alpha1', plural: 'prepulledimages' };
    world.server.store.delete(ref, 'default/lab');
    expect(await world.reconcile()).toEqual({});
    world.takeRequests();
    world.server.store.put(ref, object);
    await world.reconcile();
    expect(world.takeRequests()).not.toEqual([]);
  });

  it('stay while the registry is down', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    world.stock('n1', 'n2');
    world.registry.intercept = (_request, response) => {
      sendError(response, 404, 'NAME_UNKNOWN');
      return true;
    };
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.status).toMatchObject({ ready: '2/2', prepulled: true });
    expect(world.conditions).toMatchObject({ Prepulled: 'True/AllNodes', Ready: 'False/ManifestUnknown' });
  });
});

describe('the writes', () => {
  afterEach(() => world[Symbol.asyncDispose]());

  it('are none while nothing changes', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    await world.clock.advance(300_000);
    await world.reconcile();
    await world.reconcile();
    expect(world.writes).toBe(1);
  });

  it('come every three seconds while pulls are under way, and at once at the end', async () => {
    world = await StockWorld.start();
    world.nodes = ['n1', 'n2', 'n3'].map((name) => nodeFacts(name));
    await world.reconcile();
    expect(world.status.ready).toBe('0/3');
    await world.clock.advance(1_000);
    world.stock('n1');
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 2_000 });
    expect(world.status.ready).toBe('0/3');
    await world.clock.advance(2_000);
    await world.reconcile();
    expect(world.status.ready).toBe('1/3');
    await world.clock.advance(500);
    world.stock('n2', 'n3');
    await world.reconcile();
    expect(world.status.ready).toBe('3/3');
    expect(world.writes).toBe(3);
  });

  it('do not wait for a clock that was set back', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    world.clock.jump(-3_600_000);
    world.pulling('n1', true);
    await world.reconcile();
    expect(world.status.nodes?.pulling).toBe(1);
    expect(world.status.coverageTime).toBe(new Date(NOW - 3_600_000).toISOString().replace('.000', ''));
  });

  it('never leave figures of an old digest beside a new one', async () => {
    world = await StockWorld.start({ interval: '10s' });
    await world.reconcile();
    world.stock('n1');
    await world.clock.advance(8_000);
    await world.reconcile();
    expect(world.status).toMatchObject({ presentOn: ['n1'] });
    world.registry.putImage(REPOSITORY, 'w_2026_47', { seed: 'rebuilt' });
    await world.clock.advance(2_000);
    await world.reconcile();
    expect(world.status).toMatchObject({ presentOn: [], ready: '0/2' });
  });

  it('come at once for a new generation', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    world.edit({ minReady: '0%' });
    await world.clock.advance(1_000);
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('True/Stocked');
    expect(world.status.observedGeneration).toBe(2);
    expect(world.status.coverageTime).toBe('2026-01-01T00:00:01Z');
  });

  it('are one, that says so, while suspended', async () => {
    world = await StockWorld.start({ suspend: true });
    expect(await world.reconcile()).toEqual({});
    expect(world.conditions).toEqual({ Ready: 'False/Suspended' });
    expect(world.takeRequests()).toEqual([]);
  });
});

describe('Ready', () => {
  const nodes = { unknown: 0, pulling: 0, waiting: 0, failed: 0, skipped: 0 };
  const at = (present: number, eligible: number) => ({ nodes: { ...nodes, present, eligible } });

  it.each([
    ['100%', 3, 3, 'True', 'Stocked', false],
    ['100%', 2, 3, 'False', 'Stocking', true],
    ['66%', 2, 3, 'True', 'Stocked', false],
    ['67%', 2, 3, 'False', 'Stocking', true],
    ['0%', 0, 3, 'True', 'Stocked', false],
    ['100%', 0, 0, 'True', 'NoEligibleNodes', false],
  ] as const)(
    'with minReady %s and %d of %d',
    (...[minReady, present, eligible, status, reason, progresses]) => {
      const summary = summarise(prepulledImage({ spec: { minReady } }), at(present, eligible));
      expect(summary).toMatchObject({ status, reason });
      expect(summary.progressing !== undefined).toBe(progresses);
    },
  );

  it('is False as long as nobody has looked', () => {
    expect(summarise(prepulledImage(), {})).toMatchObject({ status: 'False', reason: 'Progressing' });
  });

  it.each(['CredentialsReady', 'Resolved'])('is False for what %s says, however many have it', (type) => {
    const condition = {
      type,
      status: 'False',
      reason: 'Why',
      message: 'because',
      lastTransitionTime: 't',
    } as const;
    const draft = { ...at(3, 3), conditions: [condition] };
    expect(summarise(prepulledImage(), draft)).toEqual({
      status: 'False',
      reason: 'Why',
      message: 'because',
      progressing: { reason: 'ProgressingWithRetry', message: 'because' },
    });
  });
});
