/** A registry that asks for a password, and the secrets that hold one. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startImageRegistry } from '../../hack/dev-cluster/image-registry.ts';
import type { NodeStage } from './node-stage.ts';

export const PULLER = { username: 'puller', password: 'planted-secret-1' };
/** bcrypt of the password above; made once, because the registry takes nothing weaker. */
const HTPASSWD = 'puller:$2b$05$abcdefghijklmnopqrstuuSfbUZg.euCvqlApOwRH5Crn/gVaJfha\n';

/** Starts it beside the stage's cluster, reachable from the node; returns its host. */
export async function startPrivateRegistry({ cluster, node }: NodeStage): Promise<string> {
  const folder = await cluster.subfolder('private');
  const htpasswd = join(folder, 'htpasswd');
  await writeFile(htpasswd, HTPASSWD);
  const { host, daemon } = await startImageRegistry({ folder, htpasswd });
  cluster.adopt(daemon);
  await node.allowRegistry(host);
  return host;
}

/** A secret as the kubelet takes it. */
export function pullSecret(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  host: string,
  password: string = PULLER.password,
): object {
  const auth = Buffer.from(`${PULLER.username}:${password}`).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/dockerconfigjson',
    metadata: { name, namespace },
    stringData: { '.dockerconfigjson': JSON.stringify({ auths: { [host]: { auth } } }) },
  };
}
