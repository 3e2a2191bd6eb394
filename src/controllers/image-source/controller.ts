/** image-source: watches one repository, publishes what of it matters, and keeps one child per selected image. */

import { type ImageSource, type ImageSourceStatus, imageSourceDefinition } from '../../api/image-source.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Reconciler } from '../../kube/controller.ts';
import { type ObjectSource, objectReconciler } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import type { AccessReader } from '../access.ts';
import { AppliedSpecs } from '../applied-specs.ts';
import { CREDENTIALS_READY } from '../credentials-condition.ts';
import { fitPhase } from '../fit-phase.ts';
import { REQUEST_ANNOTATIONS } from '../kinds.ts';
import { SilentRegistries } from '../silent-registries.ts';
import { childrenOf } from './child-identity.ts';
import { type ChildrenOptions, childrenPhase } from './children.ts';
import { presencePhase, publishPhase } from './publish.ts';
import { ScanMemory } from './scan-memory.ts';
import { type ScanOptions, scanPhase } from './scan-phase.ts';
import { summarise } from './summary.ts';
import { suspendPhase } from './suspend-phase.ts';
import { WEBHOOK_READY, type WebhookOptions, webhookPhase } from './webhook-phase.ts';

export interface ImageSourceOptions
  extends Omit<ScanOptions, 'memory' | 'silent'>,
    Omit<ChildrenOptions, 'memory' | 'applied'> {
  readonly client: KubeClient;
  readonly access: AccessReader;
  readonly source: ObjectSource<ImageSource>;
  /** Shared with whoever serves the whole listing; by default nobody does. */
  readonly memory?: ScanMemory;
}

export function imageSourceReconciler(options: ImageSourceOptions): Reconciler {
  const { memory = new ScanMemory() } = options;
  const looked: WebhookOptions['looked'] = new Map();
  const applied = new AppliedSpecs();
  const children = (source: ImageSource): readonly PrepulledImage[] => childrenOf(options.images, source);
  return objectReconciler<ImageSource, ImageSourceStatus>({
    source: options.source,
    client: options.client,
    phases: [
      presencePhase({ children }),
      webhookPhase({ ...options, looked }),
      scanPhase({ ...options, memory, silent: new SilentRegistries(options.clock) }),
      publishPhase({ memory, children }),
      fitPhase(imageSourceDefinition),
      childrenPhase({ ...options, memory, applied }),
    ],
    summarise: (source, draft) => summarise(memory.get(formatKey(source.metadata)), draft),
    ownedConditions: [CREDENTIALS_READY, WEBHOOK_READY],
    isSuspended: ({ spec }) => spec.suspend,
    suspend: suspendPhase({ client: options.client, children }),
    requestAnnotations: REQUEST_ANNOTATIONS,
    forget: (key) => {
      memory.delete(formatKey(key));
      looked.delete(formatKey(key));
      applied.forget(formatKey(key));
    },
  });
}
