/** The caches as the HTTP server reads them, with numbers that tell when an answer may differ. */

import type { ImageSource } from '../api/image-source.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import { CHILDREN_BY_OWNER } from '../controllers/image-source/children.ts';
import type { NodeObject } from '../controllers/node.ts';
import type { NodeFacts } from '../domain/node.ts';
import type { Informer } from '../kube/informer.ts';
import type { KubeObject } from '../kube/resource.ts';
import { isEqual } from '../kube/status-writer.ts';
import type { ClusterReader, Revisions } from '../server/cluster.ts';
import type { Caches } from './caches.ts';

export function createClusterReader({ sources, images, nodes }: Caches): ClusterReader {
  const revisions = { sources: 0, images: 0, nodes: 0 };
  let facts: { readonly revision: number; readonly nodes: readonly NodeFacts[] } | undefined;
  count(sources, () => (revisions.sources += 1));
  count(images, () => (revisions.images += 1));
  count(nodes, () => (revisions.nodes += 1), isSameNode);
  return {
    get revisions(): Revisions {
      return revisions;
    },
    sources: () => sources.lister.list(),
    source: (namespace, name) => sources.lister.get({ namespace, name }),
    images: () => images.lister.list(),
    image: (namespace, name) => images.lister.get({ namespace, name }),
    childrenOf: (source: ImageSource): readonly PrepulledImage[] =>
      images.lister.byIndex(CHILDREN_BY_OWNER, source.metadata.uid ?? ''),
    nodes: () => {
      if (facts?.revision !== revisions.nodes)
        facts = { revision: revisions.nodes, nodes: nodes.lister.list().map((node) => node.facts) };
      return facts.nodes;
    },
  };
}

function count<T extends KubeObject>(
  informer: Informer<T>,
  grow: () => void,
  isSame: (old: T, object: T) => boolean = () => false,
): void {
  informer.subscribe({
    onAdd: grow,
    onDelete: grow,
    onUpdate: (old, object) => {
      if (!isSame(old, object)) grow();
    },
  });
}

/** Most updates of a node are heartbeats. */
function isSameNode(old: NodeObject, node: NodeObject): boolean {
  return isEqual(old.facts, node.facts);
}
