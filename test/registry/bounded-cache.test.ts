import { describe, expect, it } from 'vitest';
import { BoundedCache } from '../../src/registry/bounded-cache.ts';

describe('BoundedCache', () => {
  it('drops what was not used for longest', () => {
    const cache = new BoundedCache<number>(2);
    cache.set('a', 1);
    cache.set('b', 2);
    cache.get('a');
    cache.set('c', 3);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
    expect(cache.size).toBe(2);
  });

  it('weighs, and keeps nothing that is too heavy', () => {
    const cache = new BoundedCache<string>(10);
    cache.set('a', 'x', 6);
    cache.set('a', 'y', 4);
    cache.set('b', 'z', 6);
    expect(cache.weight).toBe(10);
    cache.set('c', 'heavy', 11);
    expect(cache.get('c')).toBeUndefined();
    expect(cache.get('a')).toBe('y');
    cache.set('d', 'w', 5);
    expect(cache.weight).toBeLessThanOrEqual(10);
    cache.delete('nothing');
  });

  it('says what it drops', () => {
    const dropped: number[] = [];
    const cache = new BoundedCache<number>(1, (value) => dropped.push(value));
    cache.set('a', 1);
    cache.set('a', 2);
    cache.set('b', 3);
    cache.delete('b');
    expect(dropped).toEqual([1, 2, 3]);
  });
});
