/** Phase: whether the record is served. Of two that claim the same name or number, the older one is. */

import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import { pkOf } from '../../api/record-counter.ts';
import { compareAge } from '../../domain/record-age.ts';
import { validateReference } from '../../domain/reference.ts';
import type { Lister } from '../../kube/cache.ts';
import type { Draft } from '../../kube/conclusion.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { done, type Result } from '../../kube/result.ts';
import { marker, type Status, type Words } from './status.ts';

/** Indexes of the record informer: what must be unique in a namespace. */
export const RECORDS_BY_NAME_VERSION = 'name-version';
/** By primary key. */
export const RECORDS_BY_PK = 'pk';

/** Values of RECORDS_BY_NAME_VERSION. */
export function nameVersionIndex({ metadata, spec }: DockerImageRecord): readonly string[] {
  return [JSON.stringify([metadata.namespace, spec.name, spec.version])];
}

/** Values of RECORDS_BY_PK; none while the record has no pk. */
export function pkIndex(record: DockerImageRecord): readonly string[] {
  const pk = pkOf(record);
  return pk === undefined ? [] : [JSON.stringify([record.metadata.namespace, pk])];
}

export interface AcceptOptions {
  readonly records: Pick<Lister<DockerImageRecord>, 'byIndex'>;
}

/**
 * Nothing in the API keeps two objects from claiming the same, so the younger steps back by itself. Level-based: when the
 * older one goes or changes, `rivalsOf` wakes the younger, and this finds nothing in its way any more.
 */
export function acceptPhase({ records }: AcceptOptions) {
  return (record: DockerImageRecord, draft: Draft<Status>, context: PhaseContext): Result => {
    const mark = marker(record, draft, context);
    const problem = problemOf(record, records);
    if (problem !== undefined) mark('Accepted', 'False', problem);
    else mark('Accepted', 'True', { reason: 'Unique', message: 'Name, version and key are its own' });
    return done;
  };
}

/** Keys of all records whose acceptance may depend on this one, itself included. */
export function rivalsOf(
  record: DockerImageRecord,
  records: AcceptOptions['records'],
): readonly DockerImageRecord['metadata'][] {
  const rivals = [
    ...nameVersionIndex(record).flatMap((value) => records.byIndex(RECORDS_BY_NAME_VERSION, value)),
    ...pkIndex(record).flatMap((value) => records.byIndex(RECORDS_BY_PK, value)),
  ];
  return [record, ...rivals].map(({ metadata }) => metadata);
}

function problemOf(record: DockerImageRecord, records: AcceptOptions['records']): Words | undefined {
  const { name, version, image } = record.spec;
  const reference = validateReference(image);
  if (!reference.ok) return { reason: 'InvalidReference', message: `spec.image: ${reference.error.message}` };
  const others = (index: string, values: readonly string[]): readonly DockerImageRecord[] =>
    values
      .flatMap((value) => records.byIndex(index, value))
      .filter(({ metadata }) => metadata.uid !== record.metadata.uid);
  const twin = others(RECORDS_BY_NAME_VERSION, nameVersionIndex(record)).find((other) =>
    isOlder(other, record),
  );
  if (twin !== undefined) {
    const message = `Record ${twin.metadata.name} is ${name} ${version} already; rename this one, or delete the other`;
    return { reason: 'DuplicateNameVersion', message };
  }
  const holder = others(RECORDS_BY_PK, pkIndex(record)).find((other) => holdsKeyBefore(other, record));
  if (holder === undefined) return undefined;
  const message = `Record ${holder.metadata.name} has the key ${pkOf(record) ?? ''} already; take the label larder.dev/pk off this one`;
  return { reason: 'DuplicatePK', message };
}

function isOlder(left: DockerImageRecord, right: DockerImageRecord): boolean {
  return compareAge(left.metadata, right.metadata) < 0;
}

/** A key that stands in a status has been given out; a label may have been written by anybody. */
function holdsKeyBefore(left: DockerImageRecord, right: DockerImageRecord): boolean {
  const leftStored = left.status?.pk !== undefined;
  const rightStored = right.status?.pk !== undefined;
  return leftStored === rightStored ? isOlder(left, right) : leftStored;
}
