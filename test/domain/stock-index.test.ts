import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Circuits, hostCircuit } from '../../src/domain/circuits.ts';
import { Coverage } from '../../src/domain/coverage.ts';
import type { NodeFacts } from '../../src/domain/node.ts';
import { StockIndex } from '../../src/domain/stock-index.ts';
import { stockReport, UNLIMITED } from '../../src/domain/stock-report.ts';
import type { Want } from '../../src/domain/want.ts';
import { nodeFacts, want } from '../support/stock-builders.ts';

const SHORT_LIST = [{ names: ['registry.k8s.io/pause:3'], sizeBytes: 1 }];
const FAILURE = { reason: 'ImageNotFound', message: 'not found', attempts: 2, lastAttempt: 5, notBefore: 9 };

/** An index that hears of everything, as the stock makes it hear. */
class World {
  readonly coverage = new Coverage();
  readonly circuits = new Circuits(() => 0);
  monotonic = 0;
  readonly index = new StockIndex(this, () => this.monotonic);
  readonly nodes = new Map<string, NodeFacts>();
  readonly wants = new Map<string, Want>();

  constructor() {
    this.coverage.subscribe((node, keys) => {
      for (const { id, pulls } of this.wants.values())
        if (pulls.some(({ key }) => keys.includes(key))) this.index.touch(node, id);
    });
  }

  node(name: string, overrides: Partial<NodeFacts> = {}): readonly string[] {
    const facts = nodeFacts(name, { images: SHORT_LIST, ...overrides });
    this.nodes.set(name, facts);
    this.coverage.observeNode(facts);
    return this.index.putNode(facts);
  }

  remove(name: string): void {
    this.nodes.delete(name);
    this.coverage.removeNode(name);
    this.index.removeNode(name);
  }

  want(image: Want): void {
    this.wants.set(image.id, image);
    this.coverage.clearFailures(image.id);
    this.index.putWant(image);
  }

  drop(id: string): void {
    this.wants.delete(id);
    this.coverage.clearFailures(id);
    this.index.removeWant(id);
  }

  receive(node: string, image: Want, proof = 'pod'): void {
    for (const { key } of image.pulls) this.coverage.addReceipt(nodeFacts(node), { key, proof }, 0);
  }
}

