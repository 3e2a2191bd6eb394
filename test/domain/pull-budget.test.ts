import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PullBudget } from '../../src/domain/pull-budget.ts';
import {
  CLUSTER_CLAIM,
  type Claim,
  claimLimit,
  hostClaim,
  imageClaim,
  NEWCOMER_CLAIM,
  namespaceClaim,
} from '../../src/domain/pull-claim.ts';

const ALL = [CLUSTER_CLAIM];

function budget(limits: Readonly<Record<string, number>>): PullBudget {
  return new PullBudget((claim) => limits[claim] ?? Number.POSITIVE_INFINITY);
}

/** The node pulls no more and wants nothing; who may go now. */
function leave(slots: PullBudget, node: string): readonly string[] {
  slots.leave(node);
  return slots.entitled();
}

function of(namespace: string, ...more: readonly Claim[]): readonly Claim[] {
  return [CLUSTER_CLAIM, namespaceClaim(namespace), ...more];
}

describe('PullBudget', () => {
  it('lets the limit through and wakes the others in the order they came', () => {
    const slots = budget({ cluster: 1 });
    expect(['a', 'b', 'c'].map((node) => slots.tryTake(node, ALL))).toEqual([true, false, false]);
    expect(leave(slots, 'a')).toEqual(['b']);
    expect(slots.tryTake('b', ALL)).toBe(true);
    expect(leave(slots, 'b')).toEqual(['c']);
  });

  it('forgets when a namespace had its turn once nothing is pulled for it, unless nodes wait for it', () => {
    const slots = budget({ cluster: 1 });
    expect(slots.tryTake('a', of('one'))).toBe(true);
    expect(slots.tryTake('b', of('one'))).toBe(false);
    slots.forgetNamespace('one');
    expect(slots.turnOf('one')).toBe(1);
    expect(leave(slots, 'a')).toEqual(['b']);
    slots.leave('b');
    slots.forgetNamespace('one');
    slots.forgetNamespace('never pulled');
    expect(slots.turnOf('one')).toBe(0);
  });

  it('has no limit where none is set', () => {
    const slots = budget({});
    expect(Array.from({ length: 100 }, (_, n) => slots.tryTake(String(n), ALL)).every(Boolean)).toBe(true);
    expect(slots.isLimited(CLUSTER_CLAIM)).toBe(false);
    expect(budget({ cluster: 1 }).isLimited(CLUSTER_CLAIM)).toBe(true);
  });

  it('counts pulls found at start above the limit, and wakes nobody before it is below', () => {
    const slots = budget({ cluster: 1 });
    slots.take('a', ALL);
    slots.take('b', ALL);
    slots.tryTake('c', ALL);
    expect(leave(slots, 'a')).toEqual([]);
    expect(leave(slots, 'b')).toEqual(['c']);
  });

  it('does not count a node twice', () => {
    const slots = budget({ cluster: 2 });
    slots.take('a', ALL);
    slots.take('a', ALL);
    expect(slots.taken(CLUSTER_CLAIM)).toBe(1);
    expect(slots.tryTake('a', ALL)).toBe(true);
    slots.leave('a');
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
    expect(leave(slots, 'c')).toEqual(['d']);
    expect(slots.tryTake('d', big)).toBe(true);
    expect(leave(slots, 'a')).toEqual(['b']);
  });

  it('wakes only as many as fit together', () => {
    const slots = budget({ cluster: 2, 'host:slow': 1 });
    slots.take('a', ALL);
    slots.take('b', ALL);
    slots.tryTake('c', [...ALL, hostClaim('slow')]);
    slots.tryTake('d', [...ALL, hostClaim('slow')]);
    slots.tryTake('e', ALL);
    expect(leave(slots, 'a')).toEqual(['c']);
    expect(leave(slots, 'b')).toEqual(['c', 'e']);
  });

  it('forgets a node that no longer waits', () => {
    const slots = budget({ cluster: 1 });
    slots.tryTake('a', ALL);
    slots.tryTake('b', ALL);
    slots.leave('b');
    expect(leave(slots, 'a')).toEqual([]);
  });

  it('does not let a node that is done go before those that wait', () => {
    const slots = budget({ cluster: 1 });
    slots.tryTake('a', ALL);
    slots.tryTake('b', ALL);
    slots.giveBack('a');
    expect(slots.tryTake('a', ALL)).toBe(false);
    expect(slots.tryTake('b', ALL)).toBe(true);
    slots.giveBack('b');
    expect(slots.tryTake('a', ALL)).toBe(true);
  });

  it('keeps the place of a node that asks again', () => {
    const slots = budget({ cluster: 1 });
    for (const node of ['a', 'b', 'c', 'b']) slots.tryTake(node, ALL);
    expect(leave(slots, 'a')).toEqual(['b']);
  });

  it.each([
    ['All 1 pull slots are taken', { cluster: 1 }],
    ['1 nodes pull from slow, the limit', { 'host:slow': 1 }],
    ['1 nodes pull the image, the limit', { 'image:ns/a': 1 }],
    ['1 nodes pull for the namespace, as many as its quota lets through', { 'namespace:ns': 1 }],
    ['1 new nodes pull, the limit; the other slots are for old ones', { newcomers: 1 }],
  ])('says: %s', (words, limits) => {
    const slots = budget(limits);
    const claims = of('ns', NEWCOMER_CLAIM, hostClaim('slow'), imageClaim('ns/a'));
    slots.tryTake('a', claims);
    slots.tryTake('b', claims);
    expect(slots.shortage('b')).toBe(words);
    slots.leave('a');
    expect([slots.shortage('a'), slots.shortage('b')]).toEqual([undefined, 'Other nodes come first']);
  });

  it('never exceeds a limit and never leaves a waiting node unheard while its claims are free', () => {
    const step = fc.tuple(fc.boolean(), fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom('x', 'y'));
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60, size: 'max' }),
        fc.integer({ min: 1, max: 3 }),
        keepsItsPromise,
      ),
    );
  });
});

