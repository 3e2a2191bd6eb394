/** Phase: one PrepulledImage per selected digest, by server-side apply; what is no longer selected retires. */

import { LABELS } from '../../api/group-version.ts';
import type { ImageSource, ImageSourceStatus } from '../../api/image-source.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import { parseDuration } from '../../domain/duration.ts';
import type { Image } from '../../domain/image.ts';
import { isConflict, isNotFound } from '../../kube/api-error.ts';
import type { Lister } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { controllerReference, isControlledBy, ownerName } from '../../kube/owner-reference.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { done, type Result, WaitingError } from '../../kube/result.ts';
import type { AppliedSpecs } from '../applied-specs.ts';
import { imageSourceType, prepulledImageType } from '../kinds.ts';
import {
  childNameOf,
  childrenByDigest,
  childrenOf,
  imagesWithChild,
  isReleasedBy,
  releasedChildrenOf,
} from './child-identity.ts';
import { childSpec, hasLabels } from './child-spec.ts';
import { childrenToRetire } from './retirement.ts';
import type { ScanMemory } from './scan-memory.ts';
import { setSuspended } from './suspend-phase.ts';

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
    const existing = childrenOf(options.images, source);
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
    const wanted = imagesWithChild(result.images);
    const byDigest = childrenByDigest([...existing, ...releasedChildrenOf(options.images, source)]);
    const placed = wanted.map((image) => ({ image, name: childNameOf(source, image, byDigest) }));
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

interface Placement {
  readonly image: Image;
  /** Of the child. */
  readonly name: string;
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
  if (current !== undefined && !isOurs && !isReleasedBy(current, source)) {
    throw new WaitingError(
      'ChildConflict',
      `PrepulledImage ${name} belongs to ${ownerName(current)}; delete or rename it`,
      Math.min(CONFLICT_RETRY_MS, parseDuration(source.spec.interval)),
    );
  }
  const spec = childSpec(source, image);
  const labels = { [LABELS.source]: sourceName };
  const key = formatKey(source.metadata);
  if (isOurs && applied.isAsWanted(key, current, spec) && hasLabels(current, labels)) return;
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
