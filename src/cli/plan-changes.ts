/** What objects from files would change: which images an ImageSource would add, keep and retire. */

import type { ImageDescription } from '../api/image-description.ts';
import type { ImageSource } from '../api/image-source.ts';
import { parseImageSource, parsePrepulledImage } from '../api/parse.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import {
  childNameOf,
  childrenByDigest,
  imagesWithChild,
  isReleasedBy,
} from '../controllers/image-source/child-identity.ts';
import { childSpec } from '../controllers/image-source/child-spec.ts';
import type { Image } from '../domain/image.ts';
import { formatReference, type Reference, validateReference } from '../domain/reference.ts';
import type { Result } from '../domain/result.ts';
import type { SourceImages } from '../domain/source-images.ts';
import { isEqual } from '../json.ts';
import { controllerOf } from '../kube/owner-reference.ts';
import { formatKey } from '../kube/resource.ts';
import type { ResolvedImage } from '../registry/image-resolver.ts';
import { kindOf, readDocuments } from './image-source-file.ts';
import { badInput, CliError, EXIT } from './io.ts';

/** Objects of the files, with defaults filled in. */
export interface Manifests {
  readonly sources: readonly ImageSource[];
  readonly images: readonly PrepulledImage[];
}

/** What a file would do to one object. */
export interface Change {
  readonly change: 'add' | 'update' | 'retire' | 'keep';
  /** `namespace/name` of the PrepulledImage. */
  readonly image: string;
  readonly reference: string;
  /** Who asks for it: `ImageSource ns/name (rules)`, or the file. */
  readonly because: string;
}

/** The images after the change, and what changed. */
export interface Outcome {
  readonly images: readonly PrepulledImage[];
  readonly changes: readonly Change[];
}

/** Asks a registry. */
export type ResolveImage = (
  image: PrepulledImage,
  reference: Reference,
) => Promise<ResolvedImage | undefined>;

/** Other kinds in the file are left alone. @throws CliError with the line for what cannot be read */
export function readManifests(text: string, path: string, namespace: string): Manifests {
  const sources: ImageSource[] = [];
  const images: PrepulledImage[] = [];
  for (const document of readDocuments(text, path)) {
    const object = withNamespace(document, namespace);
    if (kindOf(object) === 'ImageSource') sources.push(accept(path, 'ImageSource', parseImageSource(object)));
    if (kindOf(object) === 'PrepulledImage')
      images.push(accept(path, 'PrepulledImage', parsePrepulledImage(object)));
  }
  if (sources.length + images.length === 0)
    throw badInput(path, 'holds neither an ImageSource nor a PrepulledImage');
  return { sources, images };
}

function accept<T>(path: string, kind: string, result: Result<T, readonly string[]>): T {
  if (result.ok) return result.value;
  throw new CliError(`${path}: not a valid ${kind}:\n  ${result.error.join('\n  ')}`, EXIT.badInput);
}

function withNamespace(document: unknown, namespace: string): unknown {
  if (typeof document !== 'object' || document === null || !('metadata' in document)) return document;
  const { metadata } = document;
  return typeof metadata === 'object' && metadata !== null
    ? { ...document, metadata: { namespace, ...metadata } }
    : document;
}

/** The PrepulledImage of a file takes the place of the one there is. */
export async function applyImage(
  before: readonly PrepulledImage[],
  image: PrepulledImage,
  resolve: ResolveImage,
): Promise<Outcome> {
  const key = formatKey(image.metadata);
  const current = before.find(({ metadata }) => formatKey(metadata) === key);
  const isSameImage = current?.spec.image === image.spec.image;
  const next = isSameImage ? { ...current, spec: image.spec } : await withStatus(image, resolve);
  const change = current === undefined ? 'add' : 'update';
  return {
    images: [...before.filter((each) => each !== current), next],
    changes: [{ change, image: key, reference: image.spec.image, because: 'it is in the file' }],
  };
}