describe('StockIndex', () => {
  it('says of each node what a look at all of them says', () => {
    const world = new World();
    const image = want('a');
    for (const name of ['n3', 'n1', 'n2']) world.node(name);
    world.node('odd', { unschedulable: true });
    world.node('mute', { images: [] });
    world.want(image);
    world.receive('n2', image);
    world.coverage.setFailure(nodeFacts('n3'), image, FAILURE);
    const report = world.index.report(image, UNLIMITED);
    expect(report).toMatchObject({ eligible: 4, present: 1, failed: 1, waiting: 1, unknown: 1, skipped: 1 });
    expect(report.presentOn).toEqual(['n2']);
    expect(report.missing.map(({ node, state, reason }) => [node, state, reason])).toEqual([
      ['n3', 'Failed', 'ImageNotFound'],
      ['n1', 'Waiting', 'Queued'],
      ['mute', 'Unknown', 'NotVerified'],
      ['odd', 'Skipped', 'Cordoned'],
    ]);
  });

  it('shows only the beginning of its lists', () => {
    const world = new World();
    const image = want('a');
    world.want(image);
    for (let index = 0; index < 50; index += 1) world.node(`n${String(index).padStart(2, '0')}`);
    for (let index = 0; index < 20; index += 1) world.receive(`n${String(index).padStart(2, '0')}`, image);
    const report = world.index.report(image, { present: 3, missing: 2 });
    expect(report.presentOn).toEqual(['n00', 'n01', 'n02']);
    expect(report.missing.map(({ node }) => node)).toEqual(['n20', 'n21']);
    expect(report).toMatchObject({ eligible: 50, present: 20, waiting: 30 });
  });

  it('tells which of the failures that it does not list is tried again first, as a look at all nodes does', () => {
    const world = new World();
    const image = want('a');
    world.want(image);
    const names = ['n1', 'n2', 'n3', 'n4'];
    for (const name of names) world.node(name);
    for (const [index, name] of names.entries())
      world.coverage.setFailure(nodeFacts(name), image, {
        ...FAILURE,
        notBefore: [1, 30, 20, 25][index] ?? 0,
      });
    const limits = { present: 1, missing: 1 };
    expect(world.index.report(image, limits).unlisted).toMatchObject({ notBefore: 20 });
    expect(world.index.report(image, limits)).toEqual(
      stockReport(image, [...world.nodes.values()], world, limits),
    );
    expect(world.index.report(image, UNLIMITED).unlisted).toBeUndefined();
  });

  it('tells which images stand differently on a node that has changed', () => {
    const world = new World();
    world.want(want('a'));
    world.want(want('gpu', { scope: { nodeSelector: { gpu: 'yes' } } }));
    expect(world.node('n1')).toEqual(['ns/a']);
    expect(world.node('n1')).toEqual([]);
    expect(world.node('n1', { labels: { gpu: 'yes' } })).toEqual(['ns/gpu']);
    expect(world.node('n1', { labels: { gpu: 'yes' }, ready: false })).toEqual(['ns/a', 'ns/gpu']);
  });

  it('counts an image that the node lists while its pod still pulls the others', () => {
    const world = new World();
    const [first, second] = [want('a'), want('b')];
    world.node('n1');
    for (const image of [first, second]) world.want(image);
    const state = { reason: 'Pulling', message: '' } as const;
    const keys = [first, second].flatMap(({ pulls }) => pulls.map(({ key }) => [key, state] as const));
    world.coverage.setPulling(nodeFacts('n1'), new Map(keys));
    const a = `sha256:${'a'.repeat(64)}`;
    const listed = want('listed', { pulls: [{ key: a, reference: 'r/x', policy: 'IfNotPresent' }] });
    world.want(listed);
    world.coverage.setPulling(nodeFacts('n1'), new Map([...keys, [a, state]]));
    expect(world.index.report(listed, UNLIMITED).pulling).toBe(1);
    world.node('n1', { images: [{ names: [`reg.example/x@${a}`], sizeBytes: 9 }] });
    expect(world.index.report(listed, UNLIMITED)).toMatchObject({ present: 1, pulling: 0 });
    expect(world.index.report(second, UNLIMITED).pulling).toBe(1);
  });

  it('sums up all images', () => {
    const world = new World();
    for (const name of ['n1', 'n2']) world.node(name);
    world.node('n3', { unschedulable: true });
    for (const name of ['a', 'b']) world.want(want(name));
    world.receive('n1', want('a'));
    expect(world.index.totals()).toEqual({ eligible: 4, present: 1 });
  });

  it('answers for a want that it has not been told of', () => {
    const world = new World();
    world.node('n1');
    world.want(want('a'));
    const moved = want('a', { pulls: want('b').pulls });
    world.receive('n1', moved);
    expect(world.index.report(moved, UNLIMITED).present).toBe(1);
    expect(world.index.report(want('a'), UNLIMITED).present).toBe(0);
    world.index.removeWant('ns/a');
    expect(world.index.report(want('a'), UNLIMITED).waiting).toBe(1);
  });

  it('says that nobody tries, rather than that nobody knows, where a circuit is open', () => {
    const world = new World();
    world.node('a', { images: [] });
    world.node('b');
    world.want(want('x'));
    for (const node of ['1', '2', '3'])
      world.circuits.fail(hostCircuit('reg.example'), node, { now: 0, monotonic: 0, message: '503' });
    const report = world.index.report(want('x'), UNLIMITED);
    expect(report).toMatchObject({ waiting: 2, unknown: 0 });
    expect(report.missing.map(({ node, reason, message }) => [node, reason, message])).toEqual([
      ['a', 'CircuitOpen', '503'],
      ['b', 'CircuitOpen', '503'],
    ]);
    const { missing } = world.index.report(want('x'), { present: 0, missing: 1 });
    expect(missing.map(({ node }) => node)).toEqual(['a']);
  });

  it('knows what has failed before it was told of the image', () => {
    const world = new World();
    world.node('n1');
    world.coverage.setFailure(nodeFacts('n1'), want('a'), FAILURE);
    world.index.putWant(want('a'));
    expect(world.index.report(want('a'), UNLIMITED).missing).toMatchObject([{ node: 'n1', state: 'Failed' }]);
  });

  it('tells which images concern a node, and passes over what is said of images that have gone', () => {
    const world = new World();
    world.node('n1');
    world.node('gpu', { labels: { gpu: 'yes' }, unschedulable: true });
    world.want(want('a'));
    world.want(want('b', { scope: { nodeSelector: { gpu: 'yes' } } }));
    expect(['n1', 'gpu', 'gone'].map((node) => world.index.imagesOf(node))).toEqual([
      ['ns/a'],
      ['ns/a', 'ns/b'],
      [],
    ]);
    world.index.removeWant('ns/b');
    world.index.touch('gpu', 'ns/b');
    expect(world.index.imagesOf('gpu')).toEqual(['ns/a']);
  });

  it('says which slots a waiting node waits for, and that it lost the image', () => {
    const coverage = new Coverage();
    const shortage = (node: string) => (node === 'lost' ? undefined : 'All 2 pull slots are taken');
    const facts = { coverage, circuits: new Circuits(() => 0), budget: { shortage } };
    const index = new StockIndex(facts, () => 0);
    index.putWant(want('a'));
    for (const name of ['queue', 'lost', 'mute']) {
      const node = nodeFacts(name, { images: name === 'mute' ? [] : SHORT_LIST });
      coverage.observeNode(node);
      index.putNode(node);
    }
    coverage.addReceipt(nodeFacts('lost'), { key: 'sha256:a', proof: 'pod' }, 0);
    coverage.findEvicted(nodeFacts('lost'), want('a'), 100_000);
    const { missing } = index.report(want('a'), UNLIMITED);
    expect(missing.map(({ reason }) => reason)).toEqual(['Evicted', 'BudgetExhausted', 'NotVerified']);
    expect(missing.at(-1)?.message).toBe(
      'The node does not list enough images to tell; a pull will: All 2 pull slots are taken',
    );
  });

  it('is the same as a look at all nodes after any sequence of events', () => {
    fc.assert(fc.property(fc.array(event(), { maxLength: 40, size: 'max' }), agrees), { numRuns: 300 });
  });
});

