/** Every group of nublado-cases.json but podNames, policies, durations and prepull pods, held to the advised readings. */

import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import type { Digest } from '../../src/domain/digest.ts';
import { displayed } from '../../src/domain/display.ts';
import {
  allAliases,
  type Image,
  imageReferenceWithDigest,
  makeImage,
  resolveAlias,
} from '../../src/domain/image.ts';
import { ImageCollection, isOnAll, type Presence } from '../../src/domain/image-collection.ts';
import {
  imageForReference,
  imageForTag,
  markPrepulled,
  missingImages,
  pullStatus,
} from '../../src/domain/image-source.ts';
import {
  imageDigests,
  type Taint,
  type Toleration,
  taintMessage,
  untoleratedTaint,
  validateToleration,
} from '../../src/domain/node.ts';
import { formatReference, parseReference, validateReference } from '../../src/domain/reference.ts';
import type { Result } from '../../src/domain/result.ts';
import type { SourceImages } from '../../src/domain/source-images.ts';
import {
  dropdownImages,
  IMAGE_CLASSES,
  imageForClass,
  menuImages,
  spawnerImages,
} from '../../src/domain/spawner.ts';
import { isPossibleAlias, TAG_TYPES, type Tag } from '../../src/domain/tag/tag.ts';
import { playCases, printTally, readCaseFile } from '../support/case-tally.ts';
import {
  displayPolicy,
  type FilterRow,
  type PrepullerConfig,
  runService,
  type ServiceCase,
} from '../support/nublado-service.ts';
import { imageFields, rspGrammar, TYPE_NAMES, tagFields } from '../support/nublado-tag.ts';

interface Row {
  readonly id: string;
  readonly advised?: Readonly<Record<string, unknown>>;
}

interface TagRow extends Row {
  readonly tag: string;
  readonly expected: Readonly<Record<string, unknown>>;
}

interface CompareRow extends Row {
  readonly tags: readonly string[];
  readonly aliasTags?: readonly string[];
  readonly cycle?: number | null;
  readonly parsedAs?: string;
  readonly sortedNewestFirst: readonly string[];
  readonly withoutArch?: readonly string[];
}

interface PairRow extends Row {
  readonly a: string;
  readonly b: string;
  readonly cmp: number;
}

interface ReferenceRow extends Row {
  readonly in: string;
  readonly ok: boolean;
  readonly registry: string | null;
  readonly repository: string | null;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly str: string | null;
}

interface DigestsRow extends Row {
  readonly names: readonly string[];
  readonly allDigests: readonly string[];
}

interface ResolveRow extends Row {
  readonly target: string;
  readonly alias?: string;
  readonly aliasChain?: readonly string[];
  readonly aliasParsedAs: string | readonly string[];
  readonly ok: boolean;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly results?: readonly Readonly<Record<string, unknown>>[];
  readonly targetAliases?: readonly string[];
  readonly thenFirstRetargetedTo?: string;
  readonly firstAfterRetarget?: Readonly<Record<string, unknown>>;
}

interface CollectionRow extends Row {
  readonly images: readonly { readonly tag: string; readonly digest: string; readonly size?: number }[];
  readonly cycle: number | null;
  readonly aliasTags: readonly string[];
  readonly config: PrepullerConfig;
  readonly marks: readonly { readonly node: string; readonly digest: string; readonly size?: number }[];
  readonly nodeSets: readonly (readonly string[])[];
  readonly subtract: readonly number[];
  readonly expected: Readonly<Record<string, unknown>>;
}

interface FilterCase extends Row {
  readonly policy: Readonly<Record<string, FilterRow>>;
  readonly ageBasis: string;
  readonly tags: readonly string[];
  readonly aliasTags: readonly string[];
  readonly removeArchSpecific: boolean;
  readonly kept: readonly string[];
  readonly removed: readonly string[];
}

interface TolerationRow extends Row {
  readonly taints: readonly Taint[];
  readonly tolerations: readonly Toleration[];
  readonly ok: boolean;
  readonly eligible?: boolean;
  readonly comment?: string | null;
}

