/** Primary keys of DockerImageRecords: where they are kept, and what is the key of a record. */

import type { DockerImageRecord } from './docker-image-record.ts';
import { LABELS } from './group-version.ts';

/** ConfigMap in the namespace of the operator: one key a namespace of records, its value the last pk given out. */
export const RECORD_COUNTERS_NAME = 'larder-record-counters';

type Keyed = Pick<DockerImageRecord, 'metadata' | 'status'>;

/** The pk of a record: what its status says, else what its label says; undefined if it has none yet. */
export function pkOf({ metadata, status }: Keyed): number | undefined {
  return status?.pk ?? readPk(metadata.labels?.[LABELS.pk]);
}

/** A whole number from 1, written as people write it; undefined for any other text. */
export function readPk(text: string | undefined): number | undefined {
  const value = /^[1-9][0-9]{0,14}$/.test(text ?? '') ? Number(text) : undefined;
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}

/** The highest pk in use, 0 if there is none: the floor of a counter that was lost. */
export function highestPk(records: Iterable<Keyed>): number {
  let highest = 0;
  for (const record of records) highest = Math.max(highest, pkOf(record) ?? 0);
  return highest;
}
