/** The caches as the HTTP server reads them, with numbers that tell when an answer may differ. */

import { childrenOf } from '../controllers/image-source/child-identity.ts';
import type { NodeObject } from '../controllers/node.ts';
import { compareNames } from '../domain/sorted-names.ts';
import { isEqual } from '../json.ts';
import type { Informer } from '../kube/informer.ts';
import { formatKey, type KubeObject } from '../kube/resource.ts';
import type { ClusterReader, Revisions } from '../server/cluster.ts';
import type { Caches } from './caches.ts';

/** Lists are sorted by name: answers must not differ by replica, or change their order. */
export function createClusterReader({ sources, images, nodes }: Caches): ClusterReader {
  const revisions = { sources: 0, images: 0, nodes: 0 };
  count(sources, () => (revisions.sources += 1));
  count(images, () => (revisions.images += 1));
  count(nodes, () => (revisions.nodes += 1), isSameNode);
  const sorted = <T extends KubeObject>(informer: Informer<T>): readonly T[] =>
    informer.lister
      .list()
      .toSorted((left, right) => compareNames(formatKey(left.metadata), formatKey(right.metadata)));
  return {
    get revisions(): Revisions {
      return revisions;
    },
    sources: remembered(
      () => revisions.sources,
      () => sorted(sources),
    ),
    source: (namespace, name) => sources.lister.get({ namespace, name }),
    images: remembered(
      () => revisions.images,
      () => sorted(images),
    ),
    image: (namespace, name) => images.lister.get({ namespace, name }),
    childrenOf: (source) => childrenOf(images.lister, source),
    nodes: remembered(
      () => revisions.nodes,
      () => sorted(nodes).map(({ facts }) => facts),
    ),
  };
}

/** The same array until the revision moves. */
function remembered<T>(revision: () => number, make: () => readonly T[]): () => readonly T[] {
  let known: { readonly revision: number; readonly made: readonly T[] } | undefined;
  return () => {
    if (known?.revision !== revision()) known = { revision: revision(), made: make() };
    return known.made;
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
