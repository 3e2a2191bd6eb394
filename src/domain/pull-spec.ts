/**
 * Pull specifications: the ways to pull one image, ordered so that the first is the one to use.
 *
 * The rules follow pushsource's ContainerImagePullInfo, which knows Docker's types only; OCI types rank beside them:
 * 1. Rank: index or manifest list 30, image manifest 20, Docker schema 1 10, anything else 0.
 * 2. Specs come in input order, the index before its children; duplicates (same reference) are merged into the first,
 *    a type that is missing there is filled in; then a stable sort by rank, descending. Never by digest.
 * 3. Tag specs keep their order; the first is "any tag".
 *
 * `config` of ArchitectureSources is known to build systems only: nobody but the cases states it.
 */

import type { Platform } from './platform.ts';
import { normalisePlatform } from './platform.ts';
import {
  formatReference,
  type Reference,
  type Repository,
  validateReference,
  withRuntimeDefaults,
} from './reference.ts';
import { ok, type Problem, type Result } from './result.ts';

export interface TagSpec extends Repository {
  readonly tag: string;
  /** Types a manifest under this tag may have; empty if nobody said. */
  readonly mediaTypes: readonly string[];
  /** registry/repository:tag */
  readonly reference: string;
}

export interface DigestSpec extends Repository {
  readonly digest: string;
  readonly mediaType?: string;
  /** registry/repository@digest */
  readonly reference: string;
  /** Absent for an index. */
  readonly platform?: Platform;
}

export interface PullInfo {
  /** Empty only if the image was named by digest alone. */
  readonly tagSpecs: readonly TagSpec[];
  /** The first is what to pull. */
  readonly digestSpecs: readonly DigestSpec[];
  /** In the order of `digestSpecs`, each once. */
  readonly mediaTypes: readonly string[];
}

const RANKS: ReadonlyMap<string, number> = new Map([
  ['application/vnd.docker.distribution.manifest.list.v2+json', 30],
  ['application/vnd.oci.image.index.v1+json', 30],
  ['application/vnd.docker.distribution.manifest.v2+json', 20],
  ['application/vnd.oci.image.manifest.v1+json', 20],
  ['application/vnd.docker.distribution.manifest.v1+json', 10],
  ['application/vnd.docker.distribution.manifest.v1+prettyjws', 10],
]);

/** Label prefixes kept by default: operator bundles, Red Hat's build data, the OCI annotations. */
export const LABEL_PREFIXES = [
  'operators.operatorframework.',
  'com.redhat.',
  'org.opencontainers.image.',
] as const;
/** Bounds of the labels in a status: entries, and characters of one value. */
const MAX_LABELS = 32;
const MAX_LABEL_LENGTH = 256;

/** What a person or build system wrote as one pull spec; without tag and digest it means `latest`. */
export function validatePullSpec(text: string): Result<Reference, Problem> {
  const parsed = validateReference(text);
  if (!parsed.ok) return parsed;
  const reference = withRuntimeDefaults(parsed.value);
  const isBare = reference.tag === undefined && reference.digest === undefined;
  return ok(isBare ? { ...reference, tag: 'latest' } : reference);
}

export function buildTagSpec(
  { registry, repository }: Repository,
  tag: string,
  mediaTypes: readonly string[] = [],
): TagSpec {
  return { registry, repository, tag, mediaTypes, reference: formatReference({ registry, repository, tag }) };
}

export function buildDigestSpec(
  { registry, repository }: Repository,
  digest: string,
  facts: { readonly mediaType?: string | undefined; readonly platform?: Platform } = {},
): DigestSpec {
  const { mediaType, platform } = facts;
  return {
    registry,
    repository,
    digest,
    ...(mediaType !== undefined && { mediaType }),
    reference: `${formatReference({ registry, repository })}@${digest}`,
    ...(platform && { platform }),
  };
}

export function buildPullInfo(tagSpecs: readonly TagSpec[], digestSpecs: readonly DigestSpec[]): PullInfo {
  const ordered = mergeDigestSpecs(digestSpecs).sort((a, b) => rankOf(b) - rankOf(a));
  const mediaTypes = ordered.flatMap(({ mediaType }) => (mediaType === undefined ? [] : [mediaType]));
  return { tagSpecs: mergeTagSpecs(tagSpecs), digestSpecs: ordered, mediaTypes: [...new Set(mediaTypes)] };
}

/** The first spec of exactly this type. */
export function digestSpecForType(info: PullInfo, mediaType: string): DigestSpec | undefined {
  return info.digestSpecs.find((spec) => spec.mediaType === mediaType);
}

/** Where the architecture of an image may be stated, the most reliable first. */
export interface ArchitectureSources {
  readonly config?: string | undefined;
  readonly platform?: string | undefined;
  readonly label?: string | undefined;
}

/** The architecture in Go's words (x86_64 is amd64); undefined if nobody states one. */
export function architectureOf({ config, platform, label }: ArchitectureSources): string | undefined {
  const stated = [config, platform, label].find((text) => text !== undefined && text !== '');
  return stated === undefined
    ? undefined
    : normalisePlatform({ os: 'linux', architecture: stated }).architecture;
}

/** Labels worth showing, bounded; long values are left out, not cut, because a cut value would be a wrong one. */
export function selectLabels(
  labels: Readonly<Record<string, string>>,
  prefixes: readonly string[] = LABEL_PREFIXES,
): Readonly<Record<string, string>> {
  const kept = Object.entries(labels)
    .filter(
      ([name, value]) => prefixes.some((prefix) => name.startsWith(prefix)) && fits(name) && fits(value),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(kept.slice(0, MAX_LABELS));
}

function fits(text: string): boolean {
  return text.length <= MAX_LABEL_LENGTH;
}

function rankOf({ mediaType }: DigestSpec): number {
  return mediaType === undefined ? 0 : (RANKS.get(mediaType) ?? 0);
}

function mergeDigestSpecs(specs: readonly DigestSpec[]): DigestSpec[] {
  const merged = new Map<string, DigestSpec>();
  for (const spec of specs) merged.set(spec.reference, { ...spec, ...merged.get(spec.reference) });
  return [...merged.values()];
}

function mergeTagSpecs(specs: readonly TagSpec[]): TagSpec[] {
  const merged = new Map<string, TagSpec>();
  for (const spec of specs) {
    const earlier = merged.get(spec.reference)?.mediaTypes ?? [];
    merged.set(spec.reference, { ...spec, mediaTypes: [...new Set([...earlier, ...spec.mediaTypes])] });
  }
  return [...merged.values()];
}
