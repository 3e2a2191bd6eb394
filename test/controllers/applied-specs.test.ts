import { describe, expect, it } from 'vitest';
import { AppliedSpecs } from '../../src/controllers/applied-specs.ts';
import { prepulledImage } from '../support/builders.ts';

const SPEC = { image: 'registry.example.org/a:1' };
const KEY = 'default/lab';

function child(generation: number, uid = 'u', name = 'child') {
  return prepulledImage({ metadata: { name, uid, generation } });
}

describe('a spec that was applied', () => {
  const applied = new AppliedSpecs();
  applied.note(KEY, child(3), SPEC);

  it.each([
    ['is in force while nobody changes the child', KEY, child(3), SPEC, true],
    ['is in force while the cache still shows an older one', KEY, child(2), SPEC, true],
    ['is not when somebody has changed the child', KEY, child(4), SPEC, false],
    ['is not for a successor of its name', KEY, child(3, 'other'), SPEC, false],
    ['is not when another one is wanted', KEY, child(3), { ...SPEC, suspend: true }, false],
    ['is not for another child', KEY, child(3, 'u', 'sibling'), SPEC, false],
    ['is not for the child of another source', 'other/lab', child(3), SPEC, false],
  ])('%s', (...[, key, current, spec, expected]) => {
    expect(applied.isAsWanted(key, current, spec)).toBe(expected);
  });

  it('needs nobody to remember it where the child says exactly that', () => {
    const { spec } = child(9);
    expect(new AppliedSpecs().isAsWanted(KEY, child(9), spec)).toBe(true);
    expect(new AppliedSpecs().isAsWanted(KEY, child(9), { ...spec, suspend: true })).toBe(false);
  });

  it('is forgotten with its child, and with its source', () => {
    const specs = new AppliedSpecs();
    for (const name of ['kept', 'gone']) specs.note(KEY, child(1, 'u', name), SPEC);
    specs.keepOnly(KEY, new Set(['kept']));
    expect(specs.isAsWanted(KEY, child(1, 'u', 'kept'), SPEC)).toBe(true);
    expect(specs.isAsWanted(KEY, child(1, 'u', 'gone'), SPEC)).toBe(false);
    specs.keepOnly('other/lab', new Set());
    specs.forget(KEY);
    expect(specs.isAsWanted(KEY, child(1, 'u', 'kept'), SPEC)).toBe(false);
  });
});
