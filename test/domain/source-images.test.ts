import { describe, expect, it } from 'vitest';
import { NO_BOUNDS } from '../../src/domain/display.ts';
import { runFold } from '../../src/domain/fold.ts';
import {
  eligibleNodes,
  imageForReference,
  imageForTag,
  markPrepulled,
  missingImages,
  presenceOf,
  pullStatus,
} from '../../src/domain/image-source.ts';
import { isHeldBack } from '../../src/domain/newest-seen.ts';
import type { NodeFacts } from '../../src/domain/node.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { displayedTags, summarise } from '../../src/domain/selection-result.ts';
import type { SelectionSpec } from '../../src/domain/selection-spec.ts';
import { entries, type SourceImages } from '../../src/domain/source-images.ts';
import {
  dropdownImages,
  imageForClass,
  menuImages,
  prepulledImages,
  spawnerImages,
} from '../../src/domain/spawner.ts';
import { createGrammar } from '../../src/domain/tag/grammar.ts';
import { digestOf, NOW_MS, newestOf, ruleOf, sourceOf, specOf } from '../support/selections.ts';
import { nodeFacts } from '../support/stock-builders.ts';

const RULES = [newestOf('release', 1), newestOf('weekly', 2), newestOf('daily', 1)];
const TAGS = [
  { tag: 'recommended', digest: digestOf(45) },
  { tag: 'w_2077_46', digest: digestOf(46), size: 7 },
  { tag: 'w_2077_45', digest: digestOf(45) },
  { tag: 'w_2077_44', digest: digestOf(44) },
  { tag: 'w_2077_46-arm64', digest: digestOf(99) },
  { tag: 'r22_0_0', digest: digestOf(22) },
  { tag: 'latest', digest: digestOf(46) },
];
const PRESENCE = new Map([
  [digestOf(45), { nodes: new Set(['n1', 'n2']), size: 450 }],
  [digestOf(46), { nodes: new Set(['n1']), size: 460 }],
]);

function source(
  changes: Partial<SelectionSpec> = {},
  eligible: readonly string[] = ['n1', 'n2'],
): SourceImages {
  return sourceOf(specOf('RSP', RULES, changes), TAGS, { eligible, presence: PRESENCE });
}

function node(name: string, images: NodeFacts['images'] = [], more: Partial<NodeFacts> = {}): NodeFacts {
  return nodeFacts(name, { images, ...more });
}

describe('a concluded selection', () => {
  it('resolves aliases among the selected images only, unless all digests are known', () => {
    expect(source().selected.imageForTag('recommended')).toMatchObject({
      displayName: 'Recommended (Weekly 2077_45)',
      size: 450,
    });
    expect(source().resolved.imageForTag('latest')).toBeUndefined();
    expect(source({ digests: 'All' }).resolved.imageForTag('latest')).toMatchObject({
      type: 'alias',
      aliasTarget: 'w_2077_46',
    });
  });

  it('takes digests and sizes from the registry before those of the list', () => {
    const facts = { digests: { w_2077_46: digestOf(1) }, sizes: { w_2077_46: 11 } };
    const images = sourceOf(specOf('RSP', RULES), TAGS, facts);
    expect(images.selected.imageForTag('w_2077_46')).toMatchObject({ digest: digestOf(1), size: 11 });
    expect(images.selected.imageForTag('w_2077_45')).toMatchObject({ digest: digestOf(45), size: null });
  });

  it('keeps a size the registry told over that of nodes', () => {
    expect(source().selected.imageForTag('w_2077_46')?.size).toBe(7);
  });

  it('keeps an image whose digest nobody knows yet', () => {
    const images = sourceOf(specOf('RSP', RULES), ['w_2077_46']);
    expect(images.selected.imageForTag('w_2077_46')).toMatchObject({ digest: null });
    expect(spawnerImages(images).latest_weekly).toEqual({
      reference: 'r.example/a/b:w_2077_46',
      tag: 'w_2077_46',
      name: 'Weekly 2077_46',
      aliases: [],
      prepulled: false,
    });
  });

  it('lets a pinned architecture tag be an image of its own, but an alias of nothing', () => {
    const pin = ruleOf('pin', { kind: 'tags', tags: ['w_2077_46-arm64', 'w_2077_46'] });
    const images = sourceOf(specOf('RSP', [pin]), [
      { tag: 'w_2077_46', digest: digestOf(1) },
      { tag: 'w_2077_46-arm64', digest: digestOf(1) },
    ]);
    expect(images.selected.imageForTag('w_2077_46-arm64')).toMatchObject({
      digest: digestOf(1),
      aliases: [],
    });
    expect(images.selected.imageForTag('w_2077_46')).toMatchObject({ aliases: [] });
    expect([...entries(images)]).toHaveLength(1);
  });

  it('lists every tag as it reads, or with all digests known as it was resolved', () => {
    const list = (images: SourceImages): readonly string[] =>
      [...prepulledImages(images, new Set())].map(({ tag }) => tag);
    expect(list(source())).toEqual([
      'recommended',
      'r22_0_0',
      'w_2077_46',
      'w_2077_45',
      'w_2077_44',
      'latest',
    ]);
    expect(list(source({ digests: 'All' }))).toEqual([
      'recommended',
      'latest',
      'r22_0_0',
      'w_2077_46',
      'w_2077_45',
      'w_2077_44',
    ]);
  });
});

