import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compressedSize,
  type ManifestDocument,
  parseImageConfig,
  parseManifest,
} from '../../src/registry/manifest.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  DOCKER_SCHEMA1,
  DOCKER_SCHEMA1_SIGNED,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../src/registry/media-types.ts';
import { sha256 } from '../support/fake-registry.ts';

function parse(document: unknown, contentType: string): ManifestDocument | string {
  const parsed = parseManifest(Buffer.from(JSON.stringify(document)), contentType);
  return parsed.ok ? parsed.value : parsed.error.message;
}

const CONFIG = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256('c'), size: 10 };
const LAYER = { mediaType: 'x', digest: sha256('l'), size: 100 };

describe('parseManifest', () => {
  it.each([
    [`${OCI_INDEX}; charset=utf-8`, { manifests: [] }, 'index', OCI_INDEX],
    [DOCKER_LIST, { manifests: [] }, 'index', DOCKER_LIST],
    [DOCKER_LIST.toUpperCase(), { manifests: [] }, 'index', DOCKER_LIST],
    ['', { manifests: [] }, 'index', OCI_INDEX],
    ['application/json', { mediaType: DOCKER_LIST, manifests: [] }, 'index', DOCKER_LIST],
    ['text/plain', { config: CONFIG, layers: [] }, 'image', OCI_MANIFEST],
    [DOCKER_MANIFEST, { config: CONFIG, layers: [] }, 'image', DOCKER_MANIFEST],
    ['text/plain', { fsLayers: [] }, 'schema1', DOCKER_SCHEMA1],
    ['', { fsLayers: [], signatures: [] }, 'schema1', DOCKER_SCHEMA1_SIGNED],
    [DOCKER_SCHEMA1_SIGNED, { architecture: 'amd64' }, 'schema1', DOCKER_SCHEMA1_SIGNED],
  ])('%s %j', (contentType, document, kind, mediaType) => {
    expect(parse(document, contentType)).toMatchObject({ kind, mediaType });
  });

  it('keeps what nodes can run and drops attestations and entries without platform', () => {
    const entry = { mediaType: OCI_MANIFEST, digest: sha256('m'), size: 1 };
    const index = {
      artifactType: 'a/b',
      manifests: [
        { ...entry, platform: { os: 'linux', architecture: 'aarch64', variant: 'v8' } },
        { ...entry, platform: { os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348.1' } },
        { ...entry, platform: { os: 'unknown', architecture: 'unknown' } },
        {
          ...entry,
          platform: { os: 'linux', architecture: 'amd64' },
          annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
        },
        { ...entry, platform: null },
        entry,
      ],
    };
    const parsed = parse(index, OCI_INDEX);
    expect(
      typeof parsed === 'object' &&
        parsed.kind === 'index' &&
        parsed.children.map(({ platform }) => platform),
    ).toEqual([
      { os: 'linux', architecture: 'arm64' },
      { os: 'windows', architecture: 'amd64', osVersion: '10.0.20348.1' },
    ]);
    expect(parsed).toHaveProperty('artifactType', 'a/b');
  });

  it('adds up the compressed bytes', () => {
    const parsed = parse({ config: CONFIG, layers: [LAYER, LAYER] }, OCI_MANIFEST);
    expect(typeof parsed === 'object' && parsed.kind === 'image' && compressedSize(parsed)).toBe(210);
  });

  it.each([
    ['{', OCI_INDEX, 'the manifest is not JSON'],
    ['{}', OCI_INDEX, 'the index is malformed'],
    ['{"config":{"digest":"x"},"layers":[]}', OCI_MANIFEST, 'the manifest is malformed'],
    ['{"architecture":7}', DOCKER_SCHEMA1, 'the schema 1 manifest is malformed'],
    ['{}', 'text/html; charset=utf-8', 'unsupported manifest type "text/html"'],
  ])('refuses %s as %s', (body, contentType, message) => {
    const error = { code: 'MANIFEST_INVALID', message };
    expect(parseManifest(Buffer.from(body), contentType)).toEqual({ ok: false, error });
  });

  it.each([
    ['{}', 'application/json', 'unsupported manifest type "application/json"'],
    ['[]', '', 'unsupported manifest type ""'],
    ['{"manifests":[]}', 'application/vnd.other', 'unsupported manifest type "application/vnd.other"'],
  ])('knows that %s as %s is some other content', (body, contentType, message) => {
    const error = { code: 'UNSUPPORTED', message };
    expect(parseManifest(Buffer.from(body), contentType)).toEqual({ ok: false, error });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.constantFrom(OCI_INDEX, OCI_MANIFEST, DOCKER_SCHEMA1, ''),
        (body, contentType) => {
          parseManifest(Buffer.from(body), contentType);
          parseImageConfig(Buffer.from(body));
        },
      ),
    );
  });
});

describe('parseImageConfig', () => {
  it('reads platform and text labels', () => {
    const config = { os: 'linux', architecture: 'x86_64', config: { Labels: { a: 'b', n: 7, o: null } } };
    expect(parseImageConfig(Buffer.from(JSON.stringify(config)))).toEqual({
      platform: { os: 'linux', architecture: 'amd64' },
      labels: { a: 'b' },
    });
  });

  it('takes the architecture from a label if the configuration has none', () => {
    const config = { config: { Labels: { architecture: 'aarch64' } } };
    expect(parseImageConfig(Buffer.from(JSON.stringify(config)))?.platform).toEqual({
      os: 'linux',
      architecture: 'arm64',
    });
    const both = { ...config, os: 'linux', architecture: 's390x' };
    expect(parseImageConfig(Buffer.from(JSON.stringify(both)))?.platform).toMatchObject({
      architecture: 's390x',
    });
  });

  it('does without either, and refuses nonsense', () => {
    expect(parseImageConfig(Buffer.from('{"config":{"Labels":null}}'))).toEqual({
      platform: undefined,
      labels: {},
    });
    expect(parseImageConfig(Buffer.from('{"os":7}'))).toBeUndefined();
    expect(parseImageConfig(Buffer.from(''))).toBeUndefined();
  });
});
