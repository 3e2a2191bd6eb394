/** The cluster whose records `larder record` reads and writes, with the rights of the person who runs it. */

import type { Command } from 'commander';
import { parse as parseYaml } from 'yaml';
import { CATALOGUE_NAME, type Catalogue, catalogueMissing, readCatalogue } from '../api/catalogue.ts';
import { dockerImageRecordType } from '../controllers/kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { configMapType } from '../kube/core-types.ts';
import { RefusedRequest } from '../server/docker/answer.ts';
import type { ImageStores } from '../server/docker/create-image.ts';
import { LoginStore } from '../server/docker/login-store.ts';
import { RecordStore } from '../server/docker/record-store.ts';
import { withCluster, withKubeconfigOption } from './cluster.ts';
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
  return withKubeconfigOption(
    command
      .option('-n, --namespace <name>', 'namespace of the records', 'larder-records')
      .option(
        '--operator-namespace <name>',
        'namespace of the operator, with the catalogue',
        'larder-system',
      ),
  );
}

/** Runs `work`, then closes all connections. @throws CliError naming what was refused, or the catalogue that is not there */
export async function withRecords<T>(
  io: CliIo,
  { namespace, operatorNamespace, kubeconfig }: RecordFlags,
  work: (cluster: RecordCluster) => Promise<T>,
): Promise<T> {
  return withCluster(io, { kubeconfig, fieldManager: 'larder-record' }, async (client) => {
    const type = dockerImageRecordType;
    const catalogue = await findCatalogue(client, operatorNamespace, io.signal);
    const records = new RecordStore({ client, type, namespace, clock: io.clock, ...ONLY_IMPORTED });
    try {
      return await work({ catalogue, records, logins: new LoginStore({ client, type }) });
    } catch (error) {
      throw error instanceof RefusedRequest ? new CliError(JSON.stringify(error.answer.body)) : error;
    }
  });
}

/** Records that are imported bring their keys, and nothing is deleted. */
const ONLY_IMPORTED = {
  primaryKeys: { next: () => Promise.reject(new Error('imported records have a pk')) },
  findReferences: () => Promise.reject(new Error('nothing is deleted')),
};

async function findCatalogue(client: KubeClient, namespace: string, signal: AbortSignal): Promise<Catalogue> {
  const key = { namespace, name: CATALOGUE_NAME };
  const found = await client.get(configMapType, key, { signal });
  if (found === undefined) throw new CliError(catalogueMissing(namespace));
  const read = readCatalogue(found.data ?? {}, (text) => parseYaml(text) as unknown);
  if (!read.ok)
    throw new CliError(`ConfigMap ${namespace}/${CATALOGUE_NAME} cannot be read: ${read.error.join('; ')}`);
  return read.value;
}
