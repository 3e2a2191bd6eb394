/** Images of one repository in a fixed order, indexed by tag and digest. Immutable: every operation is a new one. */

import { addToGroup, groupByDigest, primaryOf, resolveSiblings } from './alias-resolution.ts';
import type { Digest } from './digest.ts';
import { type Fold, foldEach, foldSort, runFold } from './fold.ts';
import type { Image } from './image.ts';
import type { Integer } from './integer.ts';
import type { CompareTags, TagType } from './tag/tag.ts';

/** Which images a listing leaves out. */
export interface Hiding {
  /** Tags for one architecture, and aliases of such. Default true. */
  readonly architectures?: boolean;
  /** Version images that an alias in the same collection stands for: menus. */
  readonly aliased?: boolean;
  /** Aliases whose target is in the same collection: status of pulls. */
  readonly resolvedAliases?: boolean;
}

/** Where a digest was seen, by digest: node names, and the size the last node reported. */
export type Presence = ReadonlyMap<
  string,
  { readonly nodes: ReadonlySet<string>; readonly size: number | null }
>;

export interface ResolveOptions {
  /** Keeps only images of this cycle, before anything is resolved. */
  readonly cycle?: Integer | null;
  /** Images that take no part in aliases: each stands for itself. */
  readonly apart?: (image: Image) => boolean;
}

interface Index {
  readonly order: CompareTags;
  readonly byTag: ReadonlyMap<string, Image>;
  readonly primaries: ReadonlyMap<Digest, Image>;
}

export class ImageCollection {
  /** All images in output order: types in fixed order, newest first, equal ones in listing order. */
  readonly images: readonly Image[];
  readonly #order: CompareTags;
  readonly #byTag: ReadonlyMap<string, Image>;
  readonly #byDigest: ReadonlyMap<Digest, Image>;

  private constructor(images: readonly Image[], { order, byTag, primaries }: Index) {
    this.images = images;
    this.#order = order;
    this.#byTag = byTag;
    this.#byDigest = primaries;
  }

  /** As `fold`, in one go. */
  static resolve(
    listing: Iterable<Image>,
    order: CompareTags,
    options: ResolveOptions = {},
  ): ImageCollection {
    return runFold(ImageCollection.fold(listing, order, options));
  }

  /**
   * Resolves aliases among the images and orders them.
   *
   * @param listing its order decides which of two versions with one digest is primary; of a repeated tag the last counts
   * @param order of the grammar, as in `Grammar.order`
   */
  static *fold(
    listing: Iterable<Image>,
    order: CompareTags,
    options: ResolveOptions = {},
  ): Fold<ImageCollection> {
    const { cycle = null, apart } = options;
    const byTag = new Map<string, Image>();
    const groups = new Map<Digest, Image[]>();
    yield* foldEach(listing, (image) => {
      if (cycle === null || image.cycle === cycle) byTag.set(image.tag, image);
    });
    yield* foldEach(byTag.values(), (image) => {
      if (apart?.(image) !== true) addToGroup(groups, image);
    });
    const primaries = new Map<Digest, Image>();
    yield* foldEach(groups, ([digest, siblings]) => {
      const resolved = resolveSiblings(siblings);
      const [primary] = resolved;
      if (primary !== undefined) primaries.set(digest, primary);
      if (resolved.length > 1) for (const image of resolved) byTag.set(image.tag, image);
    });
    const images = yield* foldSort([...byTag.values()], order);
    return new ImageCollection(images, { order, byTag, primaries });
  }

  get size(): number {
    return this.images.length;
  }

  imageForTag(tag: string): Image | undefined {
    return this.#byTag.get(tag);
  }

  /** The primary image of a digest: a version image if there is one. */
  imageForDigest(digest: Digest): Image | undefined {
    return this.#byDigest.get(digest);
  }

  /** The newest image of a type, architecture tags included. */
  latest(type: TagType): Image | undefined {
    return this.images.find((image) => image.type === type);
  }

  /** Images in order without those that are hidden; architecture tags are hidden unless told not to. */
  list({ architectures = true, aliased = false, resolvedAliases = false }: Hiding = {}): readonly Image[] {
    const targets = aliased ? this.#aliasTargets() : new Set<string>();
    return this.images.filter(
      (image) =>
        !(architectures && image.architecture !== null) &&
        !(image.type !== 'alias' && targets.has(image.tag)) &&
        !(resolvedAliases && image.aliasTarget !== null && this.#byTag.has(image.aliasTarget)),
    );
  }

  /** The images that `keeps` accepts, exactly as they are here: aliases and targets stay those of the whole. */
  subset(keeps: (image: Image) => boolean): ImageCollection {
    const images = this.images.filter(keeps);
    return this.#indexed(images, this.#primariesWithin(images));
  }

  /** One image per digest that `other` has not (architecture tags of `other` do not count): what must be pulled. */
  subtract(other: ImageCollection): ImageCollection {
    const present = new Set(other.list().map((image) => image.digest));
    const missing = new Set([...this.#byDigest.values()].filter((image) => !present.has(image.digest)));
    return this.subset((image) => missing.has(image));
  }

  /** Both together; a tag that is in both is taken from `other`. Aliases are resolved anew over all. */
  merge(other: ImageCollection): ImageCollection {
    const kept = this.images.filter((image) => other.imageForTag(image.tag) === undefined);
    return ImageCollection.resolve([...kept, ...other.images].sort(this.#order), this.#order);
  }

  /** The same images with nodes, and sizes unless `keepsSizes`, from what nodes report. */
  withPresence(presence: Presence, keepsSizes = false): ImageCollection {
    const images = this.images.map((image) => withPresence(image, presence, keepsSizes));
    const changed = new Map(images.map((image) => [image.tag, image]));
    const primaries = [...this.#byDigest].map(
      ([digest, image]) => [digest, changed.get(image.tag) ?? image] as const,
    );
    return this.#indexed(images, new Map(primaries));
  }

  #indexed(images: readonly Image[], primaries: ReadonlyMap<Digest, Image>): ImageCollection {
    const byTag = new Map(images.map((image) => [image.tag, image]));
    return new ImageCollection(images, { order: this.#order, byTag, primaries });
  }

  #aliasTargets(): ReadonlySet<string> {
    const aliases = this.images.filter((image) => image.type === 'alias');
    return new Set(aliases.flatMap(({ aliasTarget }) => aliasTarget ?? []));
  }

  /** The primary of the whole if it is in, else the first version image in output order, else the first. */
  #primariesWithin(images: readonly Image[]): ReadonlyMap<Digest, Image> {
    const kept = new Set(images);
    const primaries = new Map<Digest, Image>();
    for (const [digest, siblings] of groupByDigest(images)) {
      const whole = this.#byDigest.get(digest);
      const primary = whole !== undefined && kept.has(whole) ? whole : primaryOf(siblings);
      if (primary !== undefined) primaries.set(digest, primary);
    }
    return primaries;
  }
}

/** On every one of these nodes; no node at all counts as every one, as in the original. */
export function isOnAll(image: Image, nodes: ReadonlySet<string>): boolean {
  return nodes.isSubsetOf(image.nodes);
}

/** The image with the nodes of its digest, and the size the last node reported unless `keepsSize`. */
export function withPresence(image: Image, presence: Presence, keepsSize = false): Image {
  const seen = image.digest === null ? undefined : presence.get(image.digest);
  if (seen === undefined) return image;
  return { ...image, nodes: seen.nodes, size: keepsSize ? image.size : (seen.size ?? image.size) };
}
