/** The pushsource groups of ufdl-pushsource-cases.json: pure ones directly, registry ones over HTTP. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  architectureOf,
  buildDigestSpec,
  buildPullInfo,
  buildTagSpec,
  digestSpecForType,
  type PullInfo,
  selectLabels,
  validatePullSpec,
} from '../../src/domain/pull-spec.ts';
import { readPushItem } from '../../src/domain/push-item.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { parseChallenges } from '../../src/registry/challenge.ts';
import { computeDigest } from '../../src/registry/content-digest.ts';
import { anonymous, parseDockerConfig } from '../../src/registry/keychain.ts';
import { DOCKER_LIST, DOCKER_SCHEMA1_SIGNED } from '../../src/registry/media-types.ts';
import { describeBuild, type KojiBuild, replaceTag } from '../support/koji-build.ts';
import { playRegistryHttp, playRegistrySource } from '../support/pushsource-registry.ts';

interface Case {
  readonly id?: string;
  readonly input?: never;
  readonly observed?: never;
  readonly ours?: unknown;
  readonly [field: string]: unknown;
}

const FOLDER = process.env['LARDER_CASES'] ?? join(import.meta.dirname, 'data');
const { pushsource } = JSON.parse(readFileSync(join(FOLDER, 'ufdl-pushsource-cases.json'), 'utf8')) as {
  pushsource: Readonly<Record<string, readonly Case[]>>;
};

const REPOSITORY = { registry: 'r.io', repository: 'a/b' };
/** pushsource's own two prefixes. */
const PUSHSOURCE_PREFIXES = ['operators.operatorframework.', 'com.redhat.'];

/** How the cases of each group came out; printed at the end. */
const tally = new Map<string, { passed: number; different: number; failed: number }>();

function group(
  name: string,
  check: (row: Case) => 'different' | undefined | Promise<'different' | undefined>,
): void {
  const counts = { passed: 0, different: 0, failed: 0 };
  tally.set(name, counts);
  describe(name, () => {
    it.each((pushsource[name] ?? []).map((row, index) => [row.id ?? `case ${index}`, row] as const))(
      '%s',
      async (_, row) => {
        counts.failed++;
        const outcome = await check(row);
        counts.failed--;
        counts[outcome ?? 'passed']++;
      },
    );
  });
}

afterAll(() => {
  for (const [name, counts] of tally) process.stdout.write(`pushsource ${name} ${JSON.stringify(counts)}\n`);
});

function isError(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'error' in value;
}

/** Fields named in `ours` replace those observed. */
function wanted(row: Case): Readonly<Record<string, unknown>> {
  const observed = row.observed as unknown as Readonly<Record<string, unknown>>;
  return { ...observed, ...(typeof row.ours === 'object' ? row.ours : {}) };
}

/** pushsource checks neither digests nor characters, and tolerates a line break: the grammar refuses those. */
const OUTSIDE_GRAMMAR = /[\sA-Z]|[^\w.:/@[\]-]|@sha\d+:(?![0-9a-f]{64}$|[0-9a-f]{128}$)|@(?!sha)|^[^/]*:\//;
/** By the distribution grammar a first component is a registry only with "." or ":", or as localhost. */
const NAMES_REGISTRY = /^(localhost|[^/]*[.:][^/]*)$/;

group('parsePullSpec', (row) => {
  const text = row.input as unknown as string;
  const parsed = validatePullSpec(text);
  const isRefused = row.ours === 'invalid' || (row.ours === undefined && isError(row.observed));
  if (isRefused || (row.ours === undefined && OUTSIDE_GRAMMAR.test(text))) {
    expect(parsed.ok).toBe(false);
    return isRefused ? undefined : 'different';
  }
  if (!parsed.ok) throw new Error(parsed.error.message);
  const expected = wanted(row);
  const named = ['registry', 'repository', 'tag', 'digest'].filter(
    (field) => typeof expected[field] === 'string',
  );
  if (NAMES_REGISTRY.test(String(expected['registry']))) {
    expect(parsed.value).toEqual(Object.fromEntries(named.map((field) => [field, expected[field]])));
    return undefined;
  }
  expect(parsed.value).toMatchObject({
    registry: 'docker.io',
    repository: `${String(expected['registry'])}/${String(expected['repository'])}`,
  });
  return 'different';
});

