import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLUSTER_CLAIM, hostClaim, imageClaim, PullBudget } from '../../src/domain/pull-budget.ts';

const ALL = [CLUSTER_CLAIM];

function budget(limits: Readonly<Record<string, number>>): PullBudget {
  return new PullBudget((claim) => limits[claim] ?? Number.POSITIVE_INFINITY);
}

describe('PullBudget', () => {
  it('lets the limit through and wakes the others in the order they came', () => {
    const slots = budget({ cluster: 1 });
    expect(['a', 'b', 'c'].map((node) => slots.tryTake(node, ALL))).toEqual([true, false, false]);
    expect(slots.release('a')).toEqual(['b']);
    expect(slots.tryTake('b', ALL)).toBe(true);
    expect(slots.release('b')).toEqual(['c']);
  });

  it('has no limit where none is set', () => {
    const slots = budget({});
    expect(Array.from({ length: 100 }, (_, n) => slots.tryTake(String(n), ALL)).every(Boolean)).toBe(true);
  });

  it('counts pulls found at start above the limit, and wakes nobody before it is below', () => {
    const slots = budget({ cluster: 1 });
    slots.take('a', ALL);
    slots.take('b', ALL);
    slots.tryTake('c', ALL);
    expect(slots.release('a')).toEqual([]);
    expect(slots.release('b')).toEqual(['c']);
  });

  it('does not count a node twice', () => {
    const slots = budget({ cluster: 2 });
    slots.take('a', ALL);
    slots.take('a', ALL);
    expect(slots.taken(CLUSTER_CLAIM)).toBe(1);
    expect(slots.tryTake('a', ALL)).toBe(true);
    slots.release('a');
    expect(slots.taken(CLUSTER_CLAIM)).toBe(0);
  });

  it('holds hosts and images to limits of their own, and lets others pass meanwhile', () => {
    const slots = budget({ cluster: 9, 'host:slow': 1, 'image:ns/big': 1 });
    const slow = [...ALL, hostClaim('slow')];
    const big = [...ALL, imageClaim('ns/big')];
    expect(slots.tryTake('a', slow)).toBe(true);
    expect(slots.tryTake('b', slow)).toBe(false);
    expect(slots.tryTake('c', big)).toBe(true);
    expect(slots.tryTake('d', big)).toBe(false);
    expect(slots.hasRoom(imageClaim('ns/big'))).toBe(false);
    expect(slots.release('c')).toEqual(['d']);
    expect(slots.tryTake('d', big)).toBe(true);
    expect(slots.release('a')).toEqual(['b']);
  });

  it('wakes only as many as fit together', () => {
    const slots = budget({ cluster: 2, 'host:slow': 1 });
    slots.take('a', ALL);
    slots.take('b', ALL);
    slots.tryTake('c', [...ALL, hostClaim('slow')]);
    slots.tryTake('d', [...ALL, hostClaim('slow')]);
    slots.tryTake('e', ALL);
    expect(slots.release('a')).toEqual(['c']);
    expect(slots.release('b')).toEqual(['c', 'e']);
  });

  it('forgets a node that no longer waits', () => {
    const slots = budget({ cluster: 1 });
    slots.tryTake('a', ALL);
    slots.tryTake('b', ALL);
    slots.release('b');
    expect(slots.release('a')).toEqual([]);
  });

  it('never exceeds a limit and never leaves a waiting node unheard while its claims are free', () => {
    const step = fc.tuple(fc.boolean(), fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom('x', 'y'));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), keepsItsPromise),
    );
  });
});

function keepsItsPromise(commands: readonly (readonly [boolean, string, string])[], limit: number): void {
  const slots = budget({ cluster: limit, 'host:x': 1 });
  const waiting = new Map<string, string[]>();
  const attempt = (node: string, claims: string[]): void => {
    if (slots.tryTake(node, claims)) waiting.delete(node);
    else waiting.set(node, claims);
  };
  for (const [take, node, host] of commands) {
    if (take) wake(slots.release(node), attempt, waiting);
    else waiting.delete(node);
    if (take) attempt(node, [CLUSTER_CLAIM, hostClaim(host)]);
    else wake(slots.release(node), attempt, waiting);
    expect(slots.taken(CLUSTER_CLAIM)).toBeLessThanOrEqual(limit);
    expect(slots.taken('host:x')).toBeLessThanOrEqual(1);
    for (const claims of waiting.values()) expect(claims.every((claim) => slots.hasRoom(claim))).toBe(false);
  }
}

function wake(
  nodes: readonly string[],
  attempt: (node: string, claims: string[]) => void,
  waiting: ReadonlyMap<string, string[]>,
): void {
  for (const node of nodes) attempt(node, waiting.get(node) ?? [CLUSTER_CLAIM]);
}