describe('spawner answers', () => {
  it('has the four classes from the selected images', () => {
    const images = source();
    expect(imageForClass(images, 'recommended')?.tag).toBe('recommended');
    expect(imageForClass(images, 'latest-weekly')?.tag).toBe('w_2077_46');
    expect(imageForClass(images, 'latest-release')?.tag).toBe('r22_0_0');
    expect(imageForClass(images, 'latest-daily')).toBeUndefined();
    expect(Object.keys(spawnerImages(images))).toEqual([
      'recommended',
      'latest_weekly',
      'latest_release',
      'all',
    ]);
  });

  it('counts an image with a digest as prepulled where no node is eligible, as the original', () => {
    const prepulled = (images: SourceImages) =>
      spawnerImages(images)
        .all.filter((entry) => entry.prepulled)
        .map(({ tag }) => tag);
    expect(prepulled(source())).toEqual(['recommended', 'w_2077_45']);
    expect(prepulled(source({}, []))).toEqual(['recommended', 'r22_0_0', 'w_2077_46', 'w_2077_45']);
  });

  it('puts the recommended image first in the menu even if it is on no node', () => {
    expect(menuImages(source()).map(({ name }) => name)).toEqual(['Recommended (Weekly 2077_45)']);
    expect(menuImages(source({}, ['n1'])).map(({ name }) => name)).toEqual([
      'Recommended (Weekly 2077_45)',
      'Weekly 2077_46',
    ]);
    expect(menuImages(source({}, ['n3']))[0]?.reference).toBe(`r.example/a/b:recommended@${digestOf(45)}`);
  });

  it('filters the dropdown, with digests where they are known', () => {
    const images = source({ display: { weekly: { number: 1, maxAgeMs: null, since: NO_BOUNDS } } });
    expect(
      dropdownImages(images, NOW_MS).map(({ reference }) => reference.replace('r.example/a/b:', '')),
    ).toEqual([
      `recommended@${digestOf(45)}`,
      `r22_0_0@${digestOf(22)}`,
      `w_2077_46@${digestOf(46)}`,
      'latest',
    ]);
    expect([...displayedTags(images)]).toEqual(['recommended', 'r22_0_0', 'w_2077_46', 'latest']);
  });
});

