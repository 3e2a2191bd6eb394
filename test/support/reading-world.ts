/** A cluster that a test states, served by the real HTTP server: sources with their lists, images, nodes. */

import type { ImageSource } from '../../src/api/image-source.ts';
import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { NodeFacts } from '../../src/domain/node.ts';
import { controllerOf } from '../../src/kube/owner-reference.ts';
import { formatKey } from '../../src/kube/resource.ts';
import { Authorizer } from '../../src/server/authorize.ts';
import type { ClusterReader, ListingReader, SourceListing } from '../../src/server/cluster.ts';
import type { ReadingParts } from '../../src/server/reading.ts';
import { documentRoutes, readingRoutes } from '../../src/server/reading-routes.ts';
import type { RouteGroup } from '../../src/server/route-group.ts';
import { SourceViews } from '../../src/server/source-view.ts';
import { spawnerRoutes } from '../../src/server/spawner.ts';
import { FakeReviews, ServedGroups } from './http-server.ts';

export class ReadingWorld implements ClusterReader, ListingReader {
  readonly revisions = { sources: 0, images: 0, nodes: 0 };
  /** By `namespace/name`. */
  readonly listings = new Map<string, SourceListing>();
  /** What the registry says of a tag that nobody has asked for, by tag. */
  readonly digests = new Map<string, string>();
  #sources: readonly ImageSource[] = [];
  #images: readonly PrepulledImage[] = [];
  #nodes: readonly NodeFacts[] = [];

  setSources(...sources: readonly ImageSource[]): void {
    this.#sources = sources;
    this.revisions.sources += 1;
  }

  setImages(...images: readonly PrepulledImage[]): void {
    this.#images = images;
    this.revisions.images += 1;
  }

  setNodes(...nodes: readonly NodeFacts[]): void {
    this.#nodes = nodes;
    this.revisions.nodes += 1;
  }

  sources = (): readonly ImageSource[] => this.#sources;
  images = (): readonly PrepulledImage[] => this.#images;
  nodes = (): readonly NodeFacts[] => this.#nodes;

  source(namespace: string, name: string): ImageSource | undefined {
    return this.#sources.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  }

  image(namespace: string, name: string): PrepulledImage | undefined {
    return this.#images.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  }

  childrenOf(source: ImageSource): readonly PrepulledImage[] {
    return this.#images.filter((image) => controllerOf(image)?.uid === source.metadata.uid);
  }

  read(source: ImageSource): Promise<SourceListing> {
    const listing = this.listings.get(formatKey(source.metadata));
    return listing === undefined
      ? Promise.reject(new Error('the test has no such list'))
      : Promise.resolve(listing);
  }

  findDigest(_source: ImageSource, tag: string): Promise<string | null> {
    return Promise.resolve(this.digests.get(tag) ?? null);
  }
}

export interface WorldOptions {
  readonly anonymousRead?: boolean;
  readonly reviews?: FakeReviews;
  readonly clock?: Clock;
  /** Default: true. */
  readonly accessLog?: boolean;
}

/** All reading routes over the world, on a free port. */
export async function serveWorld(world: ReadingWorld, options: WorldOptions = {}): Promise<ServedGroups> {
  const {
    anonymousRead = true,
    reviews = new FakeReviews(),
    clock = systemClock,
    accessLog = true,
  } = options;
  const authorizer = new Authorizer({ reviews, clock, anonymousRead });
  const groups = worldGroups(world, { authorizer, clock });
  return ServedGroups.start({ groups, authorizer, reviews, clock, accessLog });
}

export function worldGroups(
  world: ReadingWorld,
  parts: Pick<ReadingParts, 'authorizer' | 'clock'>,
): readonly RouteGroup[] {
  const views = new SourceViews({ cluster: world, listings: world, clock: parts.clock });
  const reading: ReadingParts = { cluster: world, listings: world, views, ...parts };
  const groups = [spawnerRoutes(reading), readingRoutes(reading)];
  const { anonymousRead } = parts.authorizer;
  return [...groups, documentRoutes(groups, { version: '0.0.0', anonymousRead })];
}
