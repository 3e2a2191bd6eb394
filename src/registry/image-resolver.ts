/** From a reference to what it is: digest, platforms, sizes, labels; each immutable part is asked for once. */

import type { Digest } from '../domain/digest.ts';
import type { Platform } from '../domain/platform.ts';
import type { BoundedCache } from './bounded-cache.ts';
import type { ContentReader, HeadResult, View } from './content.ts';
import { isRegistryError } from './errors.ts';
import { compressedSize, type ImageConfig, type ManifestDocument, parseImageConfig } from './manifest.ts';

/**
 * How much to ask for: `platforms` takes what the first manifest says (and the configuration of a single image),
 * `sizes` reads each platform's manifest too, `labels` its configuration as well.
 */
export type ResolveDetail = 'platforms' | 'sizes' | 'labels';

/** What a node of one platform would pull. */
export interface ResolvedPlatform extends Platform {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Compressed bytes of configuration and layers. */
  readonly size?: number;
  readonly configDigest?: Digest;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a reference means at this moment. */
export interface ResolvedImage {
  /** What the reference points at: the index, if there is one. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** Compressed bytes; of an index, those of its largest platform. */
  readonly size?: number;
  /** Attestations and platforms whose manifest is missing are left out. Empty for artifacts that no node can run. */
  readonly platforms: readonly ResolvedPlatform[];
  /** Type of an artifact that is not a container image. */
  readonly artifactType?: string;
  readonly warnings: readonly string[];
}

/** Containers' configurations; anything else is an artifact (chart, signature). */
const CONFIG_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  '',
]);
const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
/** Platforms of one index that are looked at in detail. */
const MAX_DETAILED = 32;

/** From a reference to digest, platforms and sizes, with as few requests as the caches allow. */
export class ImageResolver {
  readonly #content: ContentReader;
  /** The digest a tag had when it was last seen, by view and tag: then a HEAD tells whether it moved. */
  readonly #lastDigest: BoundedCache<Digest>;

  constructor(content: ContentReader, lastDigest: BoundedCache<Digest>) {
    this.#content = content;
    this.#lastDigest = lastDigest;
  }

  /** One HEAD; a GET only where the registry's HEAD does not tell the digest. */
  async headDigest(view: View, identifier: string): Promise<HeadResult> {
    const head = await this.#content.head(view, identifier);
    if (head !== undefined) return head;
    const { digest, document } = await this.#content.manifest(view, identifier);
    return { digest, mediaType: document.mediaType };
  }

  async resolve(view: View, identifier: string, detail: ResolveDetail): Promise<ResolvedImage> {
    const tagKey = `${view.key} ${identifier}`;
    const last = this.#lastDigest.get(tagKey);
    // A GET counts as a pull on some registries, a HEAD does not.
    const current = last === undefined ? identifier : (await this.headDigest(view, identifier)).digest;
    const { digest, document } = await this.#content.manifest(view, current);
    if (digest !== identifier) this.#lastDigest.set(tagKey, digest);
    return this.#describe(view, digest, document, detail);
  }

  async #describe(
    view: View,
    digest: Digest,
    document: ManifestDocument,
    detail: ResolveDetail,
  ): Promise<ResolvedImage> {
    const common = { digest, mediaType: document.mediaType };
    if (document.kind === 'schema1') {
      const platforms =
        document.architecture === '' ? [] : [{ os: 'linux', architecture: document.architecture, ...common }];
      return { ...common, platforms, warnings: ['Docker schema 1: containerd no longer pulls it'] };
    }
    if (document.kind === 'index') return this.#describeIndex(view, common, document, detail);
    const size = compressedSize(document);
    const artifactType = artifactTypeOf(document);
    if (artifactType !== undefined) return { ...common, size, platforms: [], artifactType, warnings: [] };
    const config = await this.#config(view, document.config.digest);
    const platform =
      config?.platform && describePlatform(config.platform, common, { size, config, document });
    const warnings = platform ? [] : ['the image configuration names no platform'];
    return { ...common, size, platforms: platform ? [platform] : [], warnings };
  }

  async #describeIndex(
    view: View,
    common: { digest: Digest; mediaType: string },
    index: ManifestDocument & { kind: 'index' },
    detail: ResolveDetail,
  ): Promise<ResolvedImage> {
    const { artifactType } = index;
    const children = index.children.slice(0, MAX_DETAILED);
    const warnings =
      index.children.length > MAX_DETAILED ? [`only ${MAX_DETAILED} platforms are looked at`] : [];
    const found = await Promise.all(children.map((child) => this.#child(view, child, detail, warnings)));
    const platforms = found.filter((platform) => platform !== undefined);
    const sizes = platforms.flatMap(({ size }) => (size === undefined ? [] : [size]));
    return {
      ...common,
      ...(sizes.length > 0 && { size: Math.max(...sizes) }),
      ...(artifactType !== undefined && { artifactType }),
      platforms,
      warnings,
    };
  }

  /** undefined, and a warning, if the index names a manifest that the registry does not have. */
  async #child(
    view: View,
    child: { mediaType: string; digest: Digest; platform: Platform },
    detail: ResolveDetail,
    warnings: string[],
  ): Promise<ResolvedPlatform | undefined> {
    const named = { digest: child.digest, mediaType: child.mediaType };
    if (detail === 'platforms') return { ...child.platform, ...named };
    try {
      const { document } = await this.#content.manifest(view, child.digest);
      if (document.kind !== 'image') return { ...child.platform, ...named, mediaType: document.mediaType };
      const config = detail === 'labels' ? await this.#config(view, document.config.digest) : undefined;
      const mediaType = document.mediaType;
      return describePlatform(
        child.platform,
        { ...named, mediaType },
        { size: compressedSize(document), config, document },
      );
    } catch (error) {
      if (!isRegistryError(error) || error.status !== 404) throw error;
      warnings.push(`the manifest of ${child.platform.os}/${child.platform.architecture} is missing`);
      return undefined;
    }
  }

  async #config(view: View, digest: Digest): Promise<ImageConfig | undefined> {
    return parseImageConfig(await this.#content.blob(view, digest, MAX_CONFIG_BYTES));
  }
}

function describePlatform(
  platform: Platform,
  named: { digest: Digest; mediaType: string },
  facts: { size: number; config: ImageConfig | undefined; document: ManifestDocument & { kind: 'image' } },
): ResolvedPlatform {
  return {
    ...platform,
    ...named,
    size: facts.size,
    configDigest: facts.document.config.digest,
    ...(facts.config && { labels: facts.config.labels }),
  };
}

function artifactTypeOf(document: ManifestDocument & { kind: 'image' }): string | undefined {
  if (document.artifactType !== undefined) return document.artifactType;
  return CONFIG_TYPES.has(document.config.mediaType) ? undefined : document.config.mediaType;
}
