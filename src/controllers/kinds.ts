/** How the API addresses our kinds. */

import type { DockerImageRecord } from '../api/docker-image-record.ts';
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

export const dockerImageRecordType: ResourceType<DockerImageRecord> = {
  group: GROUP,
  version: VERSION,
  plural: PLURALS.DockerImageRecord,
  kind: 'DockerImageRecord',
  namespaced: true,
};

/** Annotations whose new value asks for an immediate pass: ours, and Flux's for tools that know only that. */
export const REQUEST_ANNOTATIONS: readonly string[] = [
  ANNOTATIONS.reconcileRequestedAt,
  ANNOTATIONS.fluxReconcileRequestedAt,
];
