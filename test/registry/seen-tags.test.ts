import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeenTags } from '../../src/registry/seen-tags.ts';

describe('SeenTags', () => {
  it('gives each tag once, as a set would, in whatever order pages come', () => {
    const tag = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const page = fc.array(tag, { maxLength: 6 });
    const sorted = page.map((tags) => [...new Set(tags)].sort());
    fc.assert(
      fc.property(fc.array(fc.oneof(page, sorted), { maxLength: 6 }), (pages) => {
        const seen = new SeenTags();
        const fresh = pages.flatMap((tags) => seen.add(tags));
        expect(fresh).toEqual([...new Set(pages.flat())]);
        expect(seen.size).toBe(fresh.length);
      }),
    );
  });
});
