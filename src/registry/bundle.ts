/** Operator bundles: what the labels say, and the related images of the bundle's own ClusterServiceVersion. */

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { parse } from 'yaml';
import type { Descriptor } from './manifest.ts';
import { readTar } from './tar.ts';

/** What the labels of an operator bundle say (OLM, registry+v1). */
export interface BundleFacts {
  readonly package: string;
  readonly channels: readonly string[];
  readonly defaultChannel: string;
  /** Such as registry+v1. */
  readonly mediaType: string;
  /** Such as v4.12; empty outside of OpenShift's catalogues. */
  readonly openshiftVersions: string;
  /** Folder of the manifests in the image, without slashes around it. */
  readonly manifestsFolder: string;
}

const LABEL_PREFIX = 'operators.operatorframework.io.bundle.';
/** Larger layers are not read: bundles hold a few YAML files. */
export const MAX_BUNDLE_LAYER_BYTES = 4 * 1024 * 1024;
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;
/** What fits into etcd, which is where a ClusterServiceVersion ends up. */
const MAX_CSV_BYTES = 1_500_000;
const MAX_RELATED_IMAGES = 500;
const MAX_LAYERS = 16;

const unzip = promisify(gunzip);

/** undefined if the labels are not those of a bundle. */
export function bundleFacts(labels: Readonly<Record<string, string>>): BundleFacts | undefined {
  const mediaType = labels[`${LABEL_PREFIX}mediatype.v1`];
  if (mediaType === undefined) return undefined;
  const label = (name: string): string => labels[`${LABEL_PREFIX}${name}`] ?? '';
  return {
    package: label('package.v1'),
    channels: label('channels.v1')
      .split(',')
      .map((channel) => channel.trim())
      .filter(Boolean),
    defaultChannel: label('channel.default.v1'),
    mediaType,
    openshiftVersions: labels['com.redhat.openshift.versions'] ?? '',
    manifestsFolder: (label('manifests.v1') || 'manifests/').replace(/^[./]+|\/+$/g, ''),
  };
}

/** Layers worth reading: few and small; the last ones win. */
export function bundleLayers(layers: readonly Descriptor[]): readonly Descriptor[] {
  return layers.filter(({ size }) => size <= MAX_BUNDLE_LAYER_BYTES).slice(-MAX_LAYERS);
}

/** The related images named by the ClusterServiceVersion in one layer; undefined if it holds none. */
export async function relatedImages(
  layer: Buffer,
  manifestsFolder: string,
): Promise<readonly string[] | undefined> {
  const archive = await unpack(layer);
  if (archive === undefined) return undefined;
  let found: readonly string[] | undefined;
  for (const { path, content } of readTar(archive)) {
    const isManifest = path.startsWith(`${manifestsFolder}/`) && /\.(ya?ml|json)$/.test(path);
    if (isManifest && content.length <= MAX_CSV_BYTES) found = imagesOf(content) ?? found;
  }
  return found;
}

async function unpack(layer: Buffer): Promise<Buffer | undefined> {
  if (layer[0] !== 0x1f || layer[1] !== 0x8b) return layer;
  try {
    return await unzip(layer, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch {
    return undefined;
  }
}

/** `spec.relatedImages[].image` of a ClusterServiceVersion. */
function imagesOf(content: Buffer): readonly string[] | undefined {
  // Parsing YAML is dear; the kind stands in the text of every ClusterServiceVersion.
  if (!content.includes('ClusterServiceVersion')) return undefined;
  let document: unknown;
  try {
    document = parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
  if (memberOf(document, 'kind') !== 'ClusterServiceVersion') return undefined;
  const entries = memberOf(memberOf(document, 'spec'), 'relatedImages');
  const images = Array.isArray(entries) ? entries.map((entry: unknown) => memberOf(entry, 'image')) : [];
  return [...new Set(images.filter((image) => typeof image === 'string' && image !== ''))].slice(
    0,
    MAX_RELATED_IMAGES,
  ) as string[];
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
