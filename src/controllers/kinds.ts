/** How the API addresses our kinds. */

import { GROUP, VERSION } from '../api/group-version.ts';
import type { ImageSource } from '../api/image-source.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import type { ResourceType } from '../kube/resource.ts';

export const imageSourceType: ResourceType<ImageSource> = {
  group: GROUP,
  version: VERSION,
  plural: 'imagesources',
  kind: 'ImageSource',
  namespaced: true,
};

export const prepulledImageType: ResourceType<PrepulledImage> = {
  group: GROUP,
  version: VERSION,
  plural: 'prepulledimages',
  kind: 'PrepulledImage',
  namespaced: true,
};

/** Annotations whose new value asks for an immediate pass: ours, and Flux's for tools that know only that. */
export const REQUEST_ANNOTATIONS: readonly string[] = [
  'larder.dev/reconcile-requested-at',
  'reconcile.fluxcd.io/requestedAt',
];
