/** The informers: one a resource, shared by controllers and servers. */

import type { ImageSource } from '../api/image-source.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import { CHILDREN_BY_OWNER } from '../controllers/image-source/children.ts';
import { imageSourceType, prepulledImageType } from '../controllers/kinds.ts';
import { type NodeObject, nodeType, projectNode } from '../controllers/node.ts';
import { PODS_BY_NODE } from '../controllers/node-stocker/controller.ts';
import {
  PULL_POD_SELECTOR,
  type PullPod,
  podType,
  projectPullPod,
} from '../controllers/node-stocker/pull-pod.ts';
import { Informer, type InformerOptions } from '../kube/informer.ts';
import { controllerOf } from '../kube/owner-reference.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { Process } from './process.ts';

export interface Caches {
  readonly sources: Informer<ImageSource>;
  readonly images: Informer<PrepulledImage>;
  readonly nodes: Informer<NodeObject>;
  readonly pods: Informer<PullPod>;
}

/** None of them runs yet. */
export function createCaches(process: Process): Caches {
  const informer = <T extends KubeObject>(options: What<T>): Informer<T> => {
    const { client, clock, log, metrics } = process;
    return new Informer({ client, clock, log, metrics: metrics.runtime, ...options });
  };
  return {
    sources: informer({ type: imageSourceType }),
    images: informer({
      type: prepulledImageType,
      indexes: { [CHILDREN_BY_OWNER]: (image) => [controllerOf(image)?.uid ?? ''] },
    }),
    nodes: informer({ type: nodeType, project: projectNode }),
    pods: informer({
      type: podType,
      project: projectPullPod,
      labelSelector: PULL_POD_SELECTOR,
      indexes: { [PODS_BY_NODE]: ({ spec }) => [spec.nodeName ?? ''] },
    }),
  };
}

type What<T extends KubeObject> = Pick<InformerOptions<T>, 'type' | 'project' | 'labelSelector' | 'indexes'>;
