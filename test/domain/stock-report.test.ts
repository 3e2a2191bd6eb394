import { beforeEach, describe, expect, it } from 'vitest';

import { Circuits, hostCircuit, imageCircuit } from '../../src/domain/circuits.ts';
import { Coverage } from '../../src/domain/coverage.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { countStates, firstToRetry, type MissingNode, stockReport } from '../../src/domain/stock-report.ts';
import { pullsFor } from '../../src/domain/want.ts';
import { nodeFacts, want } from '../support/stock-builders.ts';

const DIGEST: Digest = `sha256:${'a'.repeat(64)}`;
const IMAGE = { registry: 'reg.example', repository: 'team/lab', digest: DIGEST };
const WANT = want('lab', { pulls: pullsFor(IMAGE, 'Digest') });
const FAILURE = { reason: 'DiskFull', message: '', attempts: 1, lastAttempt: 5, notBefore: 9 };
const LISTS = nodeFacts('n1', { images: [{ names: ['registry.k8s.io/pause:3'], sizeBytes: 1 }] });
const SILENT = nodeFacts('n1', { images: [] });

describe('why an image is not on a node', () => {
  let coverage: Coverage;
  let circuits: Circuits;

  beforeEach(() => {
    coverage = new Coverage();
    circuits = new Circuits(() => 0);
  });

  function explain(node = LISTS, shortage?: string): MissingNode | undefined {
    coverage.observeNode(node);
    const budget = { shortage: () => shortage };
    return stockReport(WANT, [node], { coverage, circuits, budget }).missing[0];
  }

  it('is the turn that has not come, if nothing else is', () => {
    expect(explain()).toEqual({
      node: 'n1',
      state: 'Waiting',
      reason: 'Queued',
      message: 'The turn of this image on the node has not come',
      attempts: 0,
    });
  });

  it('is not known where the node lists too little', () => {
    expect(explain(SILENT)).toMatchObject({
      state: 'Unknown',
      reason: 'NotVerified',
      message: 'The node does not list enough images to tell; a pull will',
    });
  });

  it('is the budget, in its own words', () => {
    expect(explain(LISTS, 'all 50 slots are taken')).toMatchObject({
      state: 'Waiting',
      reason: 'BudgetExhausted',
      message: 'all 50 slots are taken',
    });
  });

  it.each([
    ['the image', imageCircuit('ns/lab')],
    ['its registry', hostCircuit('reg.example')],
  ])('is the circuit of %s before the budget, for nodes that nobody asks as well', (_of, key) => {
    for (const name of ['a', 'b', 'c'])
      circuits.fail(key, name, { now: 0, monotonic: 0, message: 'nobody can' });
    for (const node of [LISTS, SILENT]) {
      expect(explain(node, 'no slot')).toMatchObject({
        state: 'Waiting',
        reason: 'CircuitOpen',
        message: 'nobody can',
      });
    }
  });

  it('is not the circuit of another image or registry', () => {
    for (const key of [imageCircuit('ns/other'), hostCircuit('other.example')]) {
      for (const name of ['a', 'b', 'c'])
        circuits.fail(key, name, { now: 0, monotonic: 0, message: 'nobody can' });
    }
    expect(explain()).toMatchObject({ reason: 'Queued' });
  });

  it('is an eviction, after the image was seen to have gone', () => {
    coverage.addReceipt(LISTS, { key: DIGEST, proof: 'pod' }, 0);
    coverage.observeNode(LISTS);
    expect(coverage.findEvicted(LISTS, WANT, 90_000).evicted).toBe(true);
    expect(explain()).toMatchObject({
      state: 'Waiting',
      reason: 'Evicted',
      message: 'The node removed the image; it is pulled again',
    });
  });

  it('is the pull that runs, with the attempts that failed before it', () => {
    const failure = { reason: 'ImageNotFound', message: 'gone', attempts: 3, lastAttempt: 5, notBefore: 9 };
    coverage.setFailure(LISTS, WANT, failure);
    expect(explain()).toEqual({
      node: 'n1',
      state: 'Failed',
      reason: 'ImageNotFound',
      message: 'gone',
      attempts: 3,
      lastAttempt: 5,
    });
    coverage.setPulling(LISTS, new Map([[DIGEST, { reason: 'PullSlow', message: 'slow' }]]));
    expect(explain()).toEqual({
      node: 'n1',
      state: 'Pulling',
      reason: 'PullSlow',
      message: 'slow',
      attempts: 3,
    });
  });

  it('is the disk before the pull, with the figures', () => {
    coverage.setSkipped(LISTS, new Map([['ns/lab', 'needs 90 GiB']]), [WANT]);
    expect(explain()).toMatchObject({ state: 'Skipped', reason: 'DiskTooSmall', message: 'needs 90 GiB' });
  });

  it('is the node itself, if it may not be used', () => {
    const cordoned = { ...LISTS, unschedulable: true };
    expect(explain(cordoned)).toMatchObject({ state: 'Skipped', reason: 'Cordoned' });
  });

  it('is nothing where the image is', () => {
    coverage.addReceipt(LISTS, { key: DIGEST, proof: 'pod' }, 0);
    expect(explain()).toBeUndefined();
  });
});

