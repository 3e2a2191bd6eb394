/** Roles of config/ as single rights, to compare with what the operator asks for. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { AuditEntry } from './audit.ts';

const CONFIG = resolve(import.meta.dirname, '../../config');

export interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** One verb on one resource, by which role; of a Role only in its namespace. */
export interface Right {
  readonly role: string;
  readonly namespace: string | undefined;
  readonly group: string;
  readonly resource: string;
  readonly name: string | undefined;
  readonly verb: string;
}

/** All Roles and ClusterRoles in folders of config/. */
export function rolesOf(folders: readonly string[]): readonly Role[] {
  const documents = folders.flatMap((folder) =>
    readdirSync(join(CONFIG, folder)).flatMap((file) =>
      parseAllDocuments(readFileSync(join(CONFIG, folder, file), 'utf8')).map((each) => each.toJS() as Role),
    ),
  );
  return documents.filter(({ kind }) => ['Role', 'ClusterRole'].includes(kind));
}

/** One right for each verb on each resource, or on each name if the rule has names. */
export function rightsOf({ metadata, rules }: Role): readonly Right[] {
  const { name: role, namespace } = metadata;
  return rules.flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) =>
          verbs.map((verb): Right => ({ role, namespace, group, resource, name, verb })),
        ),
      ),
    ),
  );
}

/** Whether the request needs this right. */
export function isUse(entry: AuditEntry, right: Right): boolean {
  const { objectRef } = entry;
  if (objectRef === undefined || !verbsOf(entry).includes(right.verb)) return false;
  const { resource, subresource, apiGroup = '' } = objectRef;
  return (
    right.resource === (subresource === undefined ? resource : `${resource}/${subresource}`) &&
    right.group === apiGroup &&
    [undefined, objectRef.namespace].includes(right.namespace) &&
    [undefined, objectRef.name].includes(right.name)
  );
}

/** A server-side apply that makes an object needs the right to create, too. */
function verbsOf({ verb, responseStatus }: AuditEntry): readonly string[] {
  return verb === 'patch' && responseStatus?.code === 201 ? ['patch', 'create'] : [verb];
}
