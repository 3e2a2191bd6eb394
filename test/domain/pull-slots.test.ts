import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PullSlots } from '../../src/domain/pull-slots.ts';

describe('PullSlots', () => {
  it('lets the limit through and wakes the others in the order they came', () => {
    const slots = new PullSlots(1);
    expect([slots.tryTake('a'), slots.tryTake('b'), slots.tryTake('c')]).toEqual([true, false, false]);
    expect(slots.release('a')).toEqual(['b']);
    expect(slots.tryTake('b')).toBe(true);
    expect(slots.release('b')).toEqual(['c']);
  });

  it('has no limit at 0', () => {
    const slots = new PullSlots(0);
    expect(Array.from({ length: 100 }, (_, index) => slots.tryTake(String(index))).every(Boolean)).toBe(true);
  });

  it('counts pulls found at start above the limit, and wakes nobody before it is below', () => {
    const slots = new PullSlots(1);
    slots.take('a');
    slots.take('b');
    slots.tryTake('c');
    expect(slots.release('a')).toEqual([]);
    expect(slots.release('b')).toEqual(['c']);
  });

  it('forgets a node that no longer waits', () => {
    const slots = new PullSlots(1);
    slots.tryTake('a');
    slots.tryTake('b');
    slots.release('b');
    expect(slots.release('a')).toEqual([]);
  });

  it('never exceeds the limit and never leaves a waiting node unheard while a slot is free', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.constantFrom('a', 'b', 'c', 'd', 'e')), {
      maxLength: 60,
    });
    fc.assert(fc.property(steps, fc.integer({ min: 1, max: 3 }), keepsItsPromise));
  });
});

function keepsItsPromise(commands: readonly (readonly [boolean, string])[], limit: number): void {
  const slots = new PullSlots(limit);
  const waiting = new Set<string>();
  const attempt = (node: string): void => {
    if (slots.tryTake(node)) waiting.delete(node);
    else waiting.add(node);
  };
  for (const [take, node] of commands) {
    if (take) attempt(node);
    else {
      waiting.delete(node);
      slots.release(node).forEach(attempt);
    }
    expect(slots.taken).toBeLessThanOrEqual(limit);
    expect(waiting.size === 0 || slots.taken === limit).toBe(true);
  }
}