group('pullInfo', (row) => {
  const { tags, digests } = row.input as unknown as {
    tags: [string, string[]][];
    digests: [string, string | null][];
  };
  const info = buildPullInfo(
    tags.map(([tag, types]) => buildTagSpec(REPOSITORY, tag, types)),
    digests.map(([digest, mediaType]) =>
      buildDigestSpec(REPOSITORY, digest, { mediaType: mediaType ?? undefined }),
    ),
  );
  if (isError(row.observed)) {
    expect(info.tagSpecs).toEqual([]);
    return 'different';
  }
  return comparePullInfo(info, row, digests);
});

/** A later duplicate that is typed fills in a missing type with us; pushsource loses it. */
function fillsMissingType(digests: readonly (readonly [string, string | null])[]): boolean {
  const firstTypes = new Map([...digests].reverse());
  return digests.some(([digest, type]) => type !== null && firstTypes.get(digest) === null);
}

function comparePullInfo(
  info: PullInfo,
  row: Case,
  digests: readonly (readonly [string, string | null])[],
): 'different' | undefined {
  const expected = wanted(row);
  const ours = info.digestSpecs.map(({ digest, mediaType = null }) => [digest, mediaType]);
  if (row.ours === undefined && fillsMissingType(digests)) {
    expect(new Set(ours.map(([digest]) => digest))).toEqual(new Set(digests.map(([digest]) => digest)));
    return 'different';
  }
  expect(info.tagSpecs.map(({ tag, mediaTypes }) => [tag, mediaTypes])).toEqual(expected['tags']);
  expect(ours).toEqual(expected['digests']);
  // Where our order differs from pushsource's, only its set of types can be compared.
  const types =
    row.ours === undefined
      ? expected['media_types']
      : [...new Set(expected['media_types'] as string[])].sort();
  expect(row.ours === undefined ? info.mediaTypes : [...info.mediaTypes].sort()).toEqual(types);
  const byType = Object.entries((expected['digest_spec_for_type'] ?? {}) as Record<string, string | null>);
  // pushsource can be asked for specs without a type; a type is always a text with us.
  for (const [type, digest] of byType.filter(([name]) => name.includes('/') || name.includes('-'))) {
    expect(digestSpecForType(info, type)?.digest ?? null).toBe(digest);
  }
  return row.ours === undefined ? undefined : 'different';
}

group('arch', (row) => {
  const extra = row['archiveExtra'] as {
    docker?: { config?: { architecture?: string } };
    image?: { arch?: string };
  } | null;
  const found = architectureOf({ config: extra?.docker?.config?.architecture, platform: extra?.image?.arch });
  expect(found ?? null).toBe(row.ours ?? row.observed ?? null);
  return undefined;
});

group('labels', (row) => {
  expect(selectLabels(row.input as unknown as Record<string, string>, PUSHSOURCE_PREFIXES)).toEqual(
    row.observed,
  );
  return undefined;
});

group('tagSpecsFromBuild', (row) => {
  const { pull, unique_tags: uniqueTags } = row as unknown as { pull: string[]; unique_tags: string[] };
  const floating = pull.filter((spec) => !spec.includes('@')).map((spec) => parseReference(spec));
  const specs = floating.map((reference) => buildTagSpec(reference, reference.tag ?? ''));
  expect(replaceTag(specs, uniqueTags[0] ?? '').map(({ reference }) => reference)).toEqual(
    row.ours ?? row.observed,
  );
  return undefined;
});

group('digestTypes', (row) => {
  const { pull, digests } = row as unknown as { pull: string[]; digests: Record<string, string> };
  const types = new Map(Object.entries(digests).map(([type, digest]) => [digest, type]));
  const specs = pull.flatMap((spec) => {
    const digest = spec.split('@')[1];
    return digest === undefined
      ? []
      : [buildDigestSpec(REPOSITORY, digest, { mediaType: types.get(digest) })];
  });
  expect(specs.map(({ digest, mediaType = null }) => [digest, mediaType])).toEqual(row.ours ?? row.observed);
  return undefined;
});

