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
import { wantId } from '../want.ts';
import { type ObserveOptions, observePhase } from './observe.ts';
import { type RecordOptions, recordPhase, recordRefusal } from './record-reference.ts';
import { type ResolveOptions, resolvePhase } from './resolve.ts';
import { OWNED_CONDITIONS, type Status } from './status.ts';

export interface PrepulledImageOptions
  extends Omit<ResolveOptions, 'resolved'>,
    Omit<ObserveOptions, 'looked'>,
    RecordOptions {
  readonly client: KubeClient;
  readonly source: ObjectSource<PrepulledImage>;
}

export function prepulledImageReconciler(options: PrepulledImageOptions): Reconciler {
  const resolved: ResolveOptions['resolved'] = new Map();
  const looked: ObserveOptions['looked'] = new Map();
  return objectReconciler<PrepulledImage, Status>({
    source: options.source,
    client: options.client,
    phases: [
      recordPhase(options),
      resolvePhase({ ...options, resolved }),
      observePhase({ ...options, looked }),
      fitPhase(prepulledImageDefinition),
    ],
    summarise: (image, draft) =>
      recordRefusal(options, image) ??
      summarise(image, draft, options.index.newcomers(wantId(image)).missing),
    ownedConditions: OWNED_CONDITIONS,
    isSuspended: ({ spec }) => spec.suspend,
    requestAnnotations: REQUEST_ANNOTATIONS,
    forget: (key) => {
      resolved.delete(formatKey(key));
      looked.delete(formatKey(key));
    },
  });
}

/**
 * Ready: the registry and the credentials are in order, and `minReady` of all eligible nodes have the image. Once it
 * was ready, `newcomers` - nodes that joined a moment ago and lack it - do not count. No node at all is ready, or an
 * empty pool would block a rollout.
 */
export function summarise(image: PrepulledImage, draft: Draft<Status>, newcomers = 0): Summary {
  const trouble = ['CredentialsReady', 'Resolved'].map((type) => findCondition(draft, type)).find(isFalse);
  if (trouble !== undefined) return retrying(trouble);
  const prepulled = findCondition(draft, 'Prepulled');
  if (prepulled?.reason === 'NamespaceLimitExceeded') return refused(prepulled);
  if (draft.backoff !== undefined) return retrying(backoffWords(draft));
  const wasReady = draft.observedGeneration === image.metadata.generation;
  return stockSummary(draft.nodes, Number.parseInt(image.spec.minReady, 10), wasReady ? newcomers : 0);
}

function retrying({ reason, message }: Pick<Condition, 'reason' | 'message'>): Summary {
  return { status: 'False', reason, message, progressing: { reason: 'ProgressingWithRetry', message } };
}

/** It stays so until other images go or a person raises the limit. */
function refused({ reason, message }: Condition): Summary {
  return { status: 'False', reason, message };
}

/** What failed on several nodes and worked on none. */
function backoffWords({ backoff, notPresent = [] }: Draft<Status>): Pick<Condition, 'reason' | 'message'> {
  const cause = notPresent.find(({ state }) => state === 'Failed')?.message ?? 'no node could pull the image';
  const reason = backoff?.class === 'Registry' ? 'RegistryUnreachable' : 'ImagePullFailed';
  return { reason, message: `${cause}; tried again at ${backoff?.nextAttempt ?? 'once'}` };
}

function stockSummary(nodes: Status['nodes'], minReadyPercent: number, newcomers: number): Summary {
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
  const isReady = present * 100 >= minReadyPercent * (eligible - newcomers);
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
