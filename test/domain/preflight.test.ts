import { describe, expect, it } from 'vitest';
import type { NodeFacts } from '../../src/domain/node.ts';
import { overfull } from '../../src/domain/preflight.ts';
import type { Want } from '../../src/domain/want.ts';

const GIB = 1024 ** 3;

function node(ephemeralBytes?: number): NodeFacts {
  return { name: 'n1', ...(ephemeralBytes !== undefined && { ephemeralBytes }) } as NodeFacts;
}

function want(id: string, gib: number, key?: string): Want {
  return { id, sizeBytes: gib * GIB, pulls: [{ key: key ?? id }] } as unknown as Want;
}

describe('overfull', () => {
  it('leaves nothing out where three times the compressed size fits into 80 % of the disk', () => {
    expect(overfull(node(100 * GIB), [want('a', 10), want('b', 16)]).size).toBe(0);
  });

  it('fills those 80 % to the last byte, before and after it has left something out', () => {
    expect(overfull(node(60 * GIB), [want('a', 16)]).size).toBe(0);
    expect([...overfull(node(60 * GIB), [want('a', 16), want('b', 17)]).keys()]).toEqual(['b']);
  });

  it('leaves out the largest until the rest fits, and says the figures', () => {
    const skipped = overfull(node(100 * GIB), [want('small', 1), want('huge', 30), want('big', 20)]);
    expect([...skipped.keys()]).toEqual(['huge']);
    expect(skipped.get('huge')).toBe(
      'Not pulled: all wanted images need about 153.0 GiB, 80.0 GiB of the node may hold images; this one needs 90.0 GiB',
    );
  });

  it('counts an image once, however many objects want it, and leaves it out for all of them', () => {
    const same = ['a', 'b', 'c'].map((id) => want(id, 20, 'sha256:same'));
    expect(overfull(node(100 * GIB), same).size).toBe(0);
    expect([...overfull(node(50 * GIB), same).keys()]).toEqual(['a', 'b', 'c']);
    const byTag = want('tag', 20, 'reg.example/a:1@sha256:same');
    expect(overfull(node(100 * GIB), [...same, byTag]).size).toBe(0);
    const unknown = want('unknown', 0, 'sha256:same');
    expect([...overfull(node(50 * GIB), [byTag, unknown]).keys()]).toEqual(['tag', 'unknown']);
  });

  it('knows nothing of a node that does not tell its disk, or of images of unknown size', () => {
    expect(overfull(node(), [want('a', 1_000)]).size).toBe(0);
    expect(overfull(node(GIB), [want('a', 0), want('b', 0)]).size).toBe(0);
  });
});