describe('lookups', () => {
  const lookup = (text: string, changes: Partial<SelectionSpec> = {}) =>
    imageForReference(source(changes), parseReference(text));
  const here = 'r.example/a/b';

  it('answer a known digest whatever the tag', () => {
    expect(lookup(`${here}:zz@${digestOf(46)}`)).toMatchObject({ ok: true, value: { tag: 'w_2077_46' } });
    expect(lookup(`${here}@${digestOf(45)}`)).toMatchObject({ ok: true, value: { tag: 'w_2077_45' } });
  });

  it('answer a tag: selected with its own digest, another with that of the reference, unchecked', () => {
    expect(lookup(`${here}:w_2077_46@${digestOf(1)}`)).toMatchObject({ value: { digest: digestOf(46) } });
    expect(lookup(`${here}:w_2077_44@${digestOf(1)}`)).toMatchObject({ value: { digest: digestOf(1) } });
    expect(lookup(`${here}:w_2077_44`)).toMatchObject({ value: { tag: 'w_2077_44', digest: null } });
    expect(imageForTag(source(), 'w_2077_44')).toMatchObject({ value: { digest: null } });
  });

  it('refuse what is not of the source', () => {
    expect(lookup(`other.example/a/b:w_2077_46`)).toEqual({ ok: false, error: 'UnknownImage' });
    expect(lookup(`r.example/a/c:w_2077_46`)).toEqual({ ok: false, error: 'UnknownImage' });
    expect(lookup(`${here}:none`)).toEqual({ ok: false, error: 'UnknownImage' });
    expect(lookup(here)).toEqual({ ok: false, error: 'TagMissing' });
    expect(lookup(`${here}@${digestOf(1)}`)).toEqual({ ok: false, error: 'TagMissing' });
  });

  it('refuse an unknown digest where all are known', () => {
    expect(lookup(`${here}:w_2077_46@${digestOf(1)}`, { digests: 'All' })).toEqual({
      ok: false,
      error: 'UnknownImage',
    });
    expect(lookup(`${here}:w_2077_46`, { digests: 'All' })).toMatchObject({ ok: true });
  });
});

describe('nodes', () => {
  it('lack one image a digest, in output order; nothing is pulled where it may not', () => {
    expect(missingImages(source(), 'n1').map(({ tag }) => tag)).toEqual(['r22_0_0']);
    expect(missingImages(source(), 'n2').map(({ tag }) => tag)).toEqual(['r22_0_0', 'w_2077_46']);
    expect(missingImages(source(), 'n9')).toEqual([]);
  });

  it('have what was marked, under every tag', () => {
    const after = markPrepulled(source(), digestOf(46), 'n2');
    expect(missingImages(after, 'n2').map(({ tag }) => tag)).toEqual(['r22_0_0']);
    expect(after.resolved.imageForTag('w_2077_46')).toMatchObject({ nodes: new Set(['n1', 'n2']), size: 7 });
    expect(markPrepulled(source(), digestOf(1), 'n2').selected.images).toEqual(source().selected.images);
  });

  it('are told apart in the pull status', () => {
    const { prepulled, pending } = pullStatus(source());
    expect(prepulled.map(({ reference, nodes, missing }) => [reference, nodes, missing])).toEqual([
      ['r.example/a/b:w_2077_45', ['n1', 'n2'], []],
    ]);
    expect(pending.map(({ image, missing }) => [image.tag, missing])).toEqual([
      ['r22_0_0', ['n1', 'n2']],
      ['w_2077_46', ['n2']],
    ]);
  });

  it('have digests from all names of their images; of sizes the last counts', () => {
    const names = [`x@${digestOf(1)}`, 'x:t', `y@${digestOf(2)}`];
    const presence = presenceOf([
      node('a', [{ names, sizeBytes: 5 }]),
      node('b', [{ names: [`z@${digestOf(1)}`], sizeBytes: 0 }]),
    ]);
    expect(presence).toEqual(
      new Map([
        [digestOf(1), { nodes: new Set(['a', 'b']), size: 5 }],
        [digestOf(2), { nodes: new Set(['a']), size: 5 }],
      ]),
    );
  });

  it('are eligible by scope and state', () => {
    const nodes = [node('a'), node('b', [], { unschedulable: true }), node('c', [], { labels: { x: 'y' } })];
    expect(eligibleNodes(nodes, {})).toEqual(new Set(['a', 'c']));
    expect(eligibleNodes(nodes, { nodeSelector: { x: 'y' } })).toEqual(new Set(['c']));
  });
});

