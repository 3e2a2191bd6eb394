import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { groupByDigest, primaryOf, resolveSiblings } from '../../src/domain/alias-resolution.ts';
import {
  allAliases,
  type Image,
  imageReference,
  imageReferenceWithDigest,
  makeImage,
  NotAnAliasError,
  resolveAlias,
} from '../../src/domain/image.ts';
import { ImageCollection, isOnAll, type Presence } from '../../src/domain/image-collection.ts';
import { createGrammar } from '../../src/domain/tag/grammar.ts';
import { digestOf, IMAGE } from '../support/selections.ts';

const grammar = createGrammar({ name: 'RSP', recommended: 'recommended', aliases: [], architectures: [] });
const NAMES = [
  'w_2077_45',
  'w_2077_46',
  'r22_0_0',
  'd_2077_11_18',
  'recommended',
  'latest',
  'latest_weekly',
  'exp_x',
  'w_2077_45-amd64',
  'zz',
];

function image(tag: string, key: number | null = 1, size: number | null = null): Image {
  return makeImage(IMAGE, grammar.read(tag), { digest: key === null ? null : digestOf(key), size });
}

function collection(...images: readonly Image[]): ImageCollection {
  return ImageCollection.resolve(images, grammar.order);
}

function tags(images: readonly Image[]): readonly string[] {
  return images.map(({ tag }) => tag);
}

const listings = fc
  .uniqueArray(
    fc.tuple(fc.constantFrom(...NAMES), fc.option(fc.integer({ min: 1, max: 3 }), { nil: null })),
    {
      selector: ([tag]) => tag,
    },
  )
  .map((entries) => entries.map(([tag, key]) => image(tag, key)));

describe('images', () => {
  it('have references with and without digest', () => {
    expect(imageReference(image('w_2077_45'))).toBe('r.example/a/b:w_2077_45');
    expect(imageReferenceWithDigest(image('w_2077_45'))).toBe(`r.example/a/b:w_2077_45@${digestOf(1)}`);
    expect(imageReferenceWithDigest(image('w_2077_45', null))).toBe('r.example/a/b:w_2077_45');
  });

  it('start without aliases, nodes and size, but with the name of the tag', () => {
    expect(makeImage(IMAGE, grammar.read('w_2077_45'))).toMatchObject({
      digest: null,
      size: null,
      aliases: [],
      aliasTarget: null,
      displayName: 'Weekly 2077_45',
    });
    expect(image('w_2077_45', 1, 7).size).toBe(7);
    expect(image('w_2077_45').nodes.size).toBe(0);
  });

  it('become aliases of a target with the same digest', () => {
    const target = { ...image('w_2077_45_c0045.003-amd64'), aliases: ['other', 'latest'] };
    expect(resolveAlias(image('latest'), target)).toMatchObject({
      type: 'alias',
      displayName: 'Latest (Weekly 2077_45, SAL Cycle 0045, Build 003) [amd64]',
      cycle: 45,
      architecture: 'amd64',
      dateMs: Date.UTC(2077, 10, 11),
      aliases: ['other'],
      aliasTarget: target.tag,
    });
  });

  it('keep an architecture and a date of their own, and lose a cycle the target has not', () => {
    const alias = { ...image('latest_c0020-arm64'), dateMs: 5 };
    expect(resolveAlias(alias, image('w_2077_45'))).toMatchObject({
      displayName: 'Latest (Weekly 2077_45) [arm64]',
      cycle: null,
      architecture: 'arm64',
      dateMs: 5,
    });
    expect(resolveAlias(image('_c0020'), image('w_2077_45')).displayName).toBe(' C0020 (Weekly 2077_45)');
  });

  it('of a version are never aliases', () => {
    expect(() => resolveAlias(image('w_2077_46'), image('w_2077_45'))).toThrow(NotAnAliasError);
    expect(() => resolveAlias(image('w_2077_46'), image('w_2077_45'))).toThrow(
      'resolving w_2077_46: it is a weekly itself',
    );
    expect(new NotAnAliasError('x').name).toBe('NotAnAliasError');
  });

  it('list aliases and target together, sorted and once', () => {
    expect(allAliases({ ...image('latest'), aliases: ['b', 'z'], aliasTarget: 'm' })).toEqual([
      'b',
      'm',
      'z',
    ]);
    expect(allAliases({ ...image('latest'), aliases: ['b', 'm'], aliasTarget: 'm' })).toEqual(['b', 'm']);
    expect(allAliases({ ...image('latest'), aliases: ['b'] })).toEqual(['b']);
  });
});

