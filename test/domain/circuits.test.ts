import { beforeEach, describe, expect, it } from 'vitest';
import { Circuits, hostCircuit, imageCircuit } from '../../src/domain/circuits.ts';
import type { Moment } from '../../src/domain/moment.ts';

const KEY = imageCircuit('ns/lab');
/** What the wall clock says when the other one says 0. */
const WALL = Date.parse('2026-01-01T00:00:00Z');

function at(monotonic: number): Moment {
  return { now: WALL + monotonic, monotonic };
}

describe('Circuits', () => {
  let circuits: Circuits;
  const fail = (node: string, ms: number, retryAfterMs?: number): boolean =>
    circuits.fail(KEY, node, {
      ...at(ms),
      message: 'not found',
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });

  beforeEach(() => {
    circuits = new Circuits(() => 0);
  });

  it('opens after three distinct nodes, not after one that fails often', () => {
    expect([fail('a', 1), fail('a', 2), fail('a', 3), fail('b', 4)]).toEqual([false, false, false, false]);
    expect(circuits.blocks(KEY, 'd', 5)).toBe(false);
    expect(fail('c', 5)).toBe(true);
    expect(circuits.blocks(KEY, 'd', 6)).toBe(true);
    expect(circuits.findOpen(KEY)).toEqual({ attempts: 1, nextAttempt: at(30_005), message: 'not found' });
  });

  it('stays closed for what works anywhere', () => {
    fail('a', 1);
    fail('b', 2);
    expect(circuits.succeed(KEY)).toBe(false);
    expect(fail('c', 3)).toBe(false);
  });

  it('counts failures of pulls that were under way when it opened only once', () => {
    const opened = ['a', 'b', 'c', 'd', 'e'].map((node) => fail(node, 10));
    expect(opened).toEqual([false, false, true, false, false]);
    expect(circuits.findOpen(KEY)?.attempts).toBe(1);
  });

  it('lets one node try when the time is over; its failure opens for twice as long', () => {
    for (const node of ['a', 'b', 'c']) fail(node, 0);
    expect(circuits.blocks(KEY, 'x', 30_000)).toBe(false);
    circuits.attempt(KEY, 'x');
    expect(circuits.blocks(KEY, 'x', 30_000)).toBe(false);
    expect(circuits.blocks(KEY, 'y', 30_000)).toBe(true);
    expect(fail('x', 30_000)).toBe(true);
    expect(circuits.findOpen(KEY)).toMatchObject({ attempts: 2, nextAttempt: at(90_000) });
  });

  it('takes another canary when the first has gone', () => {
    for (const node of ['a', 'b', 'c']) fail(node, 0);
    circuits.attempt(KEY, 'x');
    circuits.abandon('y');
    expect(circuits.blocks(KEY, 'y', 30_000)).toBe(true);
    circuits.abandon('x');
    expect(circuits.blocks(KEY, 'y', 30_000)).toBe(false);
  });

  it('needs no canary while it is closed', () => {
    circuits.attempt(KEY, 'a');
    fail('a', 0);
    circuits.attempt(KEY, 'a');
    expect(fail('a', 1)).toBe(false);
    expect(circuits.blocks(KEY, 'b', 1)).toBe(false);
  });

  it('makes nobody a canary who only asks', () => {
    for (const node of ['a', 'b', 'c']) fail(node, 0);
    circuits.blocks(KEY, 'x', 30_000);
    expect(circuits.blocks(KEY, 'y', 30_000)).toBe(false);
  });

  it('closes for all with one success', () => {
    for (const node of ['a', 'b', 'c']) fail(node, 0);
    expect(circuits.succeed(KEY)).toBe(true);
    expect(circuits.blocks(KEY, 'z', 1)).toBe(false);
    expect(circuits.findOpen(KEY)).toBeUndefined();
  });

  it('waits as long as the registry asked', () => {
    fail('a', 0);
    fail('b', 0);
    fail('c', 0, 600_000);
    expect(circuits.findOpen(KEY)?.nextAttempt).toEqual(at(600_000));
  });

  it.each([
    [600_000, 601_000],
    [59_000, 60_000],
    [58_999, 30_000],
    [10_000, 30_000],
  ])('waits longer where the registry asks for that while it is open: after 1 s for %d ms', (ms, until) => {
    for (const node of ['a', 'b', 'c']) fail(node, 0);
    expect(fail('d', 1_000, ms)).toBe(false);
    expect(circuits.findOpen(KEY)).toMatchObject({ attempts: 1, nextAttempt: at(until) });
  });

  it('keeps images and hosts apart, and forgets on request', () => {
    for (const node of ['a', 'b', 'c']) fail(node, 0);
    expect(circuits.blocks(hostCircuit('reg.example'), 'd', 1)).toBe(false);
    circuits.reset(KEY);
    expect(circuits.blocks(KEY, 'd', 1)).toBe(false);
  });
});

