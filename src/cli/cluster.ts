/** The cluster that verbs read and write, with the rights of the person who runs them. */

import type { Command } from 'commander';
import type { ImageSource } from '../api/image-source.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import { imageSourceType, prepulledImageType } from '../controllers/kinds.ts';
import { type NodeObject, nodeType, projectNode } from '../controllers/node.ts';
import { ApiError } from '../kube/api-error.ts';
import { KubeClient } from '../kube/client.ts';
import { KubeConfigCredentials, loadKubeConfig } from '../kube/credentials.ts';
import { Transport } from '../kube/transport.ts';
import { USER_AGENT } from '../version.ts';
import { CliError, type CliIo } from './io.ts';

/** Flags of every verb that reads a cluster. */
export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Absent: all namespaces. */
  readonly namespace?: string;
}

/** What is read, all of it at about the same moment. */
export interface ClusterState {
  readonly sources: readonly ImageSource[];
  readonly images: readonly PrepulledImage[];
  readonly nodes: readonly NodeObject[];
}

/** Adds what `ClusterFlags` holds. */
export function withClusterOptions(command: Command): Command {
  return withKubeconfigOption(
    command
      .option('-n, --namespace <name>', 'only objects of this namespace')
      .option('--context <name>', 'context of the kubeconfig; without: the current one'),
  );
}

/** Adds `--kubeconfig`. */
export function withKubeconfigOption(command: Command): Command {
  return command.option(
    '--kubeconfig <path>',
    'without: KUBECONFIG, ~/.kube/config, then the service account of the pod',
  );
}

/** Which cluster, and in whose name its fields are written. */
export interface ClusterAccess {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly fieldManager?: string;
}

/** Runs `work`, then closes all connections. @throws CliError naming what the cluster refused */
export async function withCluster<T>(
  { clock }: CliIo,
  { kubeconfig, context, fieldManager = 'larder-cli' }: ClusterAccess,
  work: (client: KubeClient) => Promise<T>,
): Promise<T> {
  const credentials = new KubeConfigCredentials(clock, () => loadKubeConfig({ file: kubeconfig, context }));
  const transport = new Transport({ clock, credentials, userAgent: USER_AGENT });
  try {
    return await work(new KubeClient({ transport, fieldManager }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Without an answer nobody has said yet which cluster was asked.
    const asked = error.status === 0 ? `, asking ${credentials.endpoint.server.host}` : '';
    throw new CliError(`${error.message}${asked}`);
  } finally {
    await transport.close();
  }
}

/** All sources, images and nodes that the flags allow. @throws ApiError */
export async function readCluster(
  client: KubeClient,
  { namespace }: ClusterFlags,
  signal: AbortSignal,
): Promise<ClusterState> {
  // First: a source that says what it wants has made its images before.
  const sources = await client.list(imageSourceType, { namespace, signal });
  const [images, nodes] = await Promise.all([
    client.list(prepulledImageType, { namespace, signal }),
    client.list(nodeType, { signal }),
  ]);
  return {
    sources: sources.items,
    images: images.items,
    nodes: nodes.items.map((raw) => projectNode({ ...raw })),
  };
}
