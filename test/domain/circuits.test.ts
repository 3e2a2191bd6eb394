import { beforeEach, describe, expect, it } from 'vitest';
import { Circuits, hostCircuit, imageCircuit } from '../../src/domain/circuits.ts';

const KEY = imageCircuit('ns/lab');

describe('Circuits', () => {
  let circuits: Circuits;
  const fail = (node: string, at: number, retryAfterMs?: number): boolean =>
    circuits.fail(KEY, node, {
      at,
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
    expect(circuits.open(KEY)).toEqual({ attempts: 1, nextAttempt: 30_005, message: 'not found' });
  });

  it('stays closed for what works anywhere', () => {
    fail('a', 1);
    fail('b', 2);
    expect(circuits.succeed(KEY)).toBe(false);
    expect(fail('c', 3)).toBe(false);
  });

  it('counts failures of pulls that were under way when it opened only once', () => {
    for (const node of ['a', 'b', 'c', 'd', 'e']) fail(node, 10);
    expect(circuits.open(KEY)?.attempts).toBe(1);
  });

  it('lets one node try when the time is over; its failure opens for twice as long', () => {
    for (const node of ['a', 'b', 'c']) fail(node, 0);
    expect(circuits.blocks(KEY, 'x', 30_000)).toBe(false);
    circuits.attempt(KEY, 'x');
    expect(circuits.blocks(KEY, 'x', 30_000)).toBe(false);
    expect(circuits.blocks(KEY, 'y', 30_000)).toBe(true);
    expect(fail('x', 31_000)).toBe(true);
    expect(circuits.open(KEY)).toMatchObject({ attempts: 2, nextAttempt: 91_000 });
  });

  it('takes another canary when the first has gone', () => {
    for (const node of ['a', 'b', 'c']) fail(node, 0);
    circuits.attempt(KEY, 'x');
    circuits.abandon('x');
    expect(circuits.blocks(KEY, 'y', 30_000)).toBe(false);
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
    expect(circuits.open(KEY)).toBeUndefined();
  });

  it('waits as long as the registry asked', () => {
    fail('a', 0);
    fail('b', 0);
    fail('c', 0, 600_000);
    expect(circuits.open(KEY)?.nextAttempt).toBe(600_000);
  });

  it('keeps images and hosts apart, and forgets on request', () => {
    for (const node of ['a', 'b', 'c']) fail(node, 0);
    expect(circuits.blocks(hostCircuit('reg.example'), 'd', 1)).toBe(false);
    circuits.reset(KEY);
    expect(circuits.blocks(KEY, 'd', 1)).toBe(false);
  });
});
