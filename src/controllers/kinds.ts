/** How the API addresses our kinds. */

import { ANNOTATIONS, GROUP, PLURALS, VERSION } from '../api/group-version.ts';
import type { ImageSource } from '../api/image-source.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import type { ResourceType } from '../kube/resource.ts';

export const imageSourceType: ResourceType<ImageSource> = {
  group: GROUP,
  version: VERSION,
  plural: PLURALS.ImageSource,
  kind: 'ImageSource',
  namespaced: true,
};

export const prepulledImageType: ResourceType<PrepulledImage> = {
  group: GROUP,
  version: VERSION,
  plural: PLURALS.PrepulledImage,
  kind: 'PrepulledImage',
  namespaced: true,
};

/** Annotations whose new value asks for an immediate pass: ours, and Flux's for tools that know only that. */
export const REQUEST_ANNOTATIONS: readonly string[] = [
  ANNOTATIONS.reconcileRequestedAt,
  ANNOTATIONS.fluxReconcileRequestedAt,
];
