/** Collects what a page shows out of what its caller may see. */

import type { ImageSource } from '../../api/image-source.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { NodeFacts } from '../../domain/node.ts';
import { formatKey, keyOf } from '../../kube/resource.ts';
import type { ClusterReader } from '../cluster.ts';
import { type ImageCoverage, imageCoverage } from '../image-coverage.ts';
import type {
  CellState,
  EventView,
  ImageDetail,
  Matrix,
  NodeDetail,
  Overview,
  SourceDetail,
} from './model.ts';
import { compareNaturally } from './natural-order.ts';
import {
  conditionViews,
  digestOf,
  healthOf,
  imageView,
  missingView,
  namedImages,
  nameOf,
  nodeView,
  repositoryOf,
  selectedImage,
  sourceView,
  tagOf,
  titleOf,
} from './object-views.ts';

/** What one caller may see at one moment. */
export interface Sight {
  readonly sources: readonly ImageSource[];
  readonly images: readonly PrepulledImage[];
  /** Empty for a caller who may not list nodes. */
  readonly nodes: readonly NodeFacts[];
}

const EVENTS_SHOWN = 30;
const PULLS_SHOWN = 50;

export class DashboardReader {
  readonly #cluster: Pick<ClusterReader, 'nodes'>;

  constructor(cluster: Pick<ClusterReader, 'nodes'>) {
    this.#cluster = cluster;
  }

  overview(sight: Sight, events: readonly EventView[] | undefined): Overview {
    const coverages = this.#coverages(sight.images);
    const sum = (pick: (coverage: ImageCoverage) => number): number =>
      coverages.reduce((total, coverage) => total + pick(coverage), 0);
    const others = coverages.filter(({ image }) => !isControlled(image));
    return {
      sources: sight.sources.map(sourceView).toSorted(byAddress),
      others: others.map((coverage) => ({
        ...imageView(coverage),
        title: titleOf(coverage.image),
        ...healthOf(coverage.image),
      })),
      nodes: { all: sight.nodes.length, ready: sight.nodes.filter(({ ready }) => ready).length },
      pairs: {
        eligible: sum(({ eligible }) => eligible),
        present: sum(({ present }) => present),
        failed: sum(({ failed }) => failed),
      },
      pulling: coverages
        .flatMap(({ image, missing }) =>
          missing.filter(({ state }) => state === 'Pulling').map((node) => missingView(image, node)),
        )
        .slice(0, PULLS_SHOWN),
      events: events === undefined ? undefined : visibleEvents(events, sight).slice(0, EVENTS_SHOWN),
    };
  }

  /** `visible`: those of its PrepulledImages that the caller may see. */
  source(source: ImageSource, visible: readonly PrepulledImage[]): SourceDetail {
    const children = new Map(this.#coverages(visible).map((child) => [digestOf(child.image), child]));
    const { images = [], truncated = false } = source.status ?? {};
    return {
      source: sourceView(source),
      named: namedImages(source),
      images: images.map((image) =>
        selectedImage(image, image.digest === undefined ? undefined : children.get(image.digest)),
      ),
      truncated,
      conditions: conditionViews(source),
    };
  }

  image(image: PrepulledImage): ImageDetail {
    const coverage = imageCoverage(image, this.#cluster.nodes());
    return {
      ...healthOf(image),
      object: nameOf(image),
      reference: image.spec.image,
      image: imageView(coverage),
      conditions: conditionViews(image),
      missing: coverage.missing.map((node) => missingView(image, node)),
      presentOn: coverage.on,
    };
  }

  node(node: NodeFacts, { images }: Sight): NodeDetail {
    const coverages = this.#coverages(images);
    return {
      node: nodeView(node),
      present: coverages
        .filter(({ on }) => on.includes(node.name))
        .map(({ image }) => ({ image: nameOf(image), title: titleOf(image), size: image.status?.size })),
      missing: coverages.flatMap(({ image, missing }) =>
        missing.filter((one) => one.node === node.name).map((one) => missingView(image, one)),
      ),
    };
  }

  /** `source` is namespace/name of an ImageSource whose images alone are shown; empty: all. */
  matrix(sight: Sight, source: string): Matrix {
    const wanted = this.#coverages(ofSource(sight, source));
    const columns = wanted.map((coverage) => ({ coverage, states: statesOf(coverage) }));
    return {
      images: wanted.map(({ image }) => ({
        object: nameOf(image),
        tag: tagOf(image),
        repository: repositoryOf(image),
      })),
      nodes: sight.nodes.map(nodeView),
      cells: sight.nodes.map(({ name }) => columns.map(({ states }) => states.get(name) ?? 'NotWanted')),
    };
  }

  #coverages(images: readonly PrepulledImage[]): readonly ImageCoverage[] {
    const nodes = this.#cluster.nodes();
    return images.map((image) => imageCoverage(image, nodes)).toSorted(byRepositoryAndTag);
  }
}

function statesOf({ on, missing }: ImageCoverage): ReadonlyMap<string, CellState> {
  return new Map<string, CellState>([
    ...on.map((node) => [node, 'Present'] as const),
    ...missing.map(({ node, state }) => [node, state] as const),
  ]);
}

function ofSource({ sources, images }: Sight, name: string): readonly PrepulledImage[] {
  if (name === '') return images;
  const uid = sources.find((source) => formatKey(keyOf(source)) === name)?.metadata.uid;
  return images.filter(
    ({ metadata }) => uid !== undefined && metadata.ownerReferences?.some((owner) => owner.uid === uid),
  );
}

function isControlled({ metadata }: PrepulledImage): boolean {
  return metadata.ownerReferences?.some(({ controller }) => controller === true) ?? false;
}

/** Events on objects that the caller may not see are not for them either. */
function visibleEvents(events: readonly EventView[], sight: Sight): readonly EventView[] {
  const keys = new Set([
    ...sight.sources.map((source) => `ImageSource ${formatKey(keyOf(source))}`),
    ...sight.images.map((image) => `PrepulledImage ${formatKey(keyOf(image))}`),
    ...sight.nodes.map(({ name }) => `Node ${name}`),
  ]);
  return events.filter(({ kind, object }) =>
    keys.has(`${kind} ${kind === 'Node' ? object.name : formatKey(object)}`),
  );
}

function byAddress(
  left: { readonly namespace: string; readonly name: string },
  right: { readonly namespace: string; readonly name: string },
): number {
  return compareNaturally(formatKey(left), formatKey(right));
}

/** Newest tag first within a repository, as far as names tell. */
function byRepositoryAndTag({ image: left }: ImageCoverage, { image: right }: ImageCoverage): number {
  return (
    compareNaturally(repositoryOf(left), repositoryOf(right)) || compareNaturally(tagOf(right), tagOf(left))
  );
}
