/** prepulled-image: resolves one image and reports where it is. The pulling itself is the node-stocker's. */

import { type PrepulledImage, prepulledImageDefinition } from '../../api/prepulled-image.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Reconciler } from '../../kube/controller.ts';
import { type ObjectSource, objectReconciler } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { fitPhase } from '../fit-phase.ts';
import { REQUEST_ANNOTATIONS } from '../kinds.ts';
import { SilentRegistries } from '../silent-registries.ts';
import { wantId } from '../want.ts';
import { type ObserveOptions, observePhase } from './observe.ts';
import { type RecordOptions, recordPhase, recordRefusal } from './record-reference.ts';
import { type ResolveOptions, resolvePhase } from './resolve.ts';
import { OWNED_CONDITIONS, type Status } from './status.ts';
import { summarise } from './summary.ts';

export interface PrepulledImageOptions
  extends Omit<ResolveOptions, 'resolved' | 'silent'>,
    ObserveOptions,
    RecordOptions {
  readonly client: KubeClient;
  readonly source: ObjectSource<PrepulledImage>;
}

export function prepulledImageReconciler(options: PrepulledImageOptions): Reconciler {
  const resolved: ResolveOptions['resolved'] = new Map();
  return objectReconciler<PrepulledImage, Status>({
    source: options.source,
    client: options.client,
    phases: [
      recordPhase(options),
      resolvePhase({ ...options, resolved, silent: new SilentRegistries(options.clock) }),
      observePhase(options),
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
    },
  });
}
