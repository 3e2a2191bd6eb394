/** A development cluster with Larder installed, for end-to-end tests, and questions to ask it. */

import { vi } from 'vitest';
import { Cluster, type ClusterOptions } from '../../hack/dev-cluster/cluster.ts';
import { type ImageRegistry, startImageRegistry } from '../../hack/dev-cluster/image-registry.ts';
import { installLarder } from '../../hack/dev-cluster/operator-process.ts';
import type { ImageSource } from '../../src/api/image-source.ts';
import type { PrepulledImage } from '../../src/api/prepulled-image.ts';

export interface Stage {
  readonly cluster: Cluster;
  readonly registry: ImageRegistry;
}

export interface StageOptions extends ClusterOptions {
  readonly nodes?: number;
  readonly logFolder: string;
}

/** Cluster, registry, nodes and an installation; the operator is started by the test. */
export async function startStage({ nodes = 3, ...options }: StageOptions): Promise<Stage> {
  const cluster = await Cluster.start(options);
  const registry = await startImageRegistry({ folder: cluster.folder });
  cluster.adopt(registry.daemon);
  await cluster.addNodes(Array.from({ length: nodes }, (_, index) => ({ name: `node-${index + 1}` })));
  await installLarder(cluster);
  return { cluster, registry };
}

/** Waits until the assertions in `check` hold. */
export async function eventually(check: () => Promise<void> | void, timeout = 60_000): Promise<void> {
  await vi.waitFor(check, { timeout, interval: 200 });
}

export async function apply(cluster: Cluster, ...objects: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(list));
}

export async function getSource(cluster: Cluster, namespace: string, name: string): Promise<ImageSource> {
  return cluster.getJson<ImageSource>(['imagesource', name, '-n', namespace]);
}

export async function listImages(cluster: Cluster, namespace: string): Promise<readonly PrepulledImage[]> {
  return (await cluster.getJson<{ items: PrepulledImage[] }>(['prepulledimages', '-n', namespace])).items;
}

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly uid: string;
    }[];
  };
  readonly spec: {
    readonly nodeName: string;
    readonly containers: readonly { readonly image: string }[];
  };
  readonly status: { readonly phase: string };
}

export async function listPods(cluster: Cluster): Promise<readonly Pod[]> {
  return (await cluster.getJson<{ items: Pod[] }>(['pods', '-A', '-l', 'larder.dev/component=pull-pod']))
    .items;
}

/** The tag that a PrepulledImage of a source stands for. */
export function tagOf({ spec }: PrepulledImage): string {
  return /:([^:@/]+)(?:@|$)/.exec(spec.image)?.[1] ?? spec.image;
}

/** Status, reason and message of a condition, for one-line expectations. */
export function conditionOf(
  object: ImageSource | PrepulledImage,
  type: string,
): { readonly status: string; readonly reason: string; readonly message: string } | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type);
}
