/** image-source: watches one repository, publishes what of it matters, and keeps one child per selected image. */

import { type ImageSource, type ImageSourceStatus, imageSourceDefinition } from '../../api/image-source.ts';
import type { HeldBack } from '../../domain/newest-seen.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Draft, Summary } from '../../kube/conclusion.ts';
import type { Reconciler } from '../../kube/controller.ts';
import { type ObjectSource, objectReconciler } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { fitPhase } from '../fit-phase.ts';
import { REQUEST_ANNOTATIONS } from '../kinds.ts';
import { type ChildrenOptions, childrenOf, childrenPhase } from './children.ts';
import { publishPhase } from './publish.ts';
import type { ScanMemory } from './scan-memory.ts';
import { type ScanOptions, scanPhase } from './scan-phase.ts';

export interface ImageSourceOptions extends Omit<ScanOptions, 'memory'>, Omit<ChildrenOptions, 'memory'> {
  readonly client: KubeClient;
  readonly source: ObjectSource<ImageSource>;
}

export function imageSourceReconciler(options: ImageSourceOptions): Reconciler {
  const memory: ScanMemory = new Map();
  return objectReconciler<ImageSource, ImageSourceStatus>({
    source: options.source,
    client: options.client,
    phases: [
      scanPhase({ ...options, memory }),
      publishPhase({ memory, children: (source) => childrenOf(options, source) }),
      fitPhase(imageSourceDefinition),
      childrenPhase({ ...options, memory }),
    ],
    summarise: (source, draft) => summarise(memory, source, draft),
    ownedConditions: [],
    isSuspended: ({ spec }) => spec.suspend,
    requestAnnotations: REQUEST_ANNOTATIONS,
    forget: (key) => {
      memory.delete(formatKey(key));
    },
  });
}

/** Ready: the newest scan attempt has succeeded, and its list is not older than one seen before. */
function summarise(memory: ScanMemory, { metadata }: ImageSource, draft: Draft<ImageSourceStatus>): Summary {
  const { failure, held = [] } = memory.get(formatKey(metadata)) ?? {};
  if (failure !== undefined) {
    const { reason, message } = failure;
    return { status: 'False', reason, message, progressing: { reason: 'ProgressingWithRetry', message } };
  }
  const [first] = held;
  if (first !== undefined)
    return { status: 'False', reason: 'DowngradeRefused', message: heldMessage(first) };
  const { selected = 0, known = 0 } = draft.counts ?? {};
  return { status: 'True', reason: 'Succeeded', message: `${selected} of ${known} tags are selected` };
}

function heldMessage({ field, candidate, newestSeen }: HeldBack): string {
  const now = candidate === null ? 'nothing' : candidate;
  return `${field} stays: the list has lost ${newestSeen} and would move it back to ${now}; spec.allowDowngrade permits that`;
}
