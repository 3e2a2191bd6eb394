/** The informers: one a resource, shared by controllers and servers. */

import { CATALOGUE_NAME } from '../api/catalogue.ts';
import type { DockerImageRecord } from '../api/docker-image-record.ts';
import type { ImageSource } from '../api/image-source.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import {
  nameVersionIndex,
  pkIndex,
  RECORDS_BY_NAME_VERSION,
  RECORDS_BY_PK,
} from '../controllers/docker-image-record/accept.ts';
import { IMAGES_BY_RECORD, recordIndex } from '../controllers/docker-image-record/references.ts';
import { CHILD_INDEXES } from '../controllers/image-source/child-identity.ts';
import { dockerImageRecordType, imageSourceType, prepulledImageType } from '../controllers/kinds.ts';
import { type NodeObject, nodeType, projectNode } from '../controllers/node.ts';
import { PODS_BY_NODE } from '../controllers/node-stocker/judged-pod.ts';
import { PULL_POD_SELECTOR, type PullPod, podType } from '../controllers/node-stocker/pull-pod.ts';
import { projectPullPod } from '../controllers/node-stocker/pull-pod-projection.ts';
import { endedIndex, PODS_ENDED } from '../controllers/node-stocker/rest.ts';
import { type ConfigMap, configMapType } from '../kube/core-types.ts';
import { Informer, type InformerOptions } from '../kube/informer.ts';
import type { KubeObject } from '../kube/resource.ts';
import { formatFieldSelector } from '../kube/selectors.ts';
import { SharedTexts } from '../kube/shared-texts.ts';
import type { Process } from './process.ts';

/** One informer a kind; each is shared by everything that watches the kind. */
export interface Caches {
  readonly sources: Informer<ImageSource>;
  readonly images: Informer<PrepulledImage>;
  readonly records: Informer<DockerImageRecord>;
  /** The one ConfigMap. */
  readonly catalogue: Informer<ConfigMap>;
  readonly nodes: Informer<NodeObject>;
  readonly pods: Informer<PullPod>;
}

/** None of them runs yet. */
export function createCaches(process: Process): Caches {
  const texts = new SharedTexts();
  const informer = <T extends KubeObject>(options: What<T>): Informer<T> => {
    const { client, clock, log, metrics } = process;
    return new Informer({ client, clock, log, metrics: metrics.runtime, ...options });
  };
  return {
    sources: informer({ type: imageSourceType }),
    images: informer({
      type: prepulledImageType,
      indexes: { ...CHILD_INDEXES, [IMAGES_BY_RECORD]: recordIndex },
    }),
    records: informer({
      type: dockerImageRecordType,
      indexes: { [RECORDS_BY_NAME_VERSION]: nameVersionIndex, [RECORDS_BY_PK]: pkIndex },
    }),
    catalogue: informer({
      type: configMapType,
      namespace: process.options.namespace,
      // The right to read it is limited to this name, and so must be the request.
      fieldSelector: formatFieldSelector({ 'metadata.name': CATALOGUE_NAME }),
    }),
    nodes: informer({ type: nodeType, project: projectNode }),
    pods: informer({
      type: podType,
      project: (raw) => projectPullPod(raw, texts),
      labelSelector: PULL_POD_SELECTOR,
      indexes: { [PODS_BY_NODE]: ({ spec }) => [spec.nodeName ?? ''], [PODS_ENDED]: endedIndex },
    }),
  };
}

type What<T extends KubeObject> = Omit<InformerOptions<T>, 'client' | 'clock' | 'log' | 'metrics'>;
