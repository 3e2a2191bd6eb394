/** What the routes read: narrow ports over caches and scans, the same on every replica; wired in operator/. */

import type { ImageSource } from '../api/image-source.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import type { NodeFacts } from '../domain/node.ts';
import type { SourceImages } from '../domain/source-images.ts';

/** Numbers that grow when something of the kind changes in a way that an answer could show; heartbeats do not. */
export interface Revisions {
  readonly sources: number;
  readonly images: number;
  readonly nodes: number;
}

/** The caches of this process. Objects are frozen. */
export interface ClusterReader {
  readonly revisions: Revisions;
  sources(): readonly ImageSource[];
  source(namespace: string, name: string): ImageSource | undefined;
  images(): readonly PrepulledImage[];
  image(namespace: string, name: string): PrepulledImage | undefined;
  /** The PrepulledImages that the source controls. */
  childrenOf(source: ImageSource): readonly PrepulledImage[];
  /** The same array while none of them has changed. */
  nodes(): readonly NodeFacts[];
}

/** Scan: the whole list. Status: only what the status of the ImageSource tells, because nothing else is known here. */
export type ListingOrigin = 'Scan' | 'Status';

/** The tags of one source, read and resolved; without nodes. */
export interface SourceListing {
  readonly images: SourceImages;
  readonly origin: ListingOrigin;
}

/** Where the whole list is: never in a status. */
export interface ListingReader {
  /** The same object again while nothing has changed. Does not fail for a registry that does not answer. */
  read(source: ImageSource, signal: AbortSignal): Promise<SourceListing>;
  /** The digest of a tag that nobody has asked for yet; null if the registry does not tell. */
  findDigest(source: ImageSource, tag: string, signal: AbortSignal): Promise<string | null>;
}
