/** Fetches an operator bundle: labels from its configuration, related images from its small layers. */

import {
  type BundleFacts,
  bundleFacts,
  bundleLayers,
  MAX_BUNDLE_LAYER_BYTES,
  relatedImages,
} from './bundle.ts';
import type { ContentReader, View } from './content.ts';
import { type ManifestDocument, parseImageConfig } from './manifest.ts';

/** What a record shows of an operator bundle. */
export interface Bundle extends BundleFacts {
  /** As the ClusterServiceVersion names them; empty if it names none or was not found. */
  readonly relatedImages: readonly string[];
}

const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

/** Keeps nothing of its own: manifests and blobs are remembered by the content reader. */
export class BundleReader {
  readonly #content: ContentReader;

  constructor(content: ContentReader) {
    this.#content = content;
  }

  /** undefined if the image is no bundle. @throws RegistryError */
  async read(view: View, identifier: string): Promise<Bundle | undefined> {
    const image = await this.#anyImage(view, identifier);
    if (image === undefined) return undefined;
    const config = parseImageConfig(await this.#content.blob(view, image.config.digest, MAX_CONFIG_BYTES));
    const facts = bundleFacts(config?.labels ?? {});
    if (facts === undefined) return undefined;
    let images: readonly string[] = [];
    for (const layer of bundleLayers(image.layers)) {
      const blob = await this.#content.blob(view, layer.digest, MAX_BUNDLE_LAYER_BYTES);
      images = (await relatedImages(blob, facts.manifestsFolder)) ?? images;
    }
    return { ...facts, relatedImages: images };
  }

  /** Bundles hold no binaries: every platform of an index has the same content. */
  async #anyImage(
    view: View,
    identifier: string,
  ): Promise<(ManifestDocument & { kind: 'image' }) | undefined> {
    const { document } = await this.#content.manifest(view, identifier);
    if (document.kind === 'image') return document;
    const [first] = document.kind === 'index' ? document.children : [];
    if (first === undefined) return undefined;
    const child = await this.#content.manifest(view, first.digest);
    return child.document.kind === 'image' ? child.document : undefined;
  }
}