describe('after any sequence of events', () => {
  it('every slot comes back, and every node that waits is served', () => {
    const node = fc.constantFrom(...Array.from({ length: 8 }, (_, n) => `n${String(n)}`));
    const claims = fc
      .record({
        namespace: fc.constantFrom('a', 'b', 'c'),
        isNew: fc.boolean(),
        host: fc.constantFrom('x', 'y'),
        image: fc.constantFrom('a/1', 'b/1'),
      })
      .map(({ namespace, isNew, host, image }) =>
        of(namespace, ...(isNew ? [NEWCOMER_CLAIM] : []), hostClaim(host), imageClaim(image)),
      );
    const step = fc.record({ what: fc.constantFrom('try', 'try', 'found', 'leave', 'stop'), node, claims });
    const limits = fc.record({
      cluster: fc.integer({ min: 1, max: 4 }),
      newcomers: fc.integer({ min: 1, max: 3 }),
      'host:x': fc.integer({ min: 1, max: 3 }),
      'image:a/1': fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(fc.property(fc.array(step, { maxLength: 60, size: 'max' }), limits, comesToRest), {
      numRuns: 500,
    });
  });
});

interface Step {
  readonly what: string;
  readonly node: string;
  readonly claims: readonly Claim[];
}

function comesToRest(steps: readonly Step[], limits: Readonly<Record<string, number>>): void {
  const slots = budget(limits);
  const held = new Map<string, readonly Claim[]>();
  const waiting = new Map<string, readonly Claim[]>();
  let isFound = false;
  const attempt = (node: string, claims: readonly Claim[]): void => {
    slots.giveBack(node);
    held.delete(node);
    waiting.set(node, claims);
    if (!slots.tryTake(node, claims)) return;
    waiting.delete(node);
    held.set(node, claims);
  };
  const agree = (): void => {
    for (const claim of [CLUSTER_CLAIM, NEWCOMER_CLAIM, 'host:x', 'host:y', 'image:a/1', 'image:b/1']) {
      const holders = [...held.values()].filter((claims) => claims.includes(claim)).length;
      expect(slots.taken(claim)).toBe(holders);
      // Pulls that ran already count even above the limits.
      if (!isFound) expect(holders).toBeLessThanOrEqual(limits[claim] ?? Infinity);
    }
    for (const node of slots.entitled()) expect(waiting.has(node)).toBe(true);
  };
  for (const { what, node, claims } of steps) {
    if (what === 'try') attempt(node, claims);
    else if (what === 'found') {
      isFound = true;
      slots.take(node, claims);
      waiting.delete(node);
      held.set(node, claims);
    } else if (what === 'stop') {
      slots.stopWaiting(node);
      waiting.delete(node);
    } else {
      slots.leave(node);
      waiting.delete(node);
      held.delete(node);
    }
    agree();
  }
  for (let round = 0; held.size + waiting.size > 0; round += 1) {
    expect(round).toBeLessThan(20);
    for (const node of [...held.keys()]) {
      slots.leave(node);
      held.delete(node);
    }
    for (const node of slots.entitled()) attempt(node, waiting.get(node) ?? ALL);
    agree();
  }
  expect(slots.taken(CLUSTER_CLAIM)).toBe(0);
}

describe('fairness', () => {
  it('gives namespaces their turn, however many nodes wait for one of them', () => {
    const slots = budget({ cluster: 1 });
    slots.tryTake('running', of('big'));
    const line = ['big', 'big', 'big', 'big', 'small', 'other', 'small'];
    for (const [index, namespace] of line.entries())
      slots.tryTake(`${namespace}-${String(index)}`, of(namespace));
    const order: string[] = [];
    for (let [next] = leave(slots, 'running'); next !== undefined; [next] = leave(slots, next)) {
      order.push(next);
      expect(slots.tryTake(next, of(next.split('-')[0] ?? ''))).toBe(true);
    }
    expect(order).toEqual(['small-4', 'other-5', 'big-0', 'small-6', 'big-1', 'big-2', 'big-3']);
  });

  it('shares several slots that come free at once', () => {
    const slots = budget({ cluster: 4 });
    for (const node of ['1', '2', '3', '4']) slots.take(node, ALL);
    for (const node of ['b1', 'b2', 'b3', 'b4']) slots.tryTake(node, of('b'));
    slots.tryTake('s1', of('s'));
    for (const node of ['1', '2', '3', '4']) slots.leave(node);
    expect([...slots.entitled()].sort()).toEqual(['b1', 'b2', 'b3', 's1']);
  });

  it('leaves a quarter of the slots to old nodes', () => {
    const slots = new PullBudget((claim) =>
      claimLimit(claim, {
        slots: 8,
        slotsPerHost: Infinity,
        slotsPerImage: Infinity,
        ofImage: () => undefined,
        ofNamespace: () => undefined,
        hasOldNodes: () => true,
      }),
    );
    const fresh = Array.from({ length: 8 }, (_, n) =>
      slots.tryTake(`new-${String(n)}`, of('a', NEWCOMER_CLAIM)),
    );
    expect(fresh.filter(Boolean)).toHaveLength(6);
    expect(slots.tryTake('old-1', of('a'))).toBe(true);
    expect(slots.tryTake('old-2', of('a'))).toBe(true);
    expect(slots.tryTake('old-3', of('a'))).toBe(false);
  });

  it('lets new nodes and old ones of a namespace take turns', () => {
    const slots = budget({ cluster: 1 });
    slots.take('running', ALL);
    for (const node of ['o1', 'o2', 'o3']) slots.tryTake(node, of('a'));
    for (const node of ['n1', 'n2']) slots.tryTake(node, of('a', NEWCOMER_CLAIM));
    const order: string[] = [];
    for (let [next] = leave(slots, 'running'); next !== undefined; [next] = leave(slots, next)) {
      order.push(next);
      slots.tryTake(next, next.startsWith('n') ? of('a', NEWCOMER_CLAIM) : of('a'));
    }
    expect(order).toEqual(['o1', 'n1', 'o2', 'n2', 'o3']);
  });
});

function keepsItsPromise(commands: readonly (readonly [boolean, string, string])[], limit: number): void {
  const slots = budget({ cluster: limit, 'host:x': 1 });
  const waiting = new Map<string, readonly Claim[]>();
  const attempt = (node: string, claims: readonly Claim[]): void => {
    slots.giveBack(node);
    waiting.set(node, claims);
    if (slots.tryTake(node, claims)) waiting.delete(node);
  };
  for (const [take, node, host] of commands) {
    if (take) attempt(node, of(host, hostClaim(host)));
    else {
      waiting.delete(node);
      slots.leave(node);
    }
    for (const next of slots.entitled()) attempt(next, waiting.get(next) ?? ALL);
    expect(slots.taken(CLUSTER_CLAIM)).toBeLessThanOrEqual(limit);
    expect(slots.taken('host:x')).toBeLessThanOrEqual(1);
    for (const claims of waiting.values()) expect(claims.every((claim) => slots.hasRoom(claim))).toBe(false);
  }
}
