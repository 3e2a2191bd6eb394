/** prepulled-image: resolves one image and reports where it is. The pulling itself is the node-stocker's. */

import { type PrepulledImage, prepulledImageDefinition } from '../../api/prepulled-image.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Draft, Summary } from '../../kube/conclusion.ts';
import { type Condition, findCondition } from '../../kube/condition.ts';
import type { Reconciler } from '../../kube/controller.ts';
import { type ObjectSource, objectReconciler } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { fitPhase } from '../fit-phase.ts';
import { REQUEST_ANNOTATIONS } from '../kinds.ts';
import { type ObserveOptions, observePhase } from './observe.ts';
import { type ResolveOptions, resolvePhase } from './resolve.ts';
import { OWNED_CONDITIONS, type Status } from './status.ts';

export interface PrepulledImageOptions extends Omit<ResolveOptions, 'resolved'>, ObserveOptions {
  readonly client: KubeClient;
  readonly source: ObjectSource<PrepulledImage>;
}

export function prepulledImageReconciler(options: PrepulledImageOptions): Reconciler {
  const resolved: ResolveOptions['resolved'] = new Map();
  return objectReconciler<PrepulledImage, Status>({
    source: options.source,
    client: options.client,
    phases: [
      resolvePhase({ ...options, resolved }),
      observePhase(options),
      fitPhase(prepulledImageDefinition),
    ],
    summarise,
    ownedConditions: OWNED_CONDITIONS,
    isSuspended: ({ spec }) => spec.suspend,
    requestAnnotations: REQUEST_ANNOTATIONS,
    forget: (key) => {
      resolved.delete(formatKey(key));
    },
  });
}

/**
 * Ready: the registry and the credentials are in order, and `minReady` of all eligible nodes have the image. No node
 * at all is ready, or an empty pool would block a rollout.
 */
export function summarise({ spec }: PrepulledImage, draft: Draft<Status>): Summary {
  const trouble = ['CredentialsReady', 'Resolved'].map((type) => findCondition(draft, type)).find(isFalse);
  if (trouble === undefined) return stockSummary(draft.nodes, Number.parseInt(spec.minReady, 10));
  const { reason, message } = trouble;
  return { status: 'False', reason, message, progressing: { reason: 'ProgressingWithRetry', message } };
}

function stockSummary(nodes: Status['nodes'], minReadyPercent: number): Summary {
  if (nodes === undefined || nodes.eligible === 0) {
    return {
      status: 'True',
      reason: 'NoEligibleNodes',
      message: 'No node wants the image and could pull it now',
    };
  }
  const { eligible, present } = nodes;
  const message = `On ${present} of ${eligible} eligible nodes`;
  const progressing = present < eligible ? { progressing: { reason: 'Progressing', message } } : {};
  const isReady = present * 100 >= minReadyPercent * eligible;
  return {
    status: isReady ? 'True' : 'False',
    reason: isReady ? 'Stocked' : 'Stocking',
    message,
    ...progressing,
  };
}

function isFalse(condition: Condition | undefined): condition is Condition {
  return condition?.status === 'False';
}
