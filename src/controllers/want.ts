/** From a PrepulledImage to what it asks of the nodes; shared by everything that plans or reports stocking. */

import type { ImageDescription, ImagePlatform } from '../api/image-description.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import { type Digest, validateDigest } from '../domain/digest.ts';
import { parseDuration } from '../domain/duration.ts';
import type { Platform } from '../domain/platform.ts';
import { formatReference, type Reference, validateReference } from '../domain/reference.ts';
import { pullsFor, type Want } from '../domain/want.ts';
import { findCondition } from '../kube/condition.ts';
import { formatKey } from '../kube/resource.ts';

type ResolvedReference = Reference & { readonly digest: Digest };

export const DEFAULT_PRIORITY_CLASS = 'larder-pull';

/** How the pods that pull an image authenticate and rank. */
export interface PullIdentity {
  readonly pullSecrets: readonly string[];
  readonly serviceAccountName: string | undefined;
  readonly priorityClassName: string;
}

/** `namespace/name` of the object, as in `Want.id`. */
export function wantId(image: PrepulledImage): string {
  return formatKey(image.metadata);
}

/** Whether the object will want something as soon as its image is resolved for the first time, which nobody must help. */
export function isPending(image: PrepulledImage): boolean {
  const isActive = !image.spec.suspend && image.metadata.deletionTimestamp === undefined;
  const isStuck = findCondition(image.status, 'Stalled') !== undefined;
  return isActive && image.status?.image === undefined && !isStuck;
}

export function pullIdentity({ spec }: PrepulledImage): PullIdentity {
  return {
    pullSecrets: (spec.access.pullSecretRefs ?? []).map(({ name }) => name),
    serviceAccountName: spec.access.serviceAccountName,
    priorityClassName: spec.pull.priorityClassName ?? DEFAULT_PRIORITY_CLASS,
  };
}

/**
 * What the object wants; undefined while it wants nothing: it is suspended or being deleted, or its status does not
 * say yet which digest the image of this spec has.
 */
export function wantOf(image: PrepulledImage): Want | undefined {
  if (image.spec.suspend || image.metadata.deletionTimestamp !== undefined) return undefined;
  const found = image.status?.image;
  const resolved = found === undefined ? undefined : resolvedReference(image.spec.image, found);
  return found === undefined || resolved === undefined ? undefined : buildWant(image, found, resolved);
}

function buildWant(image: PrepulledImage, found: ImageDescription, resolved: ResolvedReference): Want {
  const { metadata, spec } = image;
  const { namespace = '' } = metadata;
  return {
    id: wantId(image),
    namespace,
    identity: JSON.stringify([namespace, pullIdentity(image)]),
    priority: spec.pull.priority,
    sizeBytes: found.size ?? 0,
    pulls: pullsFor(resolved, spec.pull.by),
    scope: spec.nodes ?? {},
    host: resolved.registry,
    timeoutMs: parseDuration(spec.pull.timeout),
    verifyIntervalMs: parseDuration(spec.pull.verifyInterval),
    keepWarm: spec.keepWarm,
    ...(spec.pull.maxConcurrentNodes !== undefined && { maxConcurrentNodes: spec.pull.maxConcurrentNodes }),
    platforms: (found.platforms ?? []).map(platformOf),
  };
}

/** The reference asked for with the digest found, if what was found is about this very reference. */
function resolvedReference(asked: string, found: ImageDescription): ResolvedReference | undefined {
  const reference = validateReference(asked);
  const digest = validateDigest(found.digest ?? '');
  if (!reference.ok || !digest.ok) return undefined;
  const { digest: pinned = digest.value, ...named } = reference.value;
  const isSame = named.tag === undefined || formatReference(named) === found.reference;
  return isSame && pinned === digest.value ? { ...named, digest: digest.value } : undefined;
}

function platformOf({ os, architecture, variant }: ImagePlatform): Platform {
  return { os, architecture, ...(variant !== undefined && { variant }) };
}