describe('newcomers', () => {
  it('are the nodes that joined after the image, as long as they lack it', () => {
    const world = new World();
    const image = want('a');
    world.node('n1');
    world.want(image);
    expect(world.index.newcomers('ns/a')).toEqual({ missing: 0 });
    world.monotonic = 1_000;
    world.node('n2');
    expect(world.index.newcomers('ns/a')).toEqual({ missing: 1, lookAfterMs: 600_000 });
    world.monotonic = 301_000;
    world.node('n3');
    expect(world.index.newcomers('ns/a')).toEqual({ missing: 2, lookAfterMs: 300_000 });
    world.monotonic = 601_000;
    expect(world.index.newcomers('ns/a')).toEqual({ missing: 1, lookAfterMs: 300_000 });
    world.receive('n3', image);
    expect(world.index.newcomers('ns/a')).toEqual({ missing: 0 });
    expect(world.index.newcomers('ns/unknown')).toEqual({ missing: 0 });
  });

  it('are not new again because something is learned of them', () => {
    const world = new World();
    const image = want('a');
    world.node('old');
    world.want(image);
    world.node('new');
    world.monotonic = 1_000;
    for (const node of ['old', 'new']) world.coverage.setFailure(nodeFacts(node), image, FAILURE);
    expect(world.index.newcomers('ns/a')).toEqual({ missing: 1, lookAfterMs: 599_000 });
  });

  it('come back new, and stay so when the spec changes', () => {
    const world = new World();
    world.node('n1');
    world.want(want('a'));
    world.node('n1', { ready: false });
    world.node('n1');
    expect(world.index.newcomers('ns/a').missing).toBe(1);
    world.want(want('a', { priority: 5 }));
    expect(world.index.newcomers('ns/a').missing).toBe(1);
    world.want(want('a', { scope: { nodeSelector: { no: 'node' } } }));
    expect(world.index.newcomers('ns/a').missing).toBe(0);
  });
});

describe('the age of a node that was there before the index', () => {
  const newcomers = (ageMs: number, overrides: Partial<NodeFacts> = {}) => {
    const world = new World();
    world.monotonic = 1_000;
    world.node('n1', overrides);
    world.want(want('a'));
    world.index.noteAge('n1', ageMs);
    return world.index.newcomers('ns/a');
  };

  it('makes it a newcomer for the rest of the time', () => {
    expect(newcomers(200_000)).toEqual({ missing: 1, lookAfterMs: 400_000 });
    expect(newcomers(599_999)).toEqual({ missing: 1, lookAfterMs: 1 });
    expect(newcomers(600_000)).toEqual({ missing: 0 });
  });

  it('is of no interest where the node may not have the image', () => {
    expect(newcomers(0, { unschedulable: true })).toEqual({ missing: 0 });
  });
});

type Event = (world: World) => void;

const A = `sha256:${'a'.repeat(64)}`;
const B = `sha256:${'b'.repeat(64)}`;
const TAG = 'reg.example/lab:w_1';
const BY_DIGEST = { key: A, reference: `reg.example/lab@${A}`, policy: 'IfNotPresent' } as const;
const BY_TAG = { key: `${TAG}@${A}`, reference: TAG, policy: 'Always' } as const;
const OTHER = { key: B, reference: `reg.example/lab@${B}`, policy: 'IfNotPresent' } as const;

