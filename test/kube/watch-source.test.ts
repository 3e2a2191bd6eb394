import { describe, expect, it } from 'vitest';
import { ignoreStatusChanges } from '../../src/kube/watch-source.ts';

describe('ignoreStatusChanges', () => {
  const base = { metadata: { name: 'a', generation: 1, labels: { x: '1' } } };

  it.each([
    ['an add', undefined, base, true],
    ['a delete', base, undefined, true],
    ['the same again', base, { ...base, status: {} }, false],
    ['a new generation', base, { metadata: { ...base.metadata, generation: 2 } }, true],
    ['a label', base, { metadata: { ...base.metadata, labels: {} } }, true],
    ['an annotation', base, { metadata: { ...base.metadata, annotations: { a: 'b' } } }, true],
    ['a finalizer', base, { metadata: { ...base.metadata, finalizers: ['f'] } }, true],
    ['a deletion', base, { metadata: { ...base.metadata, deletionTimestamp: 't' } }, true],
  ])('%s: %#', (_name, old, object, expected) => {
    const change = { ...(old === undefined ? {} : { old }), ...(object === undefined ? {} : { object }) };
    expect(ignoreStatusChanges(change)).toBe(expected);
  });
});
