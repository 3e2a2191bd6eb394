/** Phase: the number by which clients of the REST API know the record; given once, never changed, never used again. */

import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import { highestPk, pkOf } from '../../api/record-counter.ts';
import type { Lister } from '../../kube/cache.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { isConditionTrue } from '../../kube/condition.ts';
import type { Counter } from '../../kube/counter.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { done, type Result } from '../../kube/result.ts';
import type { Status } from './status.ts';

export interface PrimaryKeyOptions {
  readonly counter: Pick<Counter, 'next' | 'reserve'>;
  readonly records: Pick<Lister<DockerImageRecord>, 'list'>;
}

/**
 * Only an accepted record gets a number: a duplicate that is never served would use one up. A label without a status is a
 * record restored or imported: it keeps its number, and the counter learns of it.
 */
export function primaryKeyPhase(options: PrimaryKeyOptions) {
  return async (record: DockerImageRecord, draft: Draft<Status>, context: PhaseContext): Promise<Result> => {
    // A number that was drawn and could not be written gives way to one that was: people know that one.
    draft.pk = record.status?.pk ?? draft.pk;
    if (draft.pk !== undefined || !isConditionTrue(draft, 'Accepted')) return done;
    const { namespace = '' } = record.metadata;
    const labelled = pkOf(record);
    if (labelled === undefined) draft.pk = await draw(options, namespace, context);
    else {
      await options.counter.reserve(namespace, labelled);
      draft.pk = labelled;
    }
    return done;
  };
}

async function draw(
  { counter, records }: PrimaryKeyOptions,
  namespace: string,
  { log }: PhaseContext,
): Promise<number> {
  const pk = await counter.next(namespace, highestPk(records.list(namespace)));
  log.info('key drawn', { pk });
  return pk;
}