group('pushItemFields', (row) => {
  const read = readPushItem(row.input as unknown as Record<string, unknown>);
  if (isError(row.ours ?? row.observed)) {
    expect(read.ok).toBe(false);
    return undefined;
  }
  if (!read.ok) throw new Error(read.error);
  const observed = wanted(row);
  expect(read.value.state).toBe(observed['state']);
  expect(read.value.dest).toEqual(observed['dest']);
  expect(read.value.signingKey ?? null).toBe(observed['signing_key']);
  expect(read.value.destSigningKey ?? null).toBe(observed['dest_signing_key']);
  expect(read.value.sha256sum ?? null).toBe(observed['sha256sum']);
  return undefined;
});

group('kojiBuild', (row) => {
  const build = row.input as unknown as KojiBuild | undefined;
  const described = describeBuild(build);
  if (isError(row.observed)) expect(described.ok).toBe(false);
  else
    expect(described.ok && described.value).toEqual(expectedBuild(row.observed as unknown as ObservedItem[]));
  return undefined;
});

interface ObservedItem {
  readonly type: string;
  readonly arch?: string;
  readonly pull_info?: {
    readonly tag_specs: readonly { tag: string; media_types: string[] }[];
    readonly digest_specs: readonly { digest: string; media_type: string | null }[];
    readonly media_types: readonly string[];
  };
  readonly related_images?: readonly string[];
}

function expectedBuild(items: readonly ObservedItem[]): unknown {
  return {
    images: items.flatMap(({ type, arch, pull_info: info }) =>
      info === undefined
        ? []
        : [
            {
              isSource: type === 'SourceContainerImagePushItem',
              architecture: arch,
              tags: info.tag_specs.map(({ tag, media_types: types }) => [tag, types]),
              digests: info.digest_specs.map(({ digest, media_type: type }) => [digest, type ?? undefined]),
              mediaTypes: [...new Set(info.media_types)],
            },
          ],
    ),
    relatedImages: items.flatMap(({ related_images: images }) => images ?? []),
  };
}

group('manifestDigest', (row) => {
  const raw = Buffer.from(row['rawManifest'] as string);
  const mediaType = (row.id ?? '').includes('signed') ? DOCKER_SCHEMA1_SIGNED : DOCKER_LIST;
  expect(computeDigest(raw, mediaType)).toBe(row.ours ?? row.observed);
  expect(computeDigest(raw, DOCKER_LIST)).toBe(`sha256:${createHash('sha256').update(raw).digest('hex')}`);
  return undefined;
});

group('wwwAuthenticate', (row) => {
  const [first] = parseChallenges((row['header'] as string | null) ?? '');
  if (isError(row.observed)) expect(first).toBeUndefined();
  else expect(Object.fromEntries(first?.parameters ?? [])).toEqual(row.ours ?? row.observed);
  return undefined;
});

group('dockerConfigAuth', async (row) => {
  const { auths, host } = row as unknown as { auths: string; host: string };
  const entry = auths.includes('without auth') ? {} : { auth: Buffer.from(auths).toString('base64') };
  // The hosts of the cases have no dot; a port makes them registries by the distribution grammar too.
  const registry = host.includes('.') ? host : `${host}:443`;
  const config = parseDockerConfig(JSON.stringify({ auths: { [registry]: entry } }));
  const [found = anonymous] = config.ok ? await config.value.find({ registry, repository: 'a' }) : [];
  const pair = found.kind === 'basic' ? [found.username, found.password] : [null, null];
  // pushsource splits at every ":" and fails on a password that holds one; we split at the first.
  const hasColon = auths.split(':').length > 2;
  const first = auths.indexOf(':');
  expect(pair).toEqual(
    hasColon ? [auths.slice(0, first), auths.slice(first + 1)] : (row.ours ?? row.observed),
  );
  return hasColon ? 'different' : undefined;
});

group('registrySource', playRegistrySource);
group('registryHttp', playRegistryHttp);