/** Images that share pulls, each with specs that it may have one after another. */
const WANTS = [
  want('a', { pulls: [BY_DIGEST] }),
  want('a', { pulls: [BY_DIGEST, BY_TAG], sizeBytes: 1 }),
  want('a', { pulls: [OTHER], platforms: [{ os: 'linux', architecture: 'arm64' }] }),
  want('b', { pulls: [BY_DIGEST, OTHER], scope: { nodeSelector: { pool: 'x' } } }),
  want('b', { pulls: [BY_TAG], scope: { tolerations: [{ operator: 'Exists' }] } }),
];

const NODE_CHANGES: readonly Partial<NodeFacts>[] = [
  {},
  { images: [] },
  { unschedulable: true },
  { ready: false },
  { labels: { pool: 'x' } },
  { architecture: 'arm64' },
  { taints: [{ key: 'gpu', effect: 'NoSchedule' }] },
  { labels: { pool: 'x' }, images: [{ names: [TAG, `reg.example/lab@${A}`], sizeBytes: 9 }] },
  { images: [{ names: [`reg.example/lab@${B}`, '1', '2', '3', '4'], sizeBytes: 1 }] },
  { uid: 'another-machine' },
];

function event(): fc.Arbitrary<Event> {
  const node = fc.constantFrom('n1', 'n2', 'n3', 'n4');
  const image = fc.constantFrom(...WANTS);
  const facts = fc.constantFrom(...NODE_CHANGES);
  const key = fc.constantFrom(BY_DIGEST.key, BY_TAG.key, B);
  const state = { reason: 'Pulling', message: '' } as const;
  /** As the node is now: whatever is learned of a node is learned of this machine. */
  const now = (world: World, name: string): NodeFacts => world.nodes.get(name) ?? nodeFacts(name);
  return fc.oneof(
    fc.tuple(node, facts).map(
      ([name, change]) =>
        (world: World) =>
          void world.node(name, change),
    ),
    node.map((name) => (world: World) => {
      world.remove(name);
    }),
    image.map((wanted) => (world: World) => {
      world.want(wanted);
    }),
    image.map(({ id }) => (world: World) => {
      world.drop(id);
    }),
    fc.tuple(node, key, fc.nat(3)).map(([name, one, n]) => (world: World) => {
      world.coverage.addReceipt(now(world, name), { key: one, proof: String(n) }, 0);
      for (const wanted of world.wants.values())
        if (world.coverage.isPresent(name, wanted)) world.coverage.clearFailures(wanted.id, name);
    }),
    fc.tuple(node, image).map(([name, { id }]) => (world: World) => {
      const wanted = world.wants.get(id);
      if (wanted !== undefined) world.coverage.setFailure(now(world, name), wanted, FAILURE);
    }),
    fc.tuple(node, fc.uniqueArray(key)).map(([name, keys]) => (world: World) => {
      world.coverage.setPulling(now(world, name), new Map(keys.map((one) => [one, state])));
    }),
    fc.tuple(node, image, fc.boolean()).map(([name, { id }, is]) => (world: World) => {
      const skipped = new Map(is ? [[id, 'too large']] : []);
      world.coverage.setSkipped(now(world, name), skipped, [...world.wants.values()]);
    }),
    fc.tuple(node, image).map(([name, wanted]) => (world: World) => {
      world.coverage.findEvicted(now(world, name), world.wants.get(wanted.id) ?? wanted, 1e9);
    }),
    node.map((name) => (world: World) => {
      world.coverage.forgetUnwanted(name, [...world.wants.values()], 1e9);
    }),
  );
}

function agrees(events: readonly Event[]): void {
  const world = new World();
  for (const happen of events) {
    happen(world);
    compare(world);
  }
}

function compare(world: World): void {
  for (const image of world.wants.values()) {
    const nodes = [...world.nodes.values()];
    for (const limits of [UNLIMITED, { present: 1, missing: 2 }])
      expect(world.index.report(image, limits)).toEqual(stockReport(image, nodes, world, limits));
  }
  const reports = [...world.wants.values()].map((image) =>
    stockReport(image, [...world.nodes.values()], world),
  );
  expect(world.index.totals()).toEqual({
    eligible: reports.reduce((sum, { eligible }) => sum + eligible, 0),
    present: reports.reduce((sum, { present }) => sum + present, 0),
  });
}
