/** What the operator asked the API server for, from the server's own audit log. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Cluster } from '../../hack/dev-cluster/cluster.ts';
import { auditLog } from '../../hack/dev-cluster/control-plane.ts';

const OPERATOR = 'system:serviceaccount:larder-system:larder';

/** One request. */
export interface AuditEntry {
  readonly verb: string;
  readonly requestURI: string;
  /** Absent for paths that are no resource. */
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
}

/** Writes an audit policy that records every request of the operator, and nobody else's; returns its path. */
export async function writeAuditPolicy(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = resolve(folder, 'audit-policy.json');
  // A watch is written down when it starts, everything else when it has been answered.
  const rules = [{ level: 'Metadata', users: [OPERATOR] }, { level: 'None' }];
  const policy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules };
  await writeFile(file, JSON.stringify(policy));
  return file;
}

/** All requests so far. */
export async function operatorRequests({ folder }: Cluster): Promise<readonly AuditEntry[]> {
  const text = await readFile(auditLog(folder), 'utf8');
  // The last line may be half written.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEntry);
}

/** Those that the server would not let the operator do, one line each. */
export function refusals(requests: readonly AuditEntry[]): readonly string[] {
  const refused = requests.filter(({ responseStatus }) => [401, 403].includes(responseStatus?.code ?? 0));
  return refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`);
}