describe('the published result', () => {
  it('says what is selected, why, and how much of it is everywhere', () => {
    const result = runFold(summarise(source()));
    expect(result.latestWeekly).toEqual({
      reference: 'r.example/a/b:w_2077_46',
      tag: 'w_2077_46',
      digest: digestOf(46),
      name: 'Weekly 2077_46',
      aliases: [],
      prepulled: false,
    });
    expect(result.images[0]).toMatchObject({
      tag: 'recommended',
      type: 'alias',
      version: null,
      date: '2077-11-11T00:00:00Z',
      rules: ['recommended'],
      prepulled: true,
    });
    expect(result.images[1]).toMatchObject({
      tag: 'r22_0_0',
      version: '22.0.0',
      date: null,
      rules: ['release'],
    });
    expect(result.counts).toEqual({ known: 7, displayed: 6, selected: 4, prepulled: 2 });
    expect(result.latestDaily).toBeNull();
    expect(result.held).toEqual([]);
    expect(result.newestSeen).toEqual({
      recommended: 'w_2077_45',
      latestRelease: 'r22_0_0',
      latestWeekly: 'w_2077_46',
    });
  });

  it('counts nothing as prepulled where no node is eligible, and the dropdown by its policy', () => {
    const display = { weekly: { number: 1, maxAgeMs: null, since: NO_BOUNDS } };
    const result = runFold(summarise(source({ display }, [])));
    expect(result.counts).toEqual({ known: 7, displayed: 4, selected: 4, prepulled: 0 });
    expect(result.recommended?.prepulled).toBe(false);
  });

  it('does not move back when a list has lost the newest tags', () => {
    const before = runFold(summarise(source()));
    const shorter = TAGS.filter(({ tag }) => tag !== 'w_2077_46' && tag !== 'w_2077_45').map((entry) =>
      entry.tag === 'recommended' ? { ...entry, digest: digestOf(44) } : entry,
    );
    const older = (allowDowngrade: boolean) =>
      runFold(
        summarise(sourceOf(specOf('RSP', RULES, { allowDowngrade }), shorter), {
          newestSeen: before.newestSeen,
          headlines: before,
        }),
      );
    expect(older(false)).toMatchObject({
      latestWeekly: { tag: 'w_2077_46' },
      recommended: { aliases: ['w_2077_45'] },
      newestSeen: { latestWeekly: 'w_2077_46', recommended: 'w_2077_45' },
      held: [
        { field: 'recommended', candidate: 'w_2077_44', newestSeen: 'w_2077_45' },
        { field: 'latestWeekly', candidate: 'w_2077_44', newestSeen: 'w_2077_46' },
      ],
    });
    expect(older(true)).toMatchObject({
      latestWeekly: { tag: 'w_2077_44' },
      held: [],
      newestSeen: { latestWeekly: 'w_2077_44' },
    });
  });

  it('moves back when somebody decided so: the newer tag is still listed', () => {
    const previous = { newestSeen: { recommended: 'w_2077_46' }, headlines: {} };
    expect(runFold(summarise(source(), previous))).toMatchObject({
      held: [],
      newestSeen: { recommended: 'w_2077_45' },
    });
  });

  it('keeps its memory while an alias is not resolved', () => {
    const unresolved = sourceOf(specOf('RSP', RULES), ['recommended', 'w_2077_45']);
    const result = runFold(
      summarise(unresolved, { newestSeen: { recommended: 'w_2077_45' }, headlines: {} }),
    );
    expect(result).toMatchObject({ held: [], newestSeen: { recommended: 'w_2077_45' } });
  });
});

describe('the guard against downgrades', () => {
  const grammar = createGrammar({ name: 'RSP', recommended: '', aliases: [], architectures: [] });
  const held = (newest: string | undefined, candidate: string | null, ...listed: string[]) =>
    isHeldBack(grammar, newest, candidate, (tag) => listed.includes(tag));

  it.each([
    [undefined, 'w_2077_45', [], false],
    ['w_2077_46', 'w_2077_46', [], false],
    ['w_2077_46', 'w_2077_45', [], true],
    ['w_2077_46', 'w_2077_45', ['w_2077_46'], false],
    ['w_2077_46', 'w_2077_47', [], false],
    ['w_2077_46', null, [], true],
    ['w_2077_46', null, ['w_2077_46'], false],
    ['w_2077_46', 'r1_0_0', [], false],
    ['zz', 'aa', [], false],
  ])('with %s seen and %s now, %j listed, holds: %s', (newest, candidate, listed, expected) => {
    expect(held(newest, candidate, ...listed)).toBe(expected);
  });
});
