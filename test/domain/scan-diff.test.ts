import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffScans } from '../../src/domain/scan-diff.ts';

const at = (tag: string, digest: string | null = `of ${tag}`) => ({ tag, digest });

describe('diffScans', () => {
  it('names what came, what went and what moved, in order', () => {
    const before = [at('c'), at('b', 'old'), at('a')];
    const after = [at('e'), at('d'), at('b', 'new'), at('a')];
    expect(diffScans(before, after)).toEqual({
      added: ['e', 'd'],
      removed: ['c'],
      moved: [{ tag: 'b', from: 'old', to: 'new' }],
    });
  });

  it.each([
    ['becomes known', null, 'new'],
    ['cannot be asked for', 'old', null],
    ['stays', 'same', 'same'],
    ['stays unknown', null, null],
  ])('a digest that %s has not moved', (_what, from, to) => {
    expect(diffScans([at('a', from)], [at('a', to)]).moved).toEqual([]);
  });

  it('of a scan with itself is empty, and what one way adds the other removes', () => {
    const scanned = fc.uniqueArray(fc.record({ tag: fc.string(), digest: fc.option(fc.string()) }), {
      selector: ({ tag }) => tag,
    });
    fc.assert(
      fc.property(scanned, scanned, (before, after) => {
        expect(diffScans(before, before)).toEqual({ added: [], removed: [], moved: [] });
        const there = diffScans(before, after);
        const back = diffScans(after, before);
        expect([...there.added].sort()).toEqual([...back.removed].sort());
        expect(there.moved.length).toBe(back.moved.length);
      }),
    );
  });
});
