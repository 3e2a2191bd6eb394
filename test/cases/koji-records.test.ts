/** The real builds of the kojiBuild group, as what a registry would say of them: how a record's status shows them. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type DockerImageRecordStatus,
  dockerImageRecordDefinition,
} from '../../src/api/docker-image-record.ts';
import { recordStatusSchema } from '../../src/api/record-status.ts';
import { fitStatus } from '../../src/api/status-limits.ts';
import { findBundle } from '../../src/controllers/docker-image-record/bundle.ts';
import { describeRecord } from '../../src/controllers/docker-image-record/describe.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { Reference } from '../../src/domain/reference.ts';
import { anonymousAccess } from '../../src/registry/access.ts';
import { bundleFacts } from '../../src/registry/bundle.ts';
import type { ResolvedImage } from '../../src/registry/image-resolver.ts';
import { DOCKER_LIST, DOCKER_MANIFEST } from '../../src/registry/media-types.ts';
import { dockerImageRecord } from '../support/builders.ts';

interface TagSpec {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly media_types: readonly string[];
}

interface DigestSpec {
  readonly digest: string;
  readonly media_type: string | null;
}

interface Item {
  readonly type: string;
  readonly arch?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly related_images?: readonly string[];
  readonly pull_info?: {
    readonly tag_specs: readonly TagSpec[];
    readonly digest_specs: readonly DigestSpec[];
  };
}

interface KojiCase {
  readonly id: string;
  readonly observed: readonly Item[] | { readonly error: string };
}

const FOLDER = process.env['LARDER_CASES'] ?? join(import.meta.dirname, 'data');
const { pushsource } = JSON.parse(readFileSync(join(FOLDER, 'ufdl-pushsource-cases.json'), 'utf8')) as {
  readonly pushsource: { readonly kojiBuild: readonly KojiCase[] };
};

const NOW = Date.UTC(2026, 0, 1);
const SIGNAL = new AbortController().signal;

/** Items of images of one build; each holds the specs of the index and its own. */
function imagesOf({ observed }: KojiCase): readonly Item[] {
  return 'error' in observed ? [] : observed.filter((item) => item.pull_info !== undefined);
}

function digestOfType(item: Item, mediaType: string): Digest | undefined {
  return item.pull_info?.digest_specs.find(({ media_type: type }) => type === mediaType)?.digest as
    | Digest
    | undefined;
}

/** What a registry that holds the build would answer for its tag. */
function answer(items: readonly Item[]): ResolvedImage {
  const [first] = items;
  const index = first && digestOfType(first, DOCKER_LIST);
  const platforms = items.flatMap((item) => {
    const digest = digestOfType(item, DOCKER_MANIFEST);
    const { arch = '', labels = {} } = item;
    return digest === undefined
      ? []
      : [{ os: 'linux', architecture: arch, digest, mediaType: DOCKER_MANIFEST, labels }];
  });
  const only = platforms[0]?.digest;
  if (only === undefined) throw new Error('a build without images');
  const warnings: readonly string[] = [];
  return index === undefined
    ? { digest: only, mediaType: DOCKER_MANIFEST, platforms, warnings }
    : { digest: index, mediaType: DOCKER_LIST, platforms, warnings };
}

function referenceOf(items: readonly Item[]): Reference {
  const { registry = '', repository = '', tag = '' } = items[0]?.pull_info?.tag_specs[0] ?? {};
  return { registry, repository, tag };
}

const cases = pushsource.kojiBuild.filter((each) => imagesOf(each).length > 0);

describe.each(cases.map((each) => [each.id, each] as const))('koji build %s', (_, each) => {
  const items = imagesOf(each);
  const reference = referenceOf(items);
  const isSource = items.some(({ type }) => type.startsWith('Source'));
  const record = dockerImageRecord({ spec: { contentKind: isSource ? 'Source' : 'Runnable' } });
  const fields = describeRecord(record, {}, { reference, found: answer(items), now: NOW });
  const status: DockerImageRecordStatus = fitStatus(dockerImageRecordDefinition, fields);

  it('has the index first, then what each architecture has, in the order of the build', () => {
    const specs = status.pullInfo?.digestSpecs ?? [];
    for (const item of items) {
      const own = specs.filter(
        ({ platform }) => platform === undefined || platform.architecture === item.arch,
      );
      const wanted = (item.pull_info?.digest_specs ?? []).filter(
        ({ media_type: type }) => type === DOCKER_LIST || type === DOCKER_MANIFEST,
      );
      expect(own.map(({ digest, mediaType }) => [digest, mediaType])).toEqual(
        wanted.map(({ digest, media_type: type }) => [digest, type]),
      );
    }
  });

  it('is pulled by the tag that names the index', () => {
    const [first] = items;
    expect(status.pullInfo?.tagSpecs).toMatchObject([{ tag: first?.pull_info?.tag_specs[0]?.tag }]);
  });

  it('has one entry a platform', () => {
    expect(status.platforms?.map(({ architecture, digest }) => [architecture, digest])).toEqual(
      items.map((item) => [item.arch, digestOfType(item, DOCKER_MANIFEST)]),
    );
  });

  it('shows its labels, those of one platform', () => {
    const short = Object.entries(items[0]?.labels ?? {}).filter(([, value]) => value.length <= 256);
    expect(status.labels ?? {}).toMatchObject(Object.fromEntries(short));
  });

  it('is a source image if the build is one', () => {
    expect(status.source?.isSource).toBe(isSource);
  });

  it('is a status that the API server takes', () => {
    expect(recordStatusSchema.safeParse(JSON.parse(JSON.stringify(status))).error).toBeUndefined();
  });

  const manifests = 'error' in each.observed ? [] : each.observed;
  const related = manifests.flatMap(({ related_images: images }) => images ?? []);

  if (related.length === 0) return;
  it('brings as an operator bundle the images it uses', async () => {
    const facts = bundleFacts(items[0]?.labels ?? {});
    if (facts === undefined) return;
    const bundle = await findBundle(reference, {
      registry: {
        readBundle: () => Promise.resolve({ ...facts, relatedImages: related }),
        headDigest: () => Promise.reject(new Error('only images of the same registry are asked for')),
      },
      access: anonymousAccess,
      signal: SIGNAL,
    });
    expect(bundle).toMatchObject({
      package: facts.package,
      channels: facts.channels,
      defaultChannel: facts.defaultChannel,
      relatedImages: related.slice(0, 32),
      relatedImageCount: related.length,
    });
  });
});