interface Lookup {
  readonly tag?: string;
  readonly reference?: string;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

interface SpawnerRow extends Row, ServiceCase {
  readonly json: unknown;
  readonly prepulls: { readonly images: unknown; readonly nodes: readonly { readonly name: string }[] };
  readonly menu: unknown;
  readonly dropdown: unknown;
  readonly missingByNode: unknown;
  readonly imageForClass: Readonly<Record<string, unknown>>;
  readonly lookups: readonly Lookup[];
  readonly afterPrepull: {
    readonly prepulledTags: readonly string[];
    readonly menu: unknown;
    readonly missingByNode: unknown;
  };
}

interface CaseFile {
  readonly tags: readonly TagRow[];
  readonly aliasTags: readonly TagRow[];
  readonly compare: readonly CompareRow[];
  readonly comparePairs: readonly PairRow[];
  readonly references: readonly ReferenceRow[];
  readonly nodeImageDigests: readonly DigestsRow[];
  readonly resolve: readonly ResolveRow[];
  readonly collections: readonly CollectionRow[];
  readonly filters: readonly FilterCase[];
  readonly tolerations: readonly TolerationRow[];
  readonly spawnerImages: readonly SpawnerRow[];
}

const cases = readCaseFile('nublado-cases.json') as CaseFile;
const rsp = rspGrammar();
const REPOSITORY = { registry: 'r.example', repository: 'a/b' };

printTally('nublado');

function advised<T extends Row>(row: T): T {
  return { ...row, ...row.advised };
}

/** No registry holds these (Unicode digits, a line feed), and we never take Python's reading of them. */
const NOT_A_TAG = {
  name: 'not-a-registry-tag',
  applies: (row: TagRow) => /\n|(?![0-9])\p{Nd}/u.test(row.tag),
};

function checkIllegalTag({ tag }: TagRow): void {
  expect(rsp.read(tag).tag).toBe(tag === '' ? 'latest' : tag);
}

playCases({
  title: 'tags',
  rows: cases.tags,
  check: (row) => {
    expect(tagFields(rsp.read(row.tag))).toEqual({ ...row.expected, ...row.advised });
  },
  differences: [NOT_A_TAG],
  checkDifferent: checkIllegalTag,
});

playCases({
  title: 'aliasTags',
  rows: cases.aliasTags,
  check: (row) => {
    expect(tagFields(rsp.readAlias(row.tag))).toEqual({ ...row.expected, ...row.advised });
  },
  differences: [NOT_A_TAG],
  checkDifferent: checkIllegalTag,
});

playCases({
  title: 'compare',
  rows: cases.compare,
  check: (original) => {
    const row = advised(original);
    const grammar = rspGrammar(row.aliasTags);
    const read = row.parsedAs === 'alias' ? grammar.readAlias : grammar.read;
    const tags = row.tags.map(read).filter((tag) => row.cycle == null || tag.cycle === row.cycle);
    const sorted = tags.toSorted(grammar.order);
    expect(sorted.map(({ tag }) => tag)).toEqual(row.sortedNewestFirst);
    if (row.withoutArch !== undefined) {
      expect(sorted.filter(({ architecture }) => architecture === null).map(({ tag }) => tag)).toEqual(
        row.withoutArch,
      );
    }
  },
});

playCases({
  title: 'comparePairs',
  rows: cases.comparePairs,
  check: (original) => {
    const row = advised(original);
    expect(Math.sign(rsp.compare(rsp.read(row.a), rsp.read(row.b)))).toBe(row.cmp);
    expect(Math.sign(rsp.compare(rsp.read(row.b), rsp.read(row.a)))).toBe(-row.cmp + 0);
  },
});

/** The distribution grammar, written here by itself: what it refuses, Nublado may still take apart. */
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const HOST = `(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*\\])(?::[0-9]+)?`;
const TAG_AND_DIGEST = '(?::\\w[\\w.-]{0,127})?(?:@(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}))?';
const LEGAL_REFERENCE = new RegExp(`^${HOST}/${COMPONENT}(?:/${COMPONENT})*${TAG_AND_DIGEST}$`);
const FAMILIAR_NAME = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*${TAG_AND_DIGEST}$`);

function isLegalReference(text: string): boolean {
  const name = text.replace(/@.*$/s, '').replace(/:[^/:\]]*$/, '');
  const port = /^[^/]*:([0-9]+)\//.exec(text)?.[1] ?? '0';
  return LEGAL_REFERENCE.test(text) && name.length <= 255 && Number(port) <= 65_535;
}

const referenceDifferences = [
  {
    name: 'reference-outside-the-distribution-grammar',
    applies: (row: ReferenceRow) => row.ok && !isLegalReference(row.in),
  },
  {
    name: 'first-part-is-no-registry',
    applies: (row: ReferenceRow) => row.ok && !/^(?:localhost|[^/]*[.:A-Z][^/]*)\//.test(row.in),
  },
  {
    name: 'familiar-name-without-registry',
    applies: (row: ReferenceRow) => !row.ok && FAMILIAR_NAME.test(row.in),
  },
];

playCases({
  title: 'references',
  rows: cases.references,
  check: (row) => {
    const result = validateReference(row.in);
    expect(result.ok).toBe(row.ok);
    if (!result.ok) return;
    const { registry, repository, tag = null, digest = null } = result.value;
    const { registry: host, repository: path, tag: name, digest: content } = row;
    expect({ registry, repository, tag, digest }).toEqual({
      registry: host,
      repository: path,
      tag: name,
      digest: content,
    });
    expect(formatReference(result.value)).toBe(row.str);
  },
  differences: referenceDifferences,
  checkDifferent: (row, difference) => {
    const result = validateReference(row.in);
    expect(result.ok).toBe(difference !== 'reference-outside-the-distribution-grammar');
    if (result.ok) {
      expect(result.value.registry).toBe('');
      expect(formatReference(result.value)).toBe(row.in);
    }
  },
});

playCases({
  title: 'nodeImageDigests',
  rows: cases.nodeImageDigests,
  check: (row) => {
    expect(imageDigests(row.names)).toEqual(row.allDigests);
  },
  differences: [
    {
      name: 'digest-outside-the-grammar',
      applies: (row) =>
        !row.allDigests.every((digest) => /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(digest)),
    },
  ],
  checkDifferent: (row) => {
    expect(row.allDigests).toEqual(expect.arrayContaining([...imageDigests(row.names)]));
  },
});

function sharedDigest(key: string): Digest {
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

function imageOf(tag: Tag, key = 'a', size: number | null = null): Image {
  return makeImage(REPOSITORY, tag, { digest: sharedDigest(key), size });
}

function readAs(tag: string, how: string | undefined): Tag {
  return how === 'alias' ? rsp.readAlias(tag) : rsp.read(tag);
}

playCases({
  title: 'resolve',
  rows: cases.resolve,
  check: (row) => {
    const names = row.aliasChain ?? [row.alias ?? ''];
    const hows = typeof row.aliasParsedAs === 'string' ? [row.aliasParsedAs] : row.aliasParsedAs;
    const aliases = names.map((name, index) => imageOf(readAs(name, hows[index])));
    expect(aliases.every(isPossibleAlias)).toBe(row.ok);
    if (!row.ok) {
      expect(() => aliases.map((alias) => resolveAlias(alias, imageOf(rsp.read(row.target))))).toThrow(
        'it is a',
      );
      return;
    }
    let target = imageOf(rsp.read(row.target));
    const resolved = aliases.map((alias) => {
      const result = resolveAlias(alias, target);
      target = { ...target, aliases: [...target.aliases, alias.tag].sort() };
      return result;
    });
    expect(resolved.map(imageFields)).toEqual(row.results ?? [row.result]);
    expect(target.aliases).toEqual(row.targetAliases);
    if (row.thenFirstRetargetedTo === undefined) return;
    const moved = resolved
      .slice(0, 1)
      .map((first) => resolveAlias(first, imageOf(rsp.read(row.thenFirstRetargetedTo ?? ''))));
    expect(moved.map(imageFields)).toEqual([row.firstAfterRetarget]);
  },
});

/** Images as listed, not resolved. */
function listingOf(row: CollectionRow): readonly Image[] {
  const grammar = rspGrammar(row.aliasTags, row.config.recommendedTag);
  return row.images.map(({ tag, digest, size }) =>
    imageOf(row.aliasTags.includes(tag) ? grammar.readAlias(tag) : rsp.read(tag), digest, size),
  );
}

function presenceFrom(marks: CollectionRow['marks']): Presence {
  const presence = new Map<string, { nodes: Set<string>; size: number | null }>();
  for (const { node, digest, size } of marks) {
    const seen = presence.get(sharedDigest(digest)) ?? { nodes: new Set(), size: null };
    seen.nodes.add(node);
    if (size !== undefined && size > 0) seen.size = size;
    presence.set(sharedDigest(digest), seen);
  }
  return presence;
}

function tagsOf(images: readonly Image[]): readonly string[] {
  return images.map(({ tag }) => tag);
}

function latestByType(
  collection: ImageCollection,
  types: readonly Tag['type'][],
): Readonly<Record<string, string | null>> {
  return Object.fromEntries(types.map((type) => [TYPE_NAMES[type], collection.latest(type)?.tag ?? null]));
}

/** By config, with or without architecture tags. */
function subsetOf(whole: ImageCollection, config: PrepullerConfig, architectures: boolean): ImageCollection {
  const wanted = new Set([config.recommendedTag, ...(config.pin ?? [])]);
  const counts = { release: config.numReleases, weekly: config.numWeeklies, daily: config.numDailies };
  for (const [type, count] of Object.entries(counts)) {
    const candidates = whole.list({ architectures: !architectures }).filter((image) => image.type === type);
    for (const image of candidates.slice(0, count)) wanted.add(image.tag);
  }
  return whole.subset((image) => wanted.has(image.tag));
}

function describeCollection(row: CollectionRow): Readonly<Record<string, unknown>> {
  const listing = listingOf(row);
  const whole = ImageCollection.resolve(listing, rsp.order, { cycle: row.cycle });
  const marked = whole.withPresence(presenceFrom(row.marks));
  const subset = subsetOf(whole, row.config, false);
  const subtracted = listing.filter((_, index) => row.subtract.includes(index));
  const other = ImageCollection.resolve(subtracted, rsp.order);
  const keys = new Set(row.images.map(({ digest }) => digest));
  return {
    all: whole.images.map(imageFields),
    visible: tagsOf(whole.list()),
    hideAliased: tagsOf(whole.list({ aliased: true })),
    hideResolvedAliases: tagsOf(whole.list({ resolvedAliases: true })),
    latest: latestByType(whole, TAG_TYPES),
    byDigest: Object.fromEntries(
      [...keys].map((key) => [key, whole.imageForDigest(sharedDigest(key))?.tag ?? null]),
    ),
    subset: {
      all: subset.images.map(imageFields),
      visible: tagsOf(subset.list()),
      hideAliased: tagsOf(subset.list({ aliased: true })),
      latest: latestByType(subset, ['release', 'weekly', 'daily']),
      changedParentImages: [],
      tagsWithArch: tagsOf(subsetOf(whole, row.config, true).images),
    },
    nodes: Object.fromEntries(
      marked.images.filter(({ nodes }) => nodes.size > 0).map(({ tag, nodes }) => [tag, [...nodes].sort()]),
    ),
    sizes: Object.fromEntries(
      marked.images.filter(({ size }) => size !== null).map(({ tag, size }) => [tag, size]),
    ),
    prepulled: row.nodeSets.map((nodes) => ({
      nodes,
      tags: tagsOf(marked.images.filter((image) => isOnAll(image, new Set(nodes)))),
    })),
    subtractRemaining: tagsOf(whole.subtract(other).images),
  };
}

playCases({
  title: 'collections',
  rows: cases.collections,
  check: (row) => {
    // Ties may come in any order; ours is the listing order, as in the rows.
    const { ties, ...expected } = { ...row.expected, ...row.advised };
    expect(ties === undefined || Array.isArray(ties)).toBe(true);
    expect(describeCollection(row)).toEqual(expected);
  },
});

playCases({
  title: 'filters',
  rows: cases.filters,
  check: (original) => {
    const row = advised(original);
    const grammar = rspGrammar(row.aliasTags);
    const tags = row.tags.map(grammar.read).toSorted(grammar.order);
    const considered = tags.filter(({ architecture }) => !row.removeArchSpecific || architecture === null);
    const kept = [
      ...displayed(tags, displayPolicy(row.policy), Date.parse(row.ageBasis), !row.removeArchSpecific),
    ];
    expect(kept.map(({ tag }) => tag)).toEqual(row.kept);
    expect(considered.filter((tag) => !kept.includes(tag)).map(({ tag }) => tag)).toEqual(row.removed);
  },
});

playCases({
  title: 'tolerations',
  rows: cases.tolerations,
  check: (row) => {
    expect(row.tolerations.every((toleration) => validateToleration(toleration).ok)).toBe(row.ok);
    if (!row.ok) return;
    const taint = untoleratedTaint(row.taints, row.tolerations);
    expect(taint === undefined).toBe(row.eligible);
    expect(taint === undefined ? null : taintMessage(taint)).toBe(row.comment);
  },
  differences: [
    {
      name: 'equal-without-value',
      applies: (row) =>
        !row.ok &&
        row.tolerations.some(
          ({ operator, key, value }) => operator !== 'Exists' && key !== undefined && value === undefined,
        ),
    },
  ],
});

const LOOKUP_ERRORS: Readonly<Record<string, string>> = {
  UnknownImage: 'UnknownDockerImageError',
  TagMissing: 'InvalidDockerReferenceError',
};

/** What a lookup answers; a digest that is not known yet is the registry's, as the original asks it. */
function lookup(source: SourceImages, { tag, reference }: Lookup): Readonly<Record<string, unknown>> {
  const found: Result<Image> =
    tag === undefined ? imageForReference(source, parseReference(reference ?? '')) : imageForTag(source, tag);
  if (!found.ok) return { error: LOOKUP_ERRORS[found.error] };
  const digest = found.value.digest ?? source.plan.listing.listed.get(found.value.tag)?.digest ?? null;
  return {
    result: {
      reference: imageReferenceWithDigest({ ...found.value, digest }),
      name: found.value.displayName,
    },
  };
}

function pullStatusJson(source: SourceImages, row: SpawnerRow): unknown {
  const { prepulled, pending } = pullStatus(source);
  const entry = ({ reference, image, nodes, missing }: (typeof prepulled)[number]): unknown => ({
    reference,
    tag: image.tag,
    name: image.displayName,
    digest: image.digest,
    size: image.size,
    nodes,
    missing,
  });
  return {
    images: { prepulled: prepulled.map(entry), pending: pending.map(entry) },
    nodes: row.nodes.map(({ name, taints }) => {
      const taint = untoleratedTaint(taints, row.tolerations);
      return {
        name,
        eligible: taint === undefined,
        comment: taint === undefined ? null : taintMessage(taint),
        cached: [...prepulled, ...pending]
          .filter(({ nodes }) => nodes.includes(name))
          .map(({ reference }) => reference),
      };
    }),
  };
}

/** The original lists a node's images in the order of the status: everything selected, whichever list it is in. */
function sortCached(prepulls: unknown): unknown {
  const { images, nodes } = prepulls as { images: unknown; nodes: { cached: string[] }[] };
  return { images, nodes: nodes.map((node) => ({ ...node, cached: node.cached.toSorted() })) };
}

function missingByNode(source: SourceImages, row: SpawnerRow): Readonly<Record<string, readonly string[]>> {
  const lists = row.nodes.map(({ name }) => [name, tagsOf(missingImages(source, name))] as const);
  return Object.fromEntries(lists.filter(([, tags]) => tags.length > 0));
}

function prepullEverything(source: SourceImages, row: SpawnerRow): SourceImages {
  return row.nodes.reduce(
    (before, { name }) =>
      missingImages(before, name).reduce(
        (state, { digest }) => (digest === null ? state : markPrepulled(state, digest, name)),
        before,
      ),
    source,
  );
}

playCases({
  title: 'spawnerImages',
  rows: cases.spawnerImages,
  check: (original) => {
    const row = advised(original);
    const source = runService(row);
    expect(spawnerImages(source)).toEqual(row.json);
    expect(menuImages(source)).toEqual(row.menu);
    expect(dropdownImages(source, Date.parse(row.now))).toEqual(row.dropdown);
    expect(missingByNode(source, row)).toEqual(row.missingByNode);
    expect(sortCached(pullStatusJson(source, row))).toEqual(sortCached(row.prepulls));
    for (const imageClass of IMAGE_CLASSES) {
      const image = imageForClass(source, imageClass);
      const answer = image && { reference: imageReferenceWithDigest(image), name: image.displayName };
      expect(answer ?? { error: 'UnknownDockerImageError' }).toEqual(row.imageForClass[imageClass]);
    }
    for (const asked of row.lookups) {
      const { result, error } = asked;
      expect(lookup(source, asked)).toEqual(result === undefined ? { error } : { result });
    }
    const after = prepullEverything(source, row);
    expect(
      spawnerImages(after)
        .all.filter(({ prepulled }) => prepulled)
        .map(({ tag }) => tag),
    ).toEqual(row.afterPrepull.prepulledTags);
    expect(menuImages(after)).toEqual(row.afterPrepull.menu);
    expect(missingByNode(after, row)).toEqual(row.afterPrepull.missingByNode);
  },
});

describe('aliases', () => {
  it('lists the target among all names of an image, once', () => {
    const target = imageOf(rsp.read('w_2077_45'));
    expect(allAliases(resolveAlias(imageOf(rsp.read('latest')), target))).toEqual(['w_2077_45']);
  });
});