describe('a report', () => {
  it('shows the first of its lists, sorted by name within a state', () => {
    const coverage = new Coverage();
    const nodes = ['n3', 'n1', 'n2', 'm2', 'm1'].map((name) => nodeFacts(name, { images: LISTS.images }));
    for (const node of nodes) {
      coverage.observeNode(node);
      if (node.name.startsWith('n')) coverage.addReceipt(node, { key: DIGEST, proof: 'pod' }, 0);
    }
    const facts = { coverage, circuits: new Circuits(() => 0) };
    const whole = stockReport(WANT, nodes, facts);
    expect(whole.presentOn).toEqual(['n1', 'n2', 'n3']);
    expect(whole.missing.map(({ node }) => node)).toEqual(['m1', 'm2']);
    const cut = stockReport(WANT, nodes, facts, { present: 2, missing: 1 });
    expect(cut.presentOn).toEqual(['n1', 'n2']);
    expect(cut.missing.map(({ node }) => node)).toEqual(['m1']);
    expect(cut).toMatchObject({ eligible: 5, present: 3, waiting: 2 });
  });

  it('knows which pair is tried again first, of several at once the first', () => {
    const [coverage, circuits] = [new Coverage(), new Circuits(() => 0)];
    for (const [node, notBefore] of Object.entries({ a: 20, b: 10, c: 10 }))
      coverage.setFailure(nodeFacts(node), WANT, { ...FAILURE, message: node, notBefore });
    expect(firstToRetry(['never failed', 'a', 'b', 'c'], WANT, { coverage, circuits })?.message).toBe('b');
  });

  it('leaves what is known of a node as it is while nobody tries', () => {
    const [coverage, circuits] = [new Coverage(), new Circuits(() => 0)];
    const nodes = ['has', 'pulls', 'fails', 'waits', 'unknown'].map((name) =>
      nodeFacts(name, { images: name === 'unknown' ? [] : LISTS.images }),
    );
    for (const node of nodes) coverage.observeNode(node);
    coverage.addReceipt(nodeFacts('has'), { key: DIGEST, proof: 'pod' }, 0);
    coverage.setPulling(nodeFacts('pulls'), new Map([[DIGEST, { reason: 'Pulling', message: '' }]]));
    coverage.setFailure(nodeFacts('fails'), WANT, FAILURE);
    for (const name of ['a', 'b', 'c'])
      circuits.fail(imageCircuit('ns/lab'), name, { now: 0, monotonic: 0, message: 'nobody can' });
    const report = stockReport(WANT, nodes, { coverage, circuits });
    expect(report).toMatchObject({ present: 1, pulling: 1, failed: 1, waiting: 2, unknown: 0 });
    expect(report.missing.map(({ node, reason }) => [node, reason])).toEqual([
      ['fails', 'DiskFull'],
      ['pulls', 'Pulling'],
      ['unknown', 'CircuitOpen'],
      ['waits', 'CircuitOpen'],
    ]);
  });

  it('counts as eligible every state but the skipped', () => {
    const numbers = { Present: 1, Unknown: 2, Pulling: 4, Waiting: 8, Failed: 16, Skipped: 32 };
    expect(countStates((state) => numbers[state])).toEqual({
      eligible: 31,
      present: 1,
      unknown: 2,
      pulling: 4,
      waiting: 8,
      failed: 16,
      skipped: 32,
    });
  });
});
