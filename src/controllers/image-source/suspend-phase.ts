/** Phase of a suspended source: its children do no new work either; what is being pulled ends. */

import type { ImageSource, ImageSourceStatus } from '../../api/image-source.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import { isNotFound } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Draft } from '../../kube/conclusion.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { done, type Result } from '../../kube/result.ts';
import { prepulledImageType } from '../kinds.ts';
import { closeWebhook } from './webhook-phase.ts';

export interface SuspendOptions {
  readonly client: KubeClient;
  /** The PrepulledImages that the source controls. */
  readonly children: (source: ImageSource) => readonly PrepulledImage[];
}

export function suspendPhase({ client, children }: SuspendOptions) {
  return async (
    source: ImageSource,
    draft: Draft<ImageSourceStatus>,
    context: PhaseContext,
  ): Promise<Result> => {
    draft.nextScanTime = undefined;
    closeWebhook(draft);
    await setSuspended(client, children(source), true, context);
    return done;
  };
}

/** Touches nothing else of the children: their images may not be known to this process yet. */
export async function setSuspended(
  client: KubeClient,
  children: readonly PrepulledImage[],
  suspend: boolean,
  { signal, log }: PhaseContext,
): Promise<void> {
  for (const { metadata } of children.filter(({ spec }) => spec.suspend !== suspend)) {
    try {
      await client.patch(
        prepulledImageType,
        metadata,
        { metadata: { uid: metadata.uid }, spec: { suspend } },
        { signal },
      );
      log.info('prepulled image changed with its source', { child: metadata.name, suspend });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
