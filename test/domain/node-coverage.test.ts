import { beforeEach, describe, expect, it } from 'vitest';

import {
  forgetUnwanted,
  isKnown,
  judge,
  type NodeEntry,
  newEntry,
  receive,
  recent,
  refute,
} from '../../src/domain/node-coverage.ts';
import { want } from '../support/stock-builders.ts';

const KEY = 'sha256:lab';
const HOUR_MS = 3_600_000;
const FAILURE = { reason: 'DiskFull', message: '', attempts: 1, lastAttempt: 0, notBefore: 0 };

let entry: NodeEntry;
const hears = (proof: string, at = 0, key = KEY): boolean => receive(entry, { key, proof }, at);
const knows = (proof: string): boolean => isKnown(entry, { key: KEY, proof });

beforeEach(() => {
  entry = newEntry({ uid: 'u1' });
});

describe('the proofs of a pull', () => {
  it('are news once each, whichever came last, and the newest tells the time', () => {
    expect([hears('a', 1), hears('b', 2), hears('a', 3), hears('b', 4)]).toEqual([true, true, false, false]);
    expect(entry.receipts.get(KEY)).toEqual({ proof: 'b', older: ['a'], at: 2 });
    expect(['a', 'b', 'c'].map(knows)).toEqual([true, true, false]);
  });

  it('are not believed again once the image has gone', () => {
    for (const proof of ['a', 'b']) hears(proof);
    refute(entry, KEY);
    expect(entry.receipts.has(KEY)).toBe(false);
    expect([hears('a'), hears('b'), hears('c')]).toEqual([false, false, true]);
    refute(entry, KEY);
    expect(entry.refuted.get(KEY)).toEqual(['c', 'b', 'a']);
  });

  it('are remembered of eight pods, the newest', () => {
    for (let pod = 0; pod < 10; pod += 1) hears(`p${String(pod)}`);
    const newest = ['p9', 'p8', 'p7', 'p6', 'p5', 'p4', 'p3', 'p2'];
    expect(entry.receipts.get(KEY)).toEqual({ proof: 'p9', older: newest.slice(1), at: 0 });
    refute(entry, KEY);
    expect(entry.refuted.get(KEY)).toEqual(newest);
    hears('p10');
    refute(entry, KEY);
    expect(entry.refuted.get(KEY)).toEqual(['p10', ...newest.slice(0, 7)]);
  });

  it('are not refuted where there are none', () => {
    refute(entry, KEY);
    expect(entry.refuted.size).toBe(0);
  });
});

it('pods are judged once, and the eight newest are remembered', () => {
  judge(entry, 'ns/other', 'pod');
  expect(entry.judged.get('ns/other')).toEqual(['pod']);
  for (let pod = 0; pod < 10; pod += 1) judge(entry, 'ns/lab', `p${String(pod)}`);
  judge(entry, 'ns/lab', 'p5');
  expect(entry.judged.get('ns/lab')).toEqual(['p9', 'p8', 'p7', 'p6', 'p5', 'p4', 'p3', 'p2']);
});

it('a removal counts for an hour', () => {
  expect(recent([0, 1, HOUR_MS], HOUR_MS)).toEqual([1, HOUR_MS]);
  expect(recent(undefined, HOUR_MS)).toEqual([]);
});

describe('what nobody wants any more', () => {
  it('is forgotten, proofs and removals an hour later', () => {
    for (const key of [KEY, 'sha256:refuted']) hears('old', 0, key);
    for (const key of [...entry.receipts.keys()]) refute(entry, key);
    for (const key of [KEY, 'sha256:old']) hears('pod', 0, key);
    hears('pod', 1, 'sha256:young');
    entry.refuted.set('sha256:young', ['before']);
    entry.evictions.set('ns/lab', [0]).set('ns/old', [0]).set('ns/young', [0, 1]);
    for (const id of ['ns/lab', 'ns/old']) {
      entry.failures.set(id, FAILURE);
      judge(entry, id, 'pod');
    }
    forgetUnwanted(entry, [want('lab')], HOUR_MS);
    const { receipts, refuted, evictions, failures, judged } = entry;
    expect([receipts, refuted, evictions, failures, judged].map((map) => [...map.keys()])).toEqual([
      [KEY, 'sha256:young'],
      [KEY, 'sha256:young'],
      ['ns/lab', 'ns/young'],
      ['ns/lab'],
      ['ns/lab'],
    ]);
  });

  it('is not looked for where there is no more than what is wanted may have', () => {
    entry.failures.set('ns/old', FAILURE);
    judge(entry, 'ns/old', 'pod');
    forgetUnwanted(entry, [want('a'), want('b')], HOUR_MS);
    expect([entry.failures.size, entry.judged.size]).toEqual([1, 1]);
    forgetUnwanted(entry, [want('a')], HOUR_MS);
    expect([entry.failures.size, entry.judged.size]).toEqual([0, 0]);
  });
});