describe('a circuit that an earlier process left open', () => {
  const OPEN = { attempts: 3, message: 'not found' };

  function restored(waitMs: number): Circuits {
    const circuits = new Circuits(() => 0);
    circuits.restore(KEY, { ...OPEN, waitMs }, at(1_000));
    return circuits;
  }

  it('holds everybody back for the rest of the time, then lets one try', () => {
    const circuits = restored(60_000);
    expect(circuits.findOpen(KEY)).toEqual({ ...OPEN, nextAttempt: at(61_000) });
    expect(circuits.blocks(KEY, 'x', 60_999)).toBe(true);
    expect(circuits.blocks(KEY, 'x', 61_000)).toBe(false);
    circuits.attempt(KEY, 'x');
    expect(circuits.blocks(KEY, 'y', 61_000)).toBe(true);
    expect(circuits.fail(KEY, 'y', { ...at(61_000), message: 'begun before' })).toBe(false);
    circuits.fail(KEY, 'x', { ...at(62_000), message: 'not found' });
    expect(circuits.findOpen(KEY)?.attempts).toBe(4);
  });

  it('whose time is over lets one try at once', () => {
    const circuits = restored(0);
    expect(circuits.blocks(KEY, 'x', 1_000)).toBe(false);
    circuits.attempt(KEY, 'x');
    expect(circuits.blocks(KEY, 'y', 1_000)).toBe(true);
  });

  it('waits as long as the strictest of those who remember it', () => {
    const circuits = restored(60_000);
    circuits.restore(KEY, { ...OPEN, attempts: 1, waitMs: 30_000 }, at(1_000));
    expect(circuits.findOpen(KEY)).toEqual({ ...OPEN, nextAttempt: at(61_000) });
    circuits.restore(KEY, { ...OPEN, attempts: 5, waitMs: 90_000 }, at(1_000));
    expect(circuits.findOpen(KEY)).toEqual({ ...OPEN, attempts: 5, nextAttempt: at(91_000) });
  });
});

it('tells of what opens and closes, and not of what stays closed', () => {
  const circuits = new Circuits(() => 0);
  const told: [string, boolean][] = [];
  circuits.subscribe((key, isOpen) => told.push([key, isOpen]));
  circuits.succeed(KEY);
  for (const node of ['a', 'b', 'c', 'd']) circuits.fail(KEY, node, { ...at(0), message: '' });
  circuits.fail(KEY, 'e', { ...at(0), message: '', retryAfterMs: 600_000 });
  circuits.succeed(KEY);
  expect(told).toEqual([
    [KEY, true],
    [KEY, true],
    [KEY, false],
  ]);
});

it('forgets a registry from which nothing is wanted any more, and no image along with it', () => {
  const circuits = new Circuits(() => 0);
  const keys = [KEY, hostCircuit('gone.example'), hostCircuit('kept.example')];
  for (const key of keys)
    for (const node of ['a', 'b', 'c']) circuits.fail(key, node, { ...at(0), message: '' });
  circuits.keepHosts(new Set(['kept.example']));
  expect(keys.map((key) => circuits.findOpen(key) !== undefined)).toEqual([true, false, true]);
});
