/**
 * Reads manifests, indexes and image configurations (OCI image specification 1.1, Docker schema 2; schema 1 is only
 * recognised). Unknown fields are ignored, entries of the wrong shape make the document invalid.
 */

import * as z from 'zod';
import { type Digest, isValidDigest } from '../domain/digest.ts';
import { normalisePlatform, type Platform } from '../domain/platform.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { parseJSON } from '../json.ts';
import {
  bareMediaType,
  DOCKER_SCHEMA1,
  DOCKER_SCHEMA1_SIGNED,
  isIndexType,
  isManifestType,
  isSchema1Type,
  OCI_INDEX,
  OCI_MANIFEST,
} from './media-types.ts';

/** A piece of content; `size` in bytes as stored, that is compressed. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** An entry of an index that a node could run. */
export interface ChildDescriptor extends Descriptor {
  readonly platform: Platform;
}

/** What a registry answers for a tag or digest, by its media type. */
export type ManifestDocument =
  | {
      readonly kind: 'index';
      readonly mediaType: string;
      readonly children: readonly ChildDescriptor[];
      readonly artifactType?: string;
    }
  | {
      readonly kind: 'image';
      readonly mediaType: string;
      readonly config: Descriptor;
      readonly layers: readonly Descriptor[];
      readonly artifactType?: string;
    }
  | { readonly kind: 'schema1'; readonly mediaType: string; readonly architecture: string };

/** Why a body is no manifest that can be read: malformed, or of a kind that is none of ours. */
export interface ManifestProblem {
  readonly code: 'MANIFEST_INVALID' | 'UNSUPPORTED';
  readonly message: string;
}

/** What an image says about itself. */
export interface ImageConfig {
  readonly platform: Platform | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** Absurdly long lists are refused, not cut. */
const MAX_CHILDREN = 1000;
const MAX_LAYERS = 1000;

const digest = z.custom<Digest>((value) => typeof value === 'string' && isValidDigest(value), 'not a digest');
const size = z.int().nonnegative();
const descriptor = z.object({ mediaType: z.string().default(''), digest, size });
const platform = z.object({
  os: z.string().default(''),
  architecture: z.string().default(''),
  variant: z.string().optional(),
  'os.version': z.string().optional(),
});
const artifactType = z.string().optional();
const indexSchema = z.object({
  artifactType,
  manifests: z
    .array(
      descriptor.extend({
        platform: platform.nullish(),
        annotations: z.record(z.string(), z.unknown()).nullish(),
      }),
    )
    .max(MAX_CHILDREN),
});
const imageSchema = z.object({
  artifactType,
  config: descriptor,
  layers: z.array(descriptor).max(MAX_LAYERS),
});
const schema1Schema = z.object({ architecture: z.string().default('') });
const configSchema = z.object({
  ...platform.shape,
  config: z.object({ Labels: z.record(z.string(), z.unknown()).nullish() }).nullish(),
});

/** `contentType` decides; registries that send none or a generic one are believed by the document's own words. */
export function parseManifest(body: Buffer, contentType: string): Result<ManifestDocument, ManifestProblem> {
  const json = parseJSON(body);
  if (json === undefined) return malformed('the manifest is not JSON');
  const mediaType = manifestType(json, bareMediaType(contentType));
  if (isIndexType(mediaType)) return parseIndex(json, mediaType);
  if (isManifestType(mediaType)) return parseImage(json, mediaType);
  if (isSchema1Type(mediaType)) {
    const parsed = schema1Schema.safeParse(json);
    return parsed.success
      ? ok({ kind: 'schema1', mediaType, ...parsed.data })
      : malformed('the schema 1 manifest is malformed');
  }
  // A page for people in the place of a manifest is a broken answer, not another kind of content.
  const code = contentType.includes('html') ? 'MANIFEST_INVALID' : 'UNSUPPORTED';
  return err({ code, message: `unsupported manifest type ${JSON.stringify(mediaType.slice(0, 100))}` });
}

function malformed(message: string): Result<never, ManifestProblem> {
  return err({ code: 'MANIFEST_INVALID', message });
}

/** undefined if the body is no image configuration. */
export function parseImageConfig(body: Buffer): ImageConfig | undefined {
  const parsed = configSchema.safeParse(parseJSON(body));
  if (!parsed.success) return undefined;
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(parsed.data.config?.Labels ?? {})) {
    if (typeof value === 'string') labels[name] = value;
  }
  return { platform: readPlatform(parsed.data) ?? labelledPlatform(parsed.data.os, labels), labels };
}

