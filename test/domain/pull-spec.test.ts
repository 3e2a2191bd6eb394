import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  architectureOf,
  buildDigestSpec,
  buildPullInfo,
  buildTagSpec,
  type DigestSpec,
  digestSpecForType,
  selectLabels,
  validatePullSpec,
} from '../../src/domain/pull-spec.ts';

const REPOSITORY = { registry: 'r.io', repository: 'a/b' };
const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

function spec(digest: string, mediaType?: string): DigestSpec {
  return buildDigestSpec(REPOSITORY, `sha256:${digest}`, { mediaType });
}

describe('buildPullInfo', () => {
  it('puts indexes first, schema 1 and unknown types last, and keeps the order of equals', () => {
    const info = buildPullInfo(
      [],
      [spec('0'), spec('1', SCHEMA1), spec('2', MANIFEST), spec('3', LIST), spec('4', INDEX), spec('5', 'x')],
    );
    expect(info.digestSpecs.map(({ digest }) => digest.slice(7))).toEqual(['3', '4', '2', '1', '0', '5']);
    expect(info.mediaTypes).toEqual([LIST, INDEX, MANIFEST, SCHEMA1, 'x']);
  });

  it('merges duplicates: the first position and type hold, a missing type and platform are filled in', () => {
    const platform = { os: 'linux', architecture: 'amd64' };
    const typed = buildDigestSpec(REPOSITORY, 'sha256:1', { mediaType: MANIFEST, platform });
    expect(typed.platform).toEqual(platform);
    expect(spec('1')).not.toHaveProperty('platform');
    expect(buildPullInfo([], [spec('1'), typed, spec('1', LIST)]).digestSpecs).toEqual([typed]);
    expect(buildPullInfo([], [spec('1', MANIFEST), spec('1', LIST)]).mediaTypes).toEqual([MANIFEST]);
  });

  it('joins the media types of one tag and keeps the order of tags', () => {
    const info = buildPullInfo(
      [
        buildTagSpec(REPOSITORY, 'b', [LIST]),
        buildTagSpec(REPOSITORY, 'a'),
        buildTagSpec(REPOSITORY, 'b', [MANIFEST, LIST]),
      ],
      [],
    );
    expect(info.tagSpecs.map(({ tag, mediaTypes }) => [tag, mediaTypes])).toEqual([
      ['b', [LIST, MANIFEST]],
      ['a', []],
    ]);
  });

  it('is idempotent and loses nothing', () => {
    const anySpec = fc.tuple(
      fc.constantFrom('1', '2', '3', '4'),
      fc.constantFrom(undefined, LIST, INDEX, MANIFEST, SCHEMA1, 'x'),
    );
    fc.assert(
      fc.property(fc.array(anySpec, { maxLength: 10 }), (pairs) => {
        const specs = pairs.map(([digest, type]) => spec(digest, type));
        const once = buildPullInfo([], specs);
        expect(buildPullInfo([], once.digestSpecs)).toEqual(once);
        expect(new Set(once.digestSpecs.map(({ digest }) => digest))).toEqual(
          new Set(specs.map(({ digest }) => digest)),
        );
        expect(new Set(once.digestSpecs.map(({ reference }) => reference)).size).toBe(
          once.digestSpecs.length,
        );
      }),
    );
  });
});

describe('digestSpecForType', () => {
  it('finds the first of exactly this type', () => {
    const info = buildPullInfo([], [spec('1', MANIFEST), spec('2', MANIFEST)]);
    expect(digestSpecForType(info, MANIFEST)?.digest).toBe('sha256:1');
    expect(digestSpecForType(info, LIST)).toBeUndefined();
  });
});

describe('validatePullSpec', () => {
  it.each([
    ['ubuntu', { registry: 'docker.io', repository: 'library/ubuntu', tag: 'latest' }],
    ['r.io/a:1', { registry: 'r.io', repository: 'a', tag: '1' }],
    [
      `r.io/a@sha256:${'a'.repeat(64)}`,
      { registry: 'r.io', repository: 'a', digest: `sha256:${'a'.repeat(64)}` },
    ],
  ])('%s', (text, reference) => {
    expect(validatePullSpec(text)).toEqual({ ok: true, value: reference });
  });

  it.each(['', 'r.io/a:', 'https://r.io/a', 'r.io/a:1\n', 'r.io/A'])('refuses %j', (text) => {
    expect(validatePullSpec(text).ok).toBe(false);
  });
});

describe('architectureOf', () => {
  it('believes the configuration, then the platform, then the label', () => {
    expect(architectureOf({ config: 'arm64', platform: 'amd64', label: 's390x' })).toBe('arm64');
    expect(architectureOf({ config: '', platform: 'x86_64' })).toBe('amd64');
    expect(architectureOf({ label: 'aarch64' })).toBe('arm64');
    expect(architectureOf({})).toBeUndefined();
  });
});

describe('selectLabels', () => {
  it('keeps the known prefixes, sorted and bounded, and no cut values', () => {
    const labels = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`com.redhat.${String(index).padStart(2, '0')}`, 'v']),
    );
    const selected = selectLabels({
      'org.opencontainers.image.source': 's',
      'com.redhat.long': 'x'.repeat(257),
      other: 'o',
      ...labels,
    });
    expect(Object.keys(selected)).toHaveLength(32);
    expect(Object.keys(selected)[0]).toBe('com.redhat.00');
    expect(selected).not.toHaveProperty('com.redhat.long');
    const [longest, tooLong] = ['x'.repeat(256), 'x'.repeat(257)];
    const bounded = selectLabels({
      'com.redhat.a': longest,
      'com.redhat.b': tooLong,
      [`com.redhat.${tooLong}`]: 'v',
    });
    expect(bounded).toEqual({ 'com.redhat.a': longest });
    expect(selectLabels({ other: 'o', mine: 'm' }, ['mi'])).toEqual({ mine: 'm' });
  });
});
