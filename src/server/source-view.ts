/** A source as it is served: its list, and which nodes have what of it. */

import type { ImageSource } from '../api/image-source.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import type { Clock } from '../clock.ts';
import { NO_NODES } from '../domain/image.ts';
import type { Presence } from '../domain/image-collection.ts';
import { eligibleNodes, presenceOf } from '../domain/image-source.ts';
import type { SourceImages } from '../domain/source-images.ts';
import { findCondition } from '../kube/condition.ts';
import { formatKey } from '../kube/resource.ts';
import type { ClusterReader, ListingOrigin, ListingReader, SourceListing } from './cluster.ts';
import { type ImageCoverage, imageCoverage } from './image-coverage.ts';

/** A source with its images as they are on nodes at this moment. */
export interface SourceView {
  readonly source: ImageSource;
  readonly images: SourceImages;
  readonly origin: ListingOrigin;
  /** By digest: nodes that count as if they had the image, because it is not for them. */
  readonly skipped: ReadonlyMap<string, ReadonlySet<string>>;
}

interface Remembered {
  readonly source: ImageSource;
  readonly listing: SourceListing;
  readonly images: number;
  readonly nodes: number;
  readonly view: SourceView;
  /** Monotonic milliseconds until which changes of nodes and children may wait. */
  readonly restsUntil: number;
}

/** While a rollout changes something all the time, a view costs no more than a fifth of the time. */
const REST_FACTOR = 4;
const MAX_REST_MS = 2_000;

/** Makes views and keeps the last one of each source until something changes. */
export class SourceViews {
  readonly #cluster: ClusterReader;
  readonly #listings: ListingReader;
  readonly #clock: Clock;
  readonly #remembered = new Map<string, Remembered>();
  #presence: { readonly nodes: number; readonly presence: Presence } | undefined;

  constructor(parts: {
    readonly cluster: ClusterReader;
    readonly listings: ListingReader;
    readonly clock: Clock;
  }) {
    this.#cluster = parts.cluster;
    this.#listings = parts.listings;
    this.#clock = parts.clock;
  }

  async view(source: ImageSource, signal: AbortSignal): Promise<SourceView> {
    const listing = await this.#listings.read(source, signal);
    const key = formatKey(source.metadata);
    const known = this.#remembered.get(key);
    if (known !== undefined && this.#isFresh(known, source, listing)) return known.view;
    const { images, nodes } = this.#cluster.revisions;
    const started = this.#clock.monotonic();
    const view = this.#make(source, listing);
    const now = this.#clock.monotonic();
    const restsUntil = now + Math.min(MAX_REST_MS, (now - started) * REST_FACTOR);
    this.#forgetGone();
    this.#remembered.set(key, { source, listing, images, nodes, view, restsUntil });
    return view;
  }

  #isFresh(known: Remembered, source: ImageSource, listing: SourceListing): boolean {
    if (known.source !== source || known.listing !== listing) return false;
    const { images, nodes } = this.#cluster.revisions;
    const isSame = known.images === images && known.nodes === nodes;
    return isSame || this.#clock.monotonic() < known.restsUntil;
  }

  #make(source: ImageSource, { images, origin }: SourceListing): SourceView {
    const eligible = eligibleNodes(this.#cluster.nodes(), source.spec.prepull?.nodes ?? {});
    const nodes = this.#cluster.nodes();
    const children = this.#cluster.childrenOf(source).map((child) => imageCoverage(child, nodes));
    const { presence, skipped } = withChildren(this.#nodePresence(), children, eligible);
    // A list that tells sizes tells them of all images; what nodes report is unpacked.
    const keepsSizes = images.resolved.images.some(({ size }) => size !== null);
    const view: SourceImages = {
      ...images,
      eligibleNodes: eligible,
      resolved: images.resolved.withPresence(presence, keepsSizes),
      selected: images.selected.withPresence(presence, keepsSizes),
    };
    return { source, images: view, origin, skipped };
  }

  /** What the nodes list, the same for all sources. */
  #nodePresence(): Presence {
    const { nodes } = this.#cluster.revisions;
    if (this.#presence?.nodes !== nodes)
      this.#presence = { nodes, presence: presenceOf(this.#cluster.nodes()) };
    return this.#presence.presence;
  }

  #forgetGone(): void {
    const here = new Set(this.#cluster.sources().map(({ metadata }) => formatKey(metadata)));
    for (const key of this.#remembered.keys()) if (!here.has(key)) this.#remembered.delete(key);
  }
}

interface Seen {
  readonly presence: Presence;
  readonly skipped: SourceView['skipped'];
}

/**
 * A child knows better than the lists of the nodes, which are cut short. A node that it skips (another platform, too
 * small a disk) does not keep the image from being prepulled, and one that it says has not got the image has not,
 * whatever lies there: the credentials may have been refused.
 */
function withChildren(
  listed: Presence,
  coverages: readonly ImageCoverage[],
  eligible: ReadonlySet<string>,
): Seen {
  const presence = new Map(listed);
  const skipped = new Map<string, ReadonlySet<string>>();
  for (const coverage of coverages) {
    const digest = coverage.image.status?.image?.digest;
    if (digest === undefined) continue;
    const before = listed.get(digest) ?? NOWHERE;
    presence.set(digest, { ...before, nodes: seenNodes(coverage, before.nodes, eligible) });
    skipped.set(digest, new Set(namesOf(coverage.missing, true)).difference(before.nodes));
  }
  return { presence, skipped };
}

const NOWHERE = { nodes: NO_NODES, size: null };

function seenNodes(
  { image, on, missing, prepulled, eligible: wanted }: ImageCoverage,
  listed: ReadonlySet<string>,
  eligible: ReadonlySet<string>,
): ReadonlySet<string> {
  if (isRefused(image)) return NO_NODES;
  const seen = new Set([...listed, ...on, ...namesOf(missing, true)]);
  for (const node of namesOf(missing, false)) seen.delete(node);
  return !prepulled && wanted > 0 && eligible.isSubsetOf(seen) ? NO_NODES : seen;
}

/** The content may lie on every node: with credentials that the registry refuses, no pod of theirs may use it. */
function isRefused({ status }: PrepulledImage): boolean {
  const { status: value, reason } = findCondition(status, 'Prepulled') ?? {};
  return value === 'False' && (reason === 'Unauthorized' || reason === 'Forbidden');
}

function namesOf(missing: ImageCoverage['missing'], isSkipped: boolean): readonly string[] {
  return missing.filter(({ state }) => (state === 'Skipped') === isSkipped).map(({ node }) => node);
}