/** What the scan of the source would make of its children. */
export async function applySource(
  before: readonly PrepulledImage[],
  source: ImageSource,
  found: SourceImages,
  resolve: ResolveImage,
): Promise<Outcome> {
  const children = before.filter((image) => isChildOf(image, source));
  const released = before.filter((image) => isReleasedBy(image, source));
  const byDigest = childrenByDigest([...children, ...released]);
  const wanted = source.spec.prepull === undefined ? [] : imagesWithChild(found);
  const next: PrepulledImage[] = [];
  const changes: Change[] = [];
  for (const image of wanted) {
    const name = childNameOf(source, image, byDigest);
    const same = [...children, ...released].find(({ metadata }) => metadata.name === name);
    const child = await childOf(source, { image, name, same }, resolve);
    next.push(child);
    const because = `ImageSource ${formatKey(source.metadata)} (${(found.plan.chosen.get(image.tag) ?? []).join(', ')})`;
    changes.push({
      change: changeOf(same, child),
      image: formatKey(child.metadata),
      reference: child.spec.image,
      because,
    });
  }
  const kept = new Set(next.map(({ metadata }) => formatKey(metadata)));
  const cameHome = (image: PrepulledImage): boolean =>
    released.includes(image) && kept.has(formatKey(image.metadata));
  const leaving = children.filter(({ metadata }) => !kept.has(formatKey(metadata)));
  const others = before.filter((image) => !children.includes(image) && !cameHome(image));
  const stays = source.spec.retire === 'Keep' ? leaving : [];
  return {
    images: [...others, ...next, ...stays],
    changes: [...changes, ...leaving.map((child) => retired(source, child))],
  };
}

function isChildOf(image: PrepulledImage, { metadata }: ImageSource): boolean {
  const owner = controllerOf(image);
  const isOfNamespace = image.metadata.namespace === metadata.namespace;
  return isOfNamespace && owner?.kind === 'ImageSource' && owner.name === metadata.name;
}

interface Placed {
  readonly image: Image;
  /** Of its child. */
  readonly name: string;
  /** The child of that name, if there is one. */
  readonly same: PrepulledImage | undefined;
}

async function childOf(
  source: ImageSource,
  { image, name, same }: Placed,
  resolve: ResolveImage,
): Promise<PrepulledImage> {
  const { apiVersion } = source;
  const { namespace = '' } = source.metadata;
  const manifest = {
    apiVersion,
    kind: 'PrepulledImage',
    metadata: { namespace, name },
    spec: childSpec(source, image),
  };
  const child = accept(formatKey(source.metadata), 'child', parsePrepulledImage(manifest));
  return same === undefined ? withStatus(child, resolve) : { ...same, spec: child.spec };
}

function changeOf(before: PrepulledImage | undefined, after: PrepulledImage): Change['change'] {
  if (before === undefined) return 'add';
  return isEqual(before.spec, after.spec) ? 'keep' : 'update';
}

function retired(source: ImageSource, child: PrepulledImage): Change {
  const fate = source.spec.retire === 'Keep' ? 'it stays without owner' : 'it is deleted';
  const because = `ImageSource ${formatKey(source.metadata)} no longer selects it; ${fate}`;
  return { change: 'retire', image: formatKey(child.metadata), reference: child.spec.image, because };
}

/** As the operator would find it; nothing is known of an image that its registry does not tell of. */
async function withStatus(image: PrepulledImage, resolve: ResolveImage): Promise<PrepulledImage> {
  const reference = validateReference(image.spec.image);
  if (!reference.ok) return image;
  const { registry, repository, tag } = reference.value;
  const found = await resolve(image, reference.value);
  const digest = reference.value.digest ?? found?.digest;
  if (digest === undefined) return image;
  const named = formatReference({ registry, repository, ...(tag === undefined ? { digest } : { tag }) });
  const identity = { reference: named, registry, repository, digest, ...(tag !== undefined && { tag }) };
  return { ...image, status: { image: { ...identity, ...describeFound(found) } } };
}

function describeFound(found: ResolvedImage | undefined): Pick<ImageDescription, 'size' | 'platforms'> {
  if (found === undefined) return {};
  const platforms = found.platforms.map(({ os, architecture, variant }) => ({
    os,
    architecture,
    ...(variant !== undefined && { variant }),
  }));
  return { platforms, ...(found.size !== undefined && { size: found.size }) };
}
