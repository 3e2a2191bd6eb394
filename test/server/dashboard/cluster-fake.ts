/** A cluster that a test fills by hand: what the dashboard reads through its port. */

import type { ImageSource } from '../../../src/api/image-source.ts';
import type { PrepulledImage, PrepulledImageStatus } from '../../../src/api/prepulled-image.ts';
import type { NodeFacts } from '../../../src/domain/node.ts';
import type { ClusterReader, Revisions } from '../../../src/server/cluster.ts';
import { prepulledImage } from '../../support/builders.ts';

export class ClusterFake implements ClusterReader {
  revisions: Revisions = { sources: 0, images: 0, nodes: 0 };
  #sources: readonly ImageSource[] = [];
  #images: readonly PrepulledImage[] = [];
  #nodes: readonly NodeFacts[] = [];

  put(parts: {
    readonly sources?: readonly ImageSource[];
    readonly images?: readonly PrepulledImage[];
    readonly nodes?: readonly NodeFacts[];
  }): void {
    const { sources, images, nodes } = this.revisions;
    this.#sources = parts.sources ?? this.#sources;
    this.#images = parts.images ?? this.#images;
    this.#nodes = parts.nodes ?? this.#nodes;
    this.revisions = {
      sources: sources + Number(parts.sources !== undefined),
      images: images + Number(parts.images !== undefined),
      nodes: nodes + Number(parts.nodes !== undefined),
    };
  }

  sources(): readonly ImageSource[] {
    return this.#sources;
  }

  source(namespace: string, name: string): ImageSource | undefined {
    return this.#sources.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  }

  images(): readonly PrepulledImage[] {
    return this.#images;
  }

  image(namespace: string, name: string): PrepulledImage | undefined {
    return this.#images.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  }

  childrenOf(source: ImageSource): readonly PrepulledImage[] {
    return this.#images.filter(({ metadata }) =>
      metadata.ownerReferences?.some(({ uid }) => uid === source.metadata.uid),
    );
  }

  nodes(): readonly NodeFacts[] {
    return this.#nodes;
  }
}

const AT = '2026-11-21T11:59:00Z';

/** A PrepulledImage whose status says where it is. */
export function stockedImage(
  tag: string,
  digit: string,
  where: Pick<PrepulledImageStatus, 'presentOn' | 'notPresent' | 'backoff'>,
): PrepulledImage {
  const digest = `sha256:${digit.repeat(64)}`;
  const image = prepulledImage({
    metadata: {
      name: `lab-${tag.replaceAll('_', '-')}`,
      ownerReferences: [
        {
          apiVersion: 'larder.dev/v1alpha1',
          kind: 'ImageSource',
          name: 'lab',
          uid: 'uid-of-lab',
          controller: true,
        },
      ],
    },
    spec: { image: `registry.example.org/sciplat/lab:${tag}@${digest}` },
  });
  const { presentOn = [], notPresent = [] } = where;
  const eligible = presentOn.length + notPresent.length;
  const of = (state: string): number => notPresent.filter((one) => one.state === state).length;
  return {
    ...image,
    status: {
      conditions: [
        {
          type: 'Ready',
          status: notPresent.length === 0 ? 'True' : 'False',
          reason: notPresent.length === 0 ? 'Succeeded' : 'Stocking',
          message: `${presentOn.length} of ${eligible} nodes have it`,
          lastTransitionTime: AT,
          observedGeneration: 1,
        },
        {
          type: 'Prepulled',
          status: 'False',
          reason: 'x',
          message: '',
          lastTransitionTime: AT,
          observedGeneration: 1,
        },
      ],
      image: {
        reference: `registry.example.org/sciplat/lab:${tag}`,
        registry: 'registry.example.org',
        repository: 'sciplat/lab',
        tag,
        digest,
        displayName: `Weekly ${tag.slice(2)}`,
        type: 'weekly',
      },
      size: '9.8 GiB',
      nodes: {
        eligible,
        present: presentOn.length,
        unknown: 0,
        pulling: of('Pulling'),
        waiting: of('Waiting'),
        failed: of('Failed'),
        skipped: 0,
      },
      presentOn,
      notPresent,
      ...(where.backoff !== undefined && { backoff: where.backoff }),
    },
  };
}
