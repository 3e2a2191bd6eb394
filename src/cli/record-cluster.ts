/** The cluster whose records `larder record` reads and writes, with the rights of the person who runs it. */

import type { Command } from 'commander';
import { parse as parseYaml } from 'yaml';
import { CATALOGUE_NAME, type Catalogue, readCatalogue } from '../api/catalogue.ts';
import { configMapType } from '../controllers/docker-image-record/catalogue-store.ts';
import { dockerImageRecordType } from '../controllers/kinds.ts';
import { KubeClient } from '../kube/client.ts';
import { KubeConfigCredentials, loadKubeConfig } from '../kube/credentials.ts';
import { Transport } from '../kube/transport.ts';
import { RefusedRequest } from '../server/docker/answer.ts';
import type { ImageStores } from '../server/docker/create-image.ts';
import { LoginStore } from '../server/docker/login-store.ts';
import { RecordStore } from '../server/docker/record-store.ts';
import { USER_AGENT } from '../version.ts';
import { CliError, type CliIo } from './io.ts';

/** Flags of every verb of records. */
export interface RecordFlags {
  readonly namespace: string;
  readonly operatorNamespace: string;
  readonly kubeconfig?: string;
}

/** What a verb works with. */
export interface RecordCluster extends ImageStores {
  readonly catalogue: Catalogue;
}

/** Adds what `RecordFlags` holds. */
export function withRecordOptions(command: Command): Command {
  return command
    .option('-n, --namespace <name>', 'namespace of the records', 'larder-records')
    .option('--operator-namespace <name>', 'namespace of the operator, with the catalogue', 'larder-system')
    .option(
      '--kubeconfig <path>',
      'without: KUBECONFIG, ~/.kube/config, then the service account of the pod',
    );
}

/** Runs `work`, then closes all connections. @throws CliError if there is no usable catalogue */
export async function withRecords<T>(
  io: CliIo,
  { namespace, operatorNamespace, kubeconfig }: RecordFlags,
  work: (cluster: RecordCluster) => Promise<T>,
): Promise<T> {
  const { clock } = io;
  const credentials = new KubeConfigCredentials(clock, () => loadKubeConfig({ file: kubeconfig }));
  const transport = new Transport({ clock, credentials, userAgent: USER_AGENT });
  try {
    const client = new KubeClient({ transport, fieldManager: 'larder-record' });
    const type = dockerImageRecordType;
    const catalogue = await findCatalogue(client, operatorNamespace, io.signal);
    const records = new RecordStore({ client, type, namespace, clock, ...ONLY_IMPORTED });
    return await work({ catalogue, records, logins: new LoginStore({ client, type }) });
  } catch (error) {
    throw error instanceof RefusedRequest ? new CliError(JSON.stringify(error.answer.body)) : error;
  } finally {
    await transport.close();
  }
}

/** Records that are imported bring their keys, and nothing is deleted. */
const ONLY_IMPORTED = {
  primaryKeys: { next: () => Promise.reject(new Error('imported records have a pk')) },
  findReferences: () => Promise.reject(new Error('nothing is deleted')),
};

async function findCatalogue(client: KubeClient, namespace: string, signal: AbortSignal): Promise<Catalogue> {
  const key = { namespace, name: CATALOGUE_NAME };
  const found = await client.get(configMapType, key, { signal });
  const place = `ConfigMap ${namespace}/${CATALOGUE_NAME}`;
  if (found === undefined) {
    throw new CliError(`${place} does not exist; kubectl apply -k config/catalogue makes it`);
  }
  const read = readCatalogue(found.data ?? {}, (text) => parseYaml(text) as unknown);
  if (!read.ok) throw new CliError(`${place} cannot be read: ${read.error.join('; ')}`);
  return read.value;
}
