/**
 * The questions the original's ImageSource answers, as pure functions over `SourceImages`: image for reference, for
 * tag name, mark prepulled, what each node lacks. (Menu and prepulled images are in spawner.ts; "update images" is
 * a new plan and its conclusion.)
 */

import type { Digest } from './digest.ts';
import { type Image, imageReference, makeImage } from './image.ts';
import type { Presence } from './image-collection.ts';
import { eligibility, imageDigests, type NodeFacts, type NodeImage, type NodeScope } from './node.ts';
import type { Reference } from './reference.ts';
import { err, ok, type Result } from './result.ts';
import type { SourceImages } from './source-images.ts';

/** UnknownImage: not among the source's images. TagMissing: the reference has neither a known digest nor a tag. */
export const LOOKUP_ERRORS = ['UnknownImage', 'TagMissing'] as const;
export type LookupError = (typeof LOOKUP_ERRORS)[number];

/**
 * The image of a reference. A known digest wins over the tag. Where digests are known for some tags only, another
 * tag is answered with the digest of the reference, unchecked, or with `digest: null`: ask the registry then.
 */
export function imageForReference(source: SourceImages, reference: Reference): Result<Image, LookupError> {
  if (!isOurs(source, reference)) return err('UnknownImage');
  const known = reference.digest === undefined ? undefined : source.resolved.imageForDigest(reference.digest);
  if (known !== undefined) return ok(known);
  const resolvesAll = source.selection.spec.digests === 'All';
  if (resolvesAll && reference.digest !== undefined) return err('UnknownImage');
  return reference.tag === undefined
    ? err('TagMissing')
    : imageForTag(source, reference.tag, reference.digest);
}

/** The image of a tag, which may have `digest: null` where only some digests are known. */
export function imageForTag(source: SourceImages, name: string, digest?: Digest): Result<Image, LookupError> {
  const image = source.resolved.imageForTag(name);
  if (image !== undefined) return ok(image);
  const { names, read } = source.plan.listing;
  if (!names.includes(name)) return err('UnknownImage');
  return ok(makeImage(source.selection.spec.image, read(name), { digest: digest ?? null }));
}

/** The source after `node` was seen to have the image of a digest; all of its tags know. */
export function markPrepulled(source: SourceImages, digest: Digest, node: string): SourceImages {
  const image = source.resolved.imageForDigest(digest);
  if (image === undefined) return source;
  const presence: Presence = new Map([[digest, { nodes: new Set([...image.nodes, node]), size: null }]]);
  return {
    ...source,
    resolved: source.resolved.withPresence(presence, true),
    selected: source.selected.withPresence(presence, true),
  };
}

/** Where each digest is, by every digest among the names of the nodes' images; of sizes, the last node's counts. */
export function presenceOf(nodes: Iterable<NodeFacts>): Presence {
  const presence = new Map<string, Seen>();
  for (const node of nodes) {
    for (const image of node.images) recordImage(presence, node.name, image);
  }
  return presence;
}

interface Seen {
  readonly nodes: Set<string>;
  size: number | null;
}

function recordImage(presence: Map<string, Seen>, node: string, { names, sizeBytes }: NodeImage): void {
  for (const digest of imageDigests(names)) {
    const seen = presence.get(digest) ?? { nodes: new Set(), size: null };
    seen.nodes.add(node);
    if (sizeBytes > 0) seen.size = sizeBytes;
    presence.set(digest, seen);
  }
}

/** Names of the nodes that are eligible now, in the given order. */
export function eligibleNodes(nodes: readonly NodeFacts[], scope: NodeScope): ReadonlySet<string> {
  return new Set(nodes.filter((node) => eligibility(node, scope).eligible).map(({ name }) => name));
}

/** What an eligible node lacks: one image per digest, under its primary tag, in output order. */
export function missingImages(
  { selected, eligibleNodes: eligible }: SourceImages,
  node: string,
): readonly Image[] {
  if (!eligible.has(node)) return [];
  const present = selected.subset((image) => image.nodes.has(node));
  return selected.subtract(present).list();
}

/** One image in a pull status. */
export interface PullStatus {
  readonly reference: string;
  readonly image: Image;
  /** Sorted; eligible or not. */
  readonly nodes: readonly string[];
  /** Eligible nodes without it, sorted. */
  readonly missing: readonly string[];
}

/** Selected images without aliases of others, in output order: which are everywhere, which not yet. */
export function pullStatus(source: SourceImages): {
  readonly prepulled: readonly PullStatus[];
  readonly pending: readonly PullStatus[];
} {
  const statuses = source.selected.list({ resolvedAliases: true }).map((image) => ({
    reference: imageReference(image),
    image,
    nodes: [...image.nodes].sort(),
    missing: [...source.eligibleNodes.difference(image.nodes)].sort(),
  }));
  return {
    prepulled: statuses.filter(({ missing }) => missing.length === 0),
    pending: statuses.filter(({ missing }) => missing.length > 0),
  };
}

function isOurs({ selection }: SourceImages, { registry, repository }: Reference): boolean {
  const { image } = selection.spec;
  return registry === image.registry && repository === image.repository;
}
