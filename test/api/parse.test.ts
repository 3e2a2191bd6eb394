import { expect, test } from 'vitest';
import { parseDockerImageRecord, parseImageSource, parsePrepulledImage } from '../../src/api/parse.ts';
import { SIGNATURE_TAGS } from '../../src/api/tag-rules.ts';
import { limitTerms } from '../../src/domain/hardware-terms.ts';
import type { NodeScope } from '../../src/domain/node.ts';
import {
  dockerImageRecordManifest,
  imageSource,
  imageSourceManifest,
  prepulledImage,
  prepulledImageManifest,
} from '../support/builders.ts';

test('a minimal ImageSource gets every default', () => {
  const parsed = parseImageSource(imageSourceManifest());
  expect(parsed.ok && parsed.value.spec).toEqual({
    image: 'registry.example.org/sciplat/lab',
    interval: '5m',
    timeout: '1m',
    suspend: false,
    access: { plainHTTP: false, provider: 'None' },
    tags: { grammar: 'SemVer', recommended: 'recommended', exclude: [SIGNATURE_TAGS] },
    digests: 'Named',
    retire: 'Delete',
    guard: { maxTags: 100_000, maxRemovedPercent: 50 },
    allowDowngrade: false,
    webhook: { enabled: false },
  });
});

test('the template of children gets its own, once it is there', () => {
  const parsed = parseImageSource(imageSourceManifest({ spec: { prepull: {} } }));
  expect(parsed.ok && parsed.value.spec.prepull).toEqual({
    pull: { by: 'Digest', timeout: '10m', priority: 50, verifyInterval: '6h' },
    keepWarm: false,
    minReady: '100%',
  });
});

test('null fields are as good as absent ones, null entries are not', () => {
  const manifest = prepulledImageManifest();
  const spec = { ...manifest.spec, interval: null, nodes: { tolerations: null } };
  expect(parsePrepulledImage({ ...manifest, spec }).ok).toBe(true);
  const broken = parsePrepulledImage({ ...manifest, spec: { ...spec, aliases: [null] } });
  expect(!broken.ok && broken.error).toEqual([
    'spec.aliases[0]: Invalid input: expected string, received null',
  ]);
});

test('each problem is one line with its place', () => {
  const manifest = imageSourceManifest({
    spec: { image: 'nginx:1.25', select: [{ name: 'a', type: 'weekly', semver: '>=1' }] },
  });
  const parsed = parseImageSource(manifest);
  expect(!parsed.ok && parsed.error).toEqual([
    'spec.image: image is registry/repository without a tag; choose tags with spec.select',
    "spec.image: image must begin with the registry's host, such as docker.io/library/nginx instead of nginx",
    'spec.select[0]: give exactly one of type, semver, pattern and tags',
  ]);
});

test.each([parseImageSource, parsePrepulledImage, parseDockerImageRecord])(
  '%o refuses another kind',
  (parse) => {
    for (const object of [null, 'text', [], {}, { kind: 'Pod' }]) expect(parse(object).ok).toBe(false);
  },
);

test('fields that the schema lacks are refused, as kubectl does; metadata and status are not ours', () => {
  const manifest = dockerImageRecordManifest();
  const metadata = { ...manifest.metadata, managedFields: [{ manager: 'x' }] };
  expect(parseDockerImageRecord({ ...manifest, metadata, status: { colour: 'red' } }).ok).toBe(true);
  const select = [{ name: 'a', type: 'weekly', newst: 1 }];
  const spec = {
    ...imageSourceManifest().spec,
    colour: { red: 1 },
    select,
    prepull: { pull: { By: 'Tag' } },
  };
  expect(parseImageSource({ ...imageSourceManifest(), spec })).toEqual({
    ok: false,
    error: [
      'spec.colour: there is no such field',
      'spec.select[0].newst: there is no such field',
      'spec.prepull.pull.By: there is no such field',
    ],
  });
  const labels = { 'a/b': 'c', __proto: 'x' };
  const image = prepulledImageManifest({ spec: { nodes: { nodeSelector: labels } } });
  expect(parsePrepulledImage(image).ok).toBe(true);
});

test('builders merge deeply, replace lists and remove what is undefined', () => {
  const object = prepulledImage({ spec: { pull: { by: 'Both' }, interval: '1h' } });
  expect(object.spec.pull).toMatchObject({ by: 'Both', timeout: '10m' });
  expect(imageSource({ metadata: { generation: 7 } }).metadata).toMatchObject({ name: 'lab', generation: 7 });
  const record = dockerImageRecordManifest({ spec: { cpu: true, minHardwareGeneration: undefined } });
  expect('minHardwareGeneration' in record.spec).toBe(false);
});

test('the nodes of a spec are what the domain reads', () => {
  const scope: NodeScope | undefined = prepulledImage({ spec: { nodes: { nodeSelector: { a: 'b' } } } }).spec
    .nodes;
  expect(scope?.nodeSelector).toEqual({ a: 'b' });
});

test('the terms that hardware limits become are terms of a spec', () => {
  const limits = { cpu: false, cuda: '11.1', minDriver: '455.23.05', minCompute: '7.5' };
  const terms = limitTerms(limits, undefined);
  const nodes = { nodeSelectorTerms: terms.ok ? terms.value : [] };
  expect(
    parsePrepulledImage({ ...prepulledImageManifest(), spec: { ...prepulledImageManifest().spec, nodes } })
      .ok,
  ).toBe(true);
  expect(terms.ok && terms.value).toHaveLength(12);
});
