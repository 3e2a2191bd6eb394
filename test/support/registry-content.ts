/** Random repositories and how they are pushed: tags over images and indexes of several platforms and formats. */

import fc from 'fast-check';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/registry/media-types.ts';
import type { Pusher } from './registry-real.ts';

export interface PlatformShape {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface ImageShape {
  readonly format: 'oci' | 'docker';
  readonly kind: 'image' | 'index';
  readonly platforms: readonly PlatformShape[];
  readonly attestation: boolean;
  readonly seed: number;
}

/** Tag to image. */
export type RepositoryShape = Readonly<Record<string, ImageShape>>;

const PLATFORMS: readonly PlatformShape[] = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
  { os: 'linux', architecture: 'arm', variant: 'v6' },
  { os: 'linux', architecture: 's390x' },
  { os: 'windows', architecture: 'amd64' },
];

const image: fc.Arbitrary<ImageShape> = fc.record({
  format: fc.constantFrom('oci', 'docker'),
  kind: fc.constantFrom('image', 'index'),
  platforms: fc.subarray([...PLATFORMS], { minLength: 1 }),
  attestation: fc.boolean(),
  seed: fc.nat(1000),
});

export const repositoryShape: fc.Arbitrary<RepositoryShape> = fc.dictionary(
  fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/).filter((tag) => tag !== '__proto__'),
  image,
  { minKeys: 1, maxKeys: 8 },
);

/** Pushes one image under a tag; returns the digest the tag then has. */
export async function pushShape(pusher: Pusher, tag: string, shape: ImageShape): Promise<string> {
  const [manifestType, indexType] =
    shape.format === 'oci' ? [OCI_MANIFEST, OCI_INDEX] : [DOCKER_MANIFEST, DOCKER_LIST];
  if (shape.kind === 'image')
    return pushImage(pusher, shape, { platform: shape.platforms[0] ?? PLATFORMS[0], tag });
  const manifests: object[] = [];
  for (const platform of shape.platforms) {
    const digest = await pushImage(pusher, shape, { platform });
    manifests.push({ mediaType: manifestType, digest, size: 400, platform });
  }
  if (shape.attestation) {
    const digest = await pushImage(pusher, { ...shape, seed: shape.seed + 1 }, { platform: PLATFORMS[0] });
    const platform = { os: 'unknown', architecture: 'unknown' };
    manifests.push({
      mediaType: manifestType,
      digest,
      size: 400,
      platform,
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    });
  }
  return pusher.manifest({ schemaVersion: 2, mediaType: indexType, manifests }, indexType, tag);
}

async function pushImage(
  pusher: Pusher,
  { format, seed }: ImageShape,
  { platform, tag }: { platform: PlatformShape | undefined; tag?: string },
): Promise<string> {
  const config = await pusher.blob(
    JSON.stringify({
      ...platform,
      seed,
      config: { Labels: { seed: String(seed) } },
      rootfs: { type: 'layers', diff_ids: [] },
    }),
  );
  const layer = await pusher.blob(`layer ${seed}`);
  const isOci = format === 'oci';
  const mediaType = isOci ? OCI_MANIFEST : DOCKER_MANIFEST;
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: isOci
        ? 'application/vnd.oci.image.config.v1+json'
        : 'application/vnd.docker.container.image.v1+json',
      ...config,
    },
    layers: [
      {
        mediaType: isOci
          ? 'application/vnd.oci.image.layer.v1.tar+gzip'
          : 'application/vnd.docker.image.rootfs.diff.tar.gzip',
        ...layer,
      },
    ],
  };
  return pusher.manifest(manifest, mediaType, tag);
}
