/** What an operator bundle brings: package and channels from its labels, the images it uses from its own CSV. */

import { type Reference, validateReference, withRuntimeDefaults } from '../../domain/reference.ts';
import type { RegistryAccess } from '../../registry/access.ts';
import type { Bundle } from '../../registry/bundle-reader.ts';
import type { RegistryClient } from '../../registry/client.ts';
import { isRegistryError } from '../../registry/errors.ts';
import type { Status } from './status.ts';

/** As many as the status shows; no others are asked for. */
const MAX_RELATED = 32;

export interface BundleQuestion {
  readonly registry: Pick<RegistryClient, 'readBundle' | 'headDigest'>;
  readonly access: RegistryAccess;
  readonly signal: AbortSignal;
}

/** undefined if the image is no bundle. @throws RegistryError if the bundle itself cannot be read */
export async function findBundle(
  reference: Reference,
  question: BundleQuestion,
): Promise<Status['operatorBundle']> {
  const { registry, access, signal } = question;
  const bundle = await registry.readBundle(reference, access, { signal });
  return bundle && describe(bundle, await missingImages(reference, bundle.relatedImages, question));
}

function describe(bundle: Bundle, missing: readonly string[]): Status['operatorBundle'] {
  const { relatedImages } = bundle;
  return {
    package: orAbsent(bundle.package),
    channels: bundle.channels.length === 0 ? undefined : bundle.channels,
    defaultChannel: orAbsent(bundle.defaultChannel),
    mediaType: bundle.mediaType,
    openshiftVersions: orAbsent(bundle.openshiftVersions),
    relatedImages: relatedImages.length === 0 ? undefined : relatedImages.slice(0, MAX_RELATED),
    relatedImageCount: relatedImages.length,
    missingImages: missing.length === 0 ? undefined : missing,
  };
}

function orAbsent(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/**
 * Those that the registry of the bundle does not have. Other registries are not asked: the list comes out of an image,
 * and whoever built that must not choose which hosts we talk to.
 */
async function missingImages(
  bundle: Reference,
  images: readonly string[],
  question: BundleQuestion,
): Promise<readonly string[]> {
  const { registry } = withRuntimeDefaults(bundle);
  const asked = images.slice(0, MAX_RELATED).flatMap((image) => {
    const parsed = validateReference(image);
    return parsed.ok && withRuntimeDefaults(parsed.value).registry === registry
      ? [{ image, reference: parsed.value }]
      : [];
  });
  const missing = await Promise.all(asked.map(({ reference }) => isMissing(reference, question)));
  return asked.filter((_, index) => missing[index]).map(({ image }) => image);
}

/** Only a clear answer counts; a registry in trouble says nothing about an image. */
async function isMissing(
  reference: Reference,
  { registry, access, signal }: BundleQuestion,
): Promise<boolean> {
  try {
    await registry.headDigest(reference, access, { signal });
    return false;
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    return error.status === 404;
  }
}