/** Builds that leave the architecture out of the configuration name it in a label, in the words of `uname`. */
function labelledPlatform(os: string, labels: Readonly<Record<string, string>>): Platform | undefined {
  return readPlatform({ os: os === '' ? 'linux' : os, architecture: labels['architecture'] ?? '' });
}

/** Compressed bytes of an image: configuration and layers. */
export function compressedSize(image: ManifestDocument & { kind: 'image' }): number {
  return image.layers.reduce((sum, layer) => sum + layer.size, image.config.size);
}

function parseIndex(json: unknown, mediaType: string): Result<ManifestDocument, ManifestProblem> {
  const parsed = indexSchema.safeParse(json);
  if (!parsed.success) return malformed('the index is malformed');
  const children: ChildDescriptor[] = [];
  for (const entry of parsed.data.manifests) {
    const found = isAttestation(entry.annotations) ? undefined : readPlatform(entry.platform ?? undefined);
    // BuildKit marks what no node can run (provenance, SBOM) as unknown/unknown.
    if (found === undefined || found.architecture === 'unknown' || found.os === 'unknown') continue;
    children.push({ mediaType: entry.mediaType, digest: entry.digest, size: entry.size, platform: found });
  }
  return ok({ kind: 'index', mediaType, children, ...artifact(parsed.data.artifactType) });
}

function parseImage(json: unknown, mediaType: string): Result<ManifestDocument, ManifestProblem> {
  const parsed = imageSchema.safeParse(json);
  if (!parsed.success) return malformed('the manifest is malformed');
  const { config, layers, artifactType: type } = parsed.data;
  return ok({ kind: 'image', mediaType, config, layers, ...artifact(type) });
}

function artifact(type: string | undefined): { artifactType?: string } {
  return type === undefined || type === '' ? {} : { artifactType: type };
}

function isAttestation(annotations: Readonly<Record<string, unknown>> | null | undefined): boolean {
  return annotations?.['vnd.docker.reference.type'] === 'attestation-manifest';
}

function readPlatform(value: z.infer<typeof platform> | undefined): Platform | undefined {
  if (value === undefined || value.os === '' || value.architecture === '') return undefined;
  const { os, architecture, variant } = value;
  const osVersion = value['os.version'];
  return normalisePlatform({
    os,
    architecture,
    ...(variant !== undefined && { variant }),
    ...(osVersion !== undefined && { osVersion }),
  });
}

/** What says nothing about the document. */
const GENERIC_TYPES: ReadonlySet<string> = new Set([
  '',
  'application/json',
  'text/plain',
  'application/octet-stream',
]);

/** The type by the header; if that is generic, by the document's mediaType, else by its shape. */
function manifestType(json: unknown, header: string): string {
  if (!GENERIC_TYPES.has(header) || typeof json !== 'object' || json === null) return header;
  const stated = 'mediaType' in json ? json.mediaType : undefined;
  return typeof stated === 'string' && stated !== '' ? stated : (typeByShape(json) ?? header);
}

function typeByShape(json: object): string | undefined {
  if ('manifests' in json) return OCI_INDEX;
  if ('config' in json && 'layers' in json) return OCI_MANIFEST;
  if (!('fsLayers' in json)) return undefined;
  return 'signatures' in json ? DOCKER_SCHEMA1_SIGNED : DOCKER_SCHEMA1;
}