describe('siblings', () => {
  it('have the first version as primary, else the first of all', () => {
    expect(primaryOf([image('latest'), image('w_2077_45'), image('r22_0_0')])?.tag).toBe('w_2077_45');
    expect(primaryOf([image('latest'), image('zz')])?.tag).toBe('latest');
    expect(primaryOf([])).toBeUndefined();
  });

  it('are grouped by digest; what has none is in no group', () => {
    const groups = groupByDigest([image('a', 1), image('b', null), image('c', 1), image('d', 2)]);
    expect([...groups.values()].map(tags)).toEqual([['a', 'c'], ['d']]);
  });

  it('stay as they are when alone', () => {
    const [alone] = resolveSiblings([{ ...image('latest'), type: 'alias' }]);
    expect(alone).toMatchObject({ type: 'alias', aliases: [] });
  });

  it('know each other without a version, and nobody is promoted', () => {
    const all = resolveSiblings([image('latest'), image('zz'), image('next')]);
    expect(all.map(({ tag, type, aliases }) => ({ tag, type, aliases }))).toEqual([
      { tag: 'latest', type: 'unknown', aliases: ['next', 'zz'] },
      { tag: 'zz', type: 'unknown', aliases: ['latest', 'next'] },
      { tag: 'next', type: 'unknown', aliases: ['latest', 'zz'] },
    ]);
  });

  it('of several versions know the primary and the names, as in the original', () => {
    const all = resolveSiblings([
      image('w_2077_44'),
      image('latest'),
      image('w_2077_45'),
      image('w_2077_46'),
    ]);
    expect(Object.fromEntries(all.map(({ tag, aliases }) => [tag, aliases]))).toEqual({
      w_2077_44: ['latest', 'w_2077_45', 'w_2077_46'],
      w_2077_45: ['latest', 'w_2077_44'],
      w_2077_46: ['latest', 'w_2077_44'],
      latest: ['w_2077_45', 'w_2077_46'],
    });
  });
});

