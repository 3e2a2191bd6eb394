/** Phase: one PrepulledImage per selected digest, by server-side apply; what is no longer selected retires. */

import { LABELS } from '../../api/group-version.ts';
import type { ImageSource, ImageSourceStatus } from '../../api/image-source.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import { parseDuration } from '../../domain/duration.ts';
import type { Image } from '../../domain/image.ts';
import type { SourceImages } from '../../domain/source-images.ts';
import { isConflict, isNotFound } from '../../kube/api-error.ts';
import type { Lister } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Draft } from '../../kube/conclusion.ts';
import {
  childName,
  controllerOf,
  controllerReference,
  isControlledBy,
  ownerName,
} from '../../kube/owner-reference.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { done, type Result, WaitingError } from '../../kube/result.ts';
import { imageSourceType, prepulledImageType } from '../kinds.ts';
import { type AppliedSpecs, childSpec, hasLabels, saysExactly } from './child-spec.ts';
import { childrenByDigest, childrenToRetire } from './retirement.ts';
import type { ScanMemory } from './scan-memory.ts';
import { setSuspended } from './suspend-phase.ts';

/** Index of the PrepulledImage informer: by the uid of the controlling owner. */
export const CHILDREN_BY_OWNER = 'owner';

export interface ChildrenOptions {
  readonly client: KubeClient;
  readonly memory: ScanMemory;
  readonly applied: AppliedSpecs;
  readonly images: Pick<Lister<PrepulledImage>, 'get' | 'byIndex'>;
}

const CONFLICT_RETRY_MS = 60_000;

export function childrenPhase(options: ChildrenOptions) {
  return async (
    source: ImageSource,
    _draft: Draft<ImageSourceStatus>,
    context: PhaseContext,
  ): Promise<Result> => {
    const key = formatKey(source.metadata);
    const { result, held = [] } = options.memory.get(key) ?? {};
    const existing = childrenOf(options, source);
    if (source.spec.prepull === undefined) {
      // Whatever is selected, and also if nobody knows that: no child is wanted.
      options.applied.forget(key);
      for (const child of existing) await retire(options, source, child, context);
      return done;
    }
    if (result === undefined) {
      // Released before a scan has succeeded: the children need not wait for it.
      await setSuspended(options.client, existing, false, context);
      return done;
    }
    const wanted = primaries(result.images);
    const byDigest = childrenByDigest(existing);
    const placed = wanted.map((image) => ({ image, name: placeOf(source, image, byDigest) }));
    const ensured = await Promise.allSettled(
      placed.map((placement) => ensureChild(options, source, placement, context)),
    );
    const names = new Set(placed.map(({ name }) => name));
    options.applied.keepOnly(key, names);
    // A list that looks older than one seen before takes nothing away.
    const retiring =
      held.length > 0 ? [] : childrenToRetire({ existing, wanted, names, failed: result.failed });
    for (const child of retiring) await retire(options, source, child, context);
    // One child in trouble holds up no other.
    for (const each of ensured) if (each.status === 'rejected') throw each.reason;
    return done;
  };
}

export function childrenOf(
  { images }: Pick<ChildrenOptions, 'images'>,
  source: ImageSource,
): readonly PrepulledImage[] {
  return images.byIndex(CHILDREN_BY_OWNER, source.metadata.uid ?? '');
}

/** One image per digest; an image whose digest nobody knows yet has no child. */
export function primaries({ selected }: SourceImages): readonly Image[] {
  return selected.images.filter(
    ({ digest, tag }) => digest !== null && selected.imageForDigest(digest)?.tag === tag,
  );
}

interface Placement {
  readonly image: Image;
  /** Of the child. */
  readonly name: string;
}

/** Name of the child. A digest keeps its child when another of its tags becomes the primary one. */
export function placeOf(
  source: ImageSource,
  image: Image,
  existing: ReturnType<typeof childrenByDigest>,
): string {
  const same = existing.get(image.digest ?? '');
  const { name } = source.metadata;
  // What can be read of a name is not enough: `a.b` and `a-b` read alike, and so do `a` with tag b-1 and `a-b` with 1.
  const identity = `${name} ${image.registry}/${image.repository}@${image.digest ?? ''}`;
  return same?.metadata.name ?? childName(`${name}-${image.tag}`, identity);
}

/** Creates or corrects the child. Nothing is sent if it is as wanted. */
async function ensureChild(
  { client, images, applied }: ChildrenOptions,
  source: ImageSource,
  { image, name }: Placement,
  { signal, log }: PhaseContext,
): Promise<void> {
  const { namespace = '', name: sourceName } = source.metadata;
  const current = images.get({ namespace, name });
  const isOurs = current !== undefined && isControlledBy(current, source);
  if (current !== undefined && !isOurs && !isOrphan(current, sourceName)) {
    throw new WaitingError(
      'ChildConflict',
      `PrepulledImage ${name} belongs to ${ownerName(current)}; delete or rename it`,
      Math.min(CONFLICT_RETRY_MS, parseDuration(source.spec.interval)),
    );
  }
  const spec = childSpec(source, image);
  const labels = { [LABELS.source]: sourceName };
  const key = formatKey(source.metadata);
  const isInForce = isOurs && (saysExactly(current, spec) || applied.isInForce(key, current, spec));
  if (isInForce && hasLabels(current, labels)) return;
  const ownerReferences = [controllerReference(imageSourceType, source)];
  const stored = await client.apply(
    prepulledImageType,
    { metadata: { namespace, name, labels, ownerReferences }, spec },
    // The cache may not show yet what somebody else has just made: a new child takes nothing over.
    { signal, force: current !== undefined },
  );
  applied.note(key, stored, spec);
  log.info('prepulled image applied', { child: name, image: spec['image'] });
}

/** A child that was kept when it retired, or outlived its source: it comes home when its image is selected again. */
function isOrphan(child: PrepulledImage, sourceName: string): boolean {
  return controllerOf(child) === undefined && child.metadata.labels?.[LABELS.source] === sourceName;
}

async function retire(
  { client }: ChildrenOptions,
  source: ImageSource,
  child: PrepulledImage,
  { signal, log }: PhaseContext,
): Promise<void> {
  const { uid } = child.metadata;
  try {
    if (source.spec.retire === 'Delete') {
      await client.delete(prepulledImageType, child.metadata, { preconditions: { uid }, signal });
    } else {
      const ownerReferences = child.metadata.ownerReferences?.filter(
        (owner) => owner.uid !== source.metadata.uid,
      );
      await client.patch(
        prepulledImageType,
        child.metadata,
        { metadata: { uid, ownerReferences } },
        { signal },
      );
    }
    log.info('prepulled image retired', { child: child.metadata.name, policy: source.spec.retire });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
