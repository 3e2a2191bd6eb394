/** Phase: who refers to the record; and at its end: nobody may, counted live, before it is let go. */

import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { RecordReference } from '../../api/record-status.ts';
import { describeHolders } from '../../domain/record-references.ts';
import { ApiError } from '../../kube/api-error.ts';
import type { Lister } from '../../kube/cache.ts';
import type { Draft } from '../../kube/conclusion.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { done, type Result } from '../../kube/result.ts';
import { dockerImageRecordType } from '../kinds.ts';
import { holdersOf, type RecordReferences } from '../record-references.ts';
import type { ReferenceSweep } from './reference-sweep.ts';
import { marker, type Status } from './status.ts';

/** Index of the PrepulledImage informer: `namespace/name` of the record that spec.recordRef names. */
export const IMAGES_BY_RECORD = 'record';

/** Values of IMAGES_BY_RECORD. */
export function recordIndex({ metadata, spec }: PrepulledImage): readonly string[] {
  const { namespace } = metadata;
  return spec.recordRef === undefined ? [] : [formatKey({ namespace, name: spec.recordRef.name })];
}

export interface ReferencesOptions {
  readonly sweep: Pick<ReferenceSweep, 'survey'>;
  readonly references: Pick<RecordReferences, 'find'>;
  readonly images: Pick<Lister<PrepulledImage>, 'byIndex'>;
}

/** As many as the status shows. */
const MAX_SHOWN = 64;
/** A list that failed is tried again after this. */
const RETRY_MS = 60_000;
/** PrepulledImages wake the record when they go; holders that no cache follows are looked for again after this. */
const BLOCKED_MS = 10_000;

export function referencesPhase(options: ReferencesOptions) {
  return async (record: DockerImageRecord, draft: Draft<Status>, context: PhaseContext): Promise<Result> => {
    const mark = marker(record, draft, context);
    mark('DeletionBlocked', 'False', { reason: 'NotDeleting', message: 'Nobody asked to delete the record' });
    try {
      show(record, draft, context, await lastSeen(options, record, context.signal));
      return done;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      mark('InUse', 'Unknown', { reason: 'ReferencesUnknown', message: error.message });
      return { requeueAfterMs: RETRY_MS };
    }
  };
}

/**
 * What the caches show is enough to keep the record, never enough to let it go: before that everything is listed once
 * more. Asking for a requeue keeps the finalizer on.
 */
export function finalizePhase(options: ReferencesOptions) {
  return async (record: DockerImageRecord, draft: Draft<Status>, context: PhaseContext): Promise<Result> => {
    if (record.spec.deletionPolicy === 'Orphan') return done;
    const seen = await lastSeen(options, record, context.signal);
    const holders = seen.length > 0 ? seen : await options.references.find(record, context.signal);
    if (holders.length === 0) {
      context.log.info('nothing refers to the record, letting it go');
      return done;
    }
    show(record, draft, context, holders);
    const message = `Held by ${describeHolders(holders)}`;
    marker(record, draft, context)('DeletionBlocked', 'True', { reason: 'Referenced', message });
    context.events.record(
      { type: dockerImageRecordType, object: record },
      { type: 'Warning', reason: 'DeletionBlocked', action: 'Delete', message },
    );
    return { requeueAfterMs: BLOCKED_MS };
  };
}

async function lastSeen(
  { sweep, images }: ReferencesOptions,
  record: DockerImageRecord,
  signal: AbortSignal,
): Promise<readonly RecordReference[]> {
  const survey = await sweep.survey(record, signal);
  return holdersOf(record, survey, images.byIndex(IMAGES_BY_RECORD, formatKey(record.metadata)));
}

function show(
  record: DockerImageRecord,
  draft: Draft<Status>,
  context: PhaseContext,
  holders: readonly RecordReference[],
): void {
  const mark = marker(record, draft, context);
  draft.referenceCount = holders.length;
  draft.references = holders.length === 0 ? undefined : holders.slice(0, MAX_SHOWN);
  if (holders.length > 0) mark('InUse', 'True', { reason: 'Referenced', message: describeHolders(holders) });
  else mark('InUse', 'False', { reason: 'NoReferences', message: 'Nothing refers to the record' });
}