describe('collections', () => {
  it('index by tag and by digest', () => {
    const all = collection(image('latest', 1), image('w_2077_45', 1), image('zz', null));
    expect(all.imageForTag('latest')).toMatchObject({ aliasTarget: 'w_2077_45' });
    expect(all.imageForDigest(digestOf(1))?.tag).toBe('w_2077_45');
    expect(all.imageForDigest(digestOf(2))).toBeUndefined();
    expect(all.imageForTag('none')).toBeUndefined();
    expect(all.size).toBe(3);
  });

  it('filter by cycle before anything is resolved', () => {
    const images = [image('recommended', 1), image('w_2077_45_c0045.001', 1), image('latest_c45', 1)];
    const all = ImageCollection.resolve(images, grammar.order, { cycle: 45 });
    expect(tags(all.images)).toEqual(['latest_c45', 'w_2077_45_c0045.001']);
    expect(all.imageForTag('w_2077_45_c0045.001')?.aliases).toEqual(['latest_c45']);
  });

  it('leave images apart that are to take no part in aliases', () => {
    const apart = ({ architecture }: Image): boolean => architecture !== null;
    const all = ImageCollection.resolve(
      [image('w_2077_45-amd64'), image('latest'), image('w_2077_45')],
      grammar.order,
      { apart },
    );
    expect(all.imageForTag('w_2077_45-amd64')).toMatchObject({ aliases: [] });
    expect(all.imageForTag('w_2077_45')).toMatchObject({ aliases: ['latest'] });
  });

  it('count a repeated tag once, the last one', () => {
    expect(collection(image('zz', 1), image('zz', 2)).images).toMatchObject([
      { tag: 'zz', digest: digestOf(2) },
    ]);
  });

  it('find the newest of a type, architecture tags included', () => {
    const all = collection(image('w_2077_45', 1), image('w_2077_46-amd64', 2));
    expect(all.latest('weekly')?.tag).toBe('w_2077_46-amd64');
    expect(all.latest('daily')).toBeUndefined();
  });

  it('hide architectures, aliased images and resolved aliases as asked', () => {
    const all = collection(
      image('w_2077_45', 1),
      image('latest', 1),
      image('w_2077_44', 2),
      image('w_2077_44-amd64', 3),
    );
    expect(tags(all.list())).toEqual(['latest', 'w_2077_45', 'w_2077_44']);
    expect(tags(all.list({ architectures: false }))).toEqual([
      'latest',
      'w_2077_45',
      'w_2077_44',
      'w_2077_44-amd64',
    ]);
    expect(tags(all.list({ aliased: true }))).toEqual(['latest', 'w_2077_44']);
    expect(tags(all.list({ resolvedAliases: true }))).toEqual(['w_2077_45', 'w_2077_44']);
    const alone = all.subset(({ tag }) => tag === 'latest');
    expect(tags(alone.list({ resolvedAliases: true }))).toEqual(['latest']);
  });

  it('keep aliases and targets of the whole in a subset, and change nothing in it', () => {
    fc.assert(
      fc.property(listings, fc.subarray(NAMES), (images, wanted) => {
        const keeps = ({ tag }: Image): boolean => wanted.includes(tag);
        const whole = collection(...images);
        const before = structuredClone(tags(whole.images));
        const subset = whole.subset(keeps);
        expect(subset.images.every((member) => whole.imageForTag(member.tag) === member)).toBe(true);
        expect(subset.subset(keeps).images).toEqual(subset.images);
        expect(tags(whole.images)).toEqual(before);
      }),
    );
  });

  it('give a subset the primary of the whole if it is in, else the first version, else the first', () => {
    const whole = collection(image('w_2077_45'), image('w_2077_46'), image('latest'));
    expect(whole.subset(() => true).imageForDigest(digestOf(1))?.tag).toBe('w_2077_45');
    expect(whole.subset(({ tag }) => tag !== 'w_2077_45').imageForDigest(digestOf(1))?.tag).toBe('w_2077_46');
    expect(whole.subset(({ tag }) => tag === 'latest').imageForDigest(digestOf(1))?.tag).toBe('latest');
  });

  it('know aliases on both sides', () => {
    fc.assert(
      fc.property(listings, (images) => {
        const all = collection(...images);
        for (const member of all.images) {
          expect(member.aliases).not.toContain(member.tag);
          for (const alias of allAliases(member)) {
            const other = all.imageForTag(alias);
            expect(other?.digest).toBe(member.digest);
            expect(other && allAliases(other)).toContain(member.tag);
          }
        }
      }),
    );
  });

  it('are the same when resolved again from their own images in order', () => {
    fc.assert(
      fc.property(listings, (images) => {
        const once = collection(...images);
        expect(tags(once.images).toSorted()).toEqual(tags(images).toSorted());
        expect(once.images.toSorted(grammar.order)).toEqual(once.images);
      }),
    );
  });

  it('subtract by digest: one image each, under its primary tag', () => {
    const all = collection(
      image('w_2077_45', 1),
      image('latest', 1),
      image('w_2077_44', 2),
      image('r22_0_0', 3),
      image('zz', null),
    );
    expect(tags(all.subtract(collection()).images)).toEqual(['r22_0_0', 'w_2077_45', 'w_2077_44']);
    expect(tags(all.subtract(collection(image('other', 1))).images)).toEqual(['r22_0_0', 'w_2077_44']);
    expect(tags(all.subtract(collection(image('w_2077_45-amd64', 1))).images)).toEqual([
      'r22_0_0',
      'w_2077_45',
      'w_2077_44',
    ]);
    expect(all.subtract(all).images).toEqual([]);
  });

  it('merge: the other wins, aliases are resolved over both', () => {
    const merged = collection(image('w_2077_45', 1), image('zz', 2)).merge(
      collection(image('latest', 1), image('zz', 3)),
    );
    expect(tags(merged.images)).toEqual(['latest', 'w_2077_45', 'zz']);
    expect(merged.imageForTag('latest')).toMatchObject({ aliasTarget: 'w_2077_45' });
    expect(merged.imageForTag('zz')?.digest).toBe(digestOf(3));
  });
});

describe('presence', () => {
  const presence: Presence = new Map([[digestOf(1), { nodes: new Set(['n1', 'n2']), size: 9 }]]);

  it('reaches every tag of a digest, by tag and by digest', () => {
    const seen = collection(image('w_2077_45', 1, 5), image('latest', 1, 5), image('zz', 2, 5)).withPresence(
      presence,
    );
    expect(seen.imageForTag('latest')).toMatchObject({ nodes: new Set(['n1', 'n2']), size: 9 });
    expect(seen.imageForDigest(digestOf(1))).toMatchObject({ tag: 'w_2077_45', size: 9 });
    expect(seen.imageForTag('zz')).toMatchObject({ size: 5, nodes: new Set() });
  });

  it('leaves sizes alone if asked, or if no node tells one', () => {
    const all = collection(image('w_2077_45', 1, 5), image('zz', null));
    expect(all.withPresence(presence, true).imageForTag('w_2077_45')?.size).toBe(5);
    const sizeless: Presence = new Map([[digestOf(1), { nodes: new Set(['n1']), size: null }]]);
    expect(all.withPresence(sizeless).imageForTag('w_2077_45')?.size).toBe(5);
  });

  it('is on all of no nodes, as in the original', () => {
    const [seen] = collection(image('w_2077_45', 1)).withPresence(presence).images;
    const on = (...nodes: string[]): boolean => seen !== undefined && isOnAll(seen, new Set(nodes));
    expect([on(), on('n1'), on('n1', 'n2'), on('n1', 'n3')]).toEqual([true, true, true, false]);
  });
});
