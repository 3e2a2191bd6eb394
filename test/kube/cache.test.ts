import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cache, type Change, deepFreeze, isOlder } from '../../src/kube/cache.ts';
import type { KubeObject } from '../../src/kube/resource.ts';

interface Item extends KubeObject {
  readonly color?: string;
}

function item(
  name: string,
  version: number,
  rest: { uid?: string; namespace?: string; color?: string } = {},
): Item {
  const { uid = `uid-${name}`, namespace, color } = rest;
  return {
    metadata: {
      name,
      uid,
      resourceVersion: String(version),
      ...(namespace === undefined ? {} : { namespace }),
    },
    ...(color === undefined ? {} : { color }),
  };
}

function replace(cache: Cache<Item>, items: readonly Item[]): readonly Change<Item>[] {
  const replacement = cache.beginReplace();
  const parts = items.map((each) => replacement.add([each]));
  return [...parts.flat(), ...replacement.finish()];
}

function kinds(changes: readonly Change<Item>[]): string[] {
  return changes.map((change) => `${change.kind} ${change.object.metadata.name}`);
}

describe('Cache', () => {
  it('tells what a list changed, and keeps what it did not', () => {
    const cache = new Cache<Item>();
    expect(kinds(replace(cache, [item('a', 1), item('b', 2), item('c', 3)]))).toEqual([
      'add a',
      'add b',
      'add c',
    ]);
    const kept = cache.get({ name: 'a' });
    expect(kinds(replace(cache, [item('a', 1), item('b', 5)]))).toEqual(['update b', 'delete c']);
    expect(cache.get({ name: 'a' })).toBe(kept);
    expect(cache.size).toBe(2);
  });

  it('takes a list for the truth even if its versions went back', () => {
    const cache = new Cache<Item>();
    replace(cache, [item('a', 50)]);
    expect(kinds(replace(cache, [item('a', 10)]))).toEqual(['update a']);
    expect(kinds(cache.upsert(item('a', 11)))).toEqual(['update a']);
  });

  it('ignores replays and events that come late', () => {
    const cache = new Cache<Item>();
    cache.upsert(item('a', 5));
    expect(cache.upsert(item('a', 5))).toEqual([]);
    expect(cache.upsert(item('a', 4))).toEqual([]);
    expect(cache.delete(item('a', 3))).toEqual([]);
    expect(kinds(cache.delete(item('a', 9)))).toEqual(['delete a']);
    expect(cache.upsert(item('a', 8))).toEqual([]);
    expect(cache.delete(item('a', 9))).toEqual([]);
    expect(kinds(cache.upsert(item('a', 10)))).toEqual(['add a']);
  });

  it('remembers deletions up to a bound', () => {
    const cache = new Cache<Item>();
    for (let index = 0; index < 1_100; index += 1) {
      cache.upsert(item(`n${index}`, 10));
      cache.delete(item(`n${index}`, 20));
    }
    expect(cache.upsert(item('n1099', 15))).toEqual([]);
    expect(kinds(cache.upsert(item('n0', 15)))).toEqual(['add n0']);
  });

  it('sees that an object was replaced by another of its name', () => {
    const cache = new Cache<Item>();
    replace(cache, [item('a', 1, { uid: 'first' })]);
    const changes = replace(cache, [item('a', 2, { uid: 'second' })]);
    expect(changes.map((change) => [change.kind, change.object.metadata.uid])).toEqual([
      ['delete', 'first'],
      ['add', 'second'],
    ]);
  });

  it('finds by namespace and by index, and forgets old values', () => {
    const cache = new Cache<Item>({ color: (each) => (each.color === undefined ? [] : [each.color]) });
    cache.upsert(item('a', 1, { namespace: 'x', color: 'red' }));
    cache.upsert(item('b', 2, { namespace: 'x', color: 'red' }));
    cache.upsert(item('a', 3, { namespace: 'x', color: 'blue' }));
    expect(cache.byIndex('color', 'red').map((each) => each.metadata.name)).toEqual(['b']);
    expect(cache.byIndex('color', 'blue')).toHaveLength(1);
    expect(cache.byIndex('color', 'green')).toEqual([]);
    expect(cache.list('x')).toHaveLength(2);
    expect(cache.list('y')).toEqual([]);
    cache.delete(item('b', 9, { namespace: 'x' }));
    expect(cache.byIndex('color', 'red')).toEqual([]);
    expect(() => cache.byIndex('size', '1')).toThrow('no index size');
  });

  it('hands out objects that nobody can change', () => {
    const cache = new Cache<Item>();
    cache.upsert(item('a', 1));
    const found = cache.get({ name: 'a' });
    expect(() => {
      (found as { color: string }).color = 'red';
    }).toThrow(TypeError);
    expect(() => {
      (found?.metadata as { name: string }).name = 'b';
    }).toThrow(TypeError);
  });

  it('accepts versions it cannot compare in the order they come', () => {
    const cache = new Cache<Item>();
    cache.upsert({ metadata: { name: 'a', resourceVersion: 'zz' } });
    expect(cache.upsert({ metadata: { name: 'a', resourceVersion: 'aa' } })).toHaveLength(1);
  });
});

describe('isOlder', () => {
  it.each([
    ['9', '10', true],
    ['10', '9', false],
    ['10', '10', false],
    ['99999999999999999998', '99999999999999999999', true],
    ['a', '10', false],
    [undefined, '10', false],
    ['10', undefined, false],
  ])('%s before %s: %s', (version, known, expected) => {
    expect(isOlder(version, known)).toBe(expected);
  });
});

describe('deepFreeze', () => {
  it('freezes to the bottom and leaves primitives alone', () => {
    const value = deepFreeze({ list: [{ a: 1 }], text: 'x', nothing: null });
    expect(Object.isFrozen(value.list[0])).toBe(true);
    expect(deepFreeze('x')).toBe('x');
  });
});

/** What a stream of events may do to one of a few objects. */
const step = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  kind: fc.constantFrom('write', 'delete'),
});

describe('any reordering, duplication and replay of events', () => {
  it('ends at the state of the server', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30, size: 'max' }),
        fc.infiniteStream(fc.nat()),
        (steps, random) => {
          const world = new Map<string, Item>();
          const events: { kind: string; object: Item }[] = [];
          steps.forEach(({ name, kind }, index) => {
            const version = index + 10;
            const exists = world.has(name);
            if (kind === 'delete' && !exists) return;
            const object = item(name, version);
            if (kind === 'delete') world.delete(name);
            else world.set(name, object);
            events.push({ kind, object });
          });
          const shuffled = [...events, ...events]
            .map((event) => ({ event, order: random.next().value as number }))
            .sort((left, right) => left.order - right.order);
          const cache = new Cache<Item>();
          for (const { event } of shuffled) {
            if (event.kind === 'delete') cache.delete(event.object);
            else cache.upsert(event.object);
          }
          const versions = (items: Iterable<Item>) =>
            [...items].map((each) => `${each.metadata.name}@${each.metadata.resourceVersion ?? ''}`).sort();
          expect(versions(cache.list())).toEqual(versions(world.values()));
        },
      ),
      { numRuns: 300 },
    );
  });
});
