/** The pull specifications of an image as its registry answered. */

import {
  buildDigestSpec,
  buildPullInfo,
  buildTagSpec,
  type DigestSpec,
  type PullInfo,
} from '../domain/pull-spec.ts';
import { type Reference, withRuntimeDefaults } from '../domain/reference.ts';
import type { ResolvedImage } from './image-resolver.ts';

/** The index first, then its platforms; a single image is its own platform. */
export function describePull(reference: Reference, image: ResolvedImage): PullInfo {
  const repository = withRuntimeDefaults(reference);
  const tags =
    reference.tag === undefined ? [] : [buildTagSpec(repository, reference.tag, [image.mediaType])];
  const platforms = image.platforms.map(
    ({ digest, mediaType, os, architecture, variant, osVersion }): DigestSpec => {
      const platform = {
        os,
        architecture,
        ...(variant !== undefined && { variant }),
        ...(osVersion !== undefined && { osVersion }),
      };
      return buildDigestSpec(repository, digest, {
        mediaType: mediaType === '' ? undefined : mediaType,
        platform,
      });
    },
  );
  return buildPullInfo(tags, [
    buildDigestSpec(repository, image.digest, { mediaType: image.mediaType }),
    ...platforms,
  ]);
}
