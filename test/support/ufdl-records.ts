/** The 23 images that UFDL ships, as DockerImageRecords a person would write; credentials are left out. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerImageRecordManifest } from '../../src/api/docker-image-record.ts';
import { API_VERSION, LABELS } from '../../src/api/group-version.ts';
import { childName } from '../../src/kube/owner-reference.ts';

const FOLDER = process.env['LARDER_CASES'] ?? join(import.meta.dirname, '../cases/data');

interface UfdlImage {
  readonly pk: number;
  readonly name: string;
  readonly version: string;
  readonly url: string;
  readonly cuda_version: { readonly version: string };
  readonly framework: { readonly name: string; readonly version: string };
  readonly domain: string;
  readonly tasks: readonly string[];
  readonly min_hardware_generation: { readonly generation: string } | null;
  readonly cpu: boolean;
  readonly licence: string;
}

interface UfdlCatalogue {
  readonly domains: readonly { readonly name: string; readonly description: string }[];
  readonly dockerImages: readonly UfdlImage[];
}

export function ufdlRecords(): readonly DockerImageRecordManifest[] {
  const { ufdl } = JSON.parse(readFileSync(join(FOLDER, 'ufdl-pushsource-cases.json'), 'utf8')) as {
    readonly ufdl: { readonly catalogue: UfdlCatalogue };
  };
  const { domains, dockerImages } = ufdl.catalogue;
  return dockerImages.map((image) => ({
    apiVersion: API_VERSION,
    kind: 'DockerImageRecord',
    metadata: {
      name: childName(`${image.name}-${image.version}`, `${image.name}\0${image.version}`),
      labels: { [LABELS.pk]: String(image.pk) },
    },
    spec: {
      name: image.name,
      version: image.version,
      image: image.url,
      ...(image.cuda_version.version !== '0.0' && { cuda: { version: image.cuda_version.version } }),
      framework: { name: image.framework.name, version: image.framework.version },
      domain: domains.find(({ description }) => description === image.domain)?.name ?? '',
      tasks: [...image.tasks],
      ...(image.min_hardware_generation && {
        minHardwareGeneration: image.min_hardware_generation.generation,
      }),
      cpu: image.cpu,
      licence: image.licence,
    },
  }));
}
