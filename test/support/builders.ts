/** Objects of the three kinds for tests: valid as they are, with overrides merged in deeply. */
import type { DockerImageRecord, DockerImageRecordManifest } from '../../src/api/docker-image-record.ts';
import { dockerImageRecordSchema } from '../../src/api/docker-image-record.ts';
import { API_VERSION } from '../../src/api/group-version.ts';
import type { ImageSource, ImageSourceManifest } from '../../src/api/image-source.ts';
import { imageSourceSchema } from '../../src/api/image-source.ts';
import type { PrepulledImage, PrepulledImageManifest } from '../../src/api/prepulled-image.ts';
import { prepulledImageSchema } from '../../src/api/prepulled-image.ts';

/** Any part of T; lists are replaced, objects are merged, undefined removes a field. */
export type Overrides<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: Overrides<T[Key]> | undefined }
    : T;

export const DIGEST_A = `sha256:${'a'.repeat(64)}`;
export const DIGEST_B = `sha256:${'b'.repeat(64)}`;

/** As a person would apply it, without defaults. */
export function imageSourceManifest(overrides: Overrides<ImageSourceManifest> = {}): ImageSourceManifest {
  const manifest: ImageSourceManifest = {
    apiVersion: API_VERSION,
    kind: 'ImageSource',
    metadata: { name: 'lab', namespace: 'default' },
    spec: { image: 'registry.example.org/sciplat/lab' },
  };
  return merge(manifest, overrides);
}

/** As the API server returns it, with all defaults. */
export function imageSource(overrides: Overrides<ImageSourceManifest> = {}): ImageSource {
  return imageSourceSchema.parse(stored(imageSourceManifest(overrides))) as ImageSource;
}

export function prepulledImageManifest(
  overrides: Overrides<PrepulledImageManifest> = {},
): PrepulledImageManifest {
  const manifest: PrepulledImageManifest = {
    apiVersion: API_VERSION,
    kind: 'PrepulledImage',
    metadata: { name: 'lab-w-2026-40', namespace: 'default' },
    spec: { image: `registry.example.org/sciplat/lab:w_2026_40@${DIGEST_A}` },
  };
  return merge(manifest, overrides);
}

export function prepulledImage(overrides: Overrides<PrepulledImageManifest> = {}): PrepulledImage {
  return prepulledImageSchema.parse(stored(prepulledImageManifest(overrides))) as PrepulledImage;
}

export function dockerImageRecordManifest(
  overrides: Overrides<DockerImageRecordManifest> = {},
): DockerImageRecordManifest {
  const manifest: DockerImageRecordManifest = {
    apiVersion: API_VERSION,
    kind: 'DockerImageRecord',
    metadata: { name: 'yolo-v5', namespace: 'default' },
    spec: {
      name: 'yolo',
      version: 'v5_2022-11-05_cuda11.1',
      image: 'registry.example.org:443/waikato/pytorch-yolov5:2022-11-05_cuda11.1',
      cuda: { version: '11.1' },
      framework: { name: 'yolo', version: 'v5' },
      domain: 'od',
      tasks: ['Train', 'Predict'],
      minHardwareGeneration: 'Pascal',
      licence: 'GPL3',
    },
  };
  return merge(manifest, overrides);
}

export function dockerImageRecord(overrides: Overrides<DockerImageRecordManifest> = {}): DockerImageRecord {
  return dockerImageRecordSchema.parse(stored(dockerImageRecordManifest(overrides))) as DockerImageRecord;
}

/** What the API server adds to the metadata of a new object. */
function stored<T extends { readonly metadata: { readonly name: string } }>(manifest: T): T {
  const { metadata } = manifest;
  const added = {
    namespace: 'default',
    uid: `uid-of-${metadata.name}`,
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-11-21T12:00:00Z',
  };
  return { ...manifest, metadata: { ...added, ...metadata } };
}

function merge<T>(base: T, overrides: unknown): T {
  if (!isFields(base) || !isFields(overrides)) return overrides as T;
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) Reflect.deleteProperty(merged, name);
    else merged[name] = isFields(merged[name]) ? merge(merged[name], value) : value;
  }
  return merged as T;
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
