/** The REST API over the records of one namespace, if there is one: what it is made of. */

import { dockerImageRecordType } from '../controllers/kinds.ts';
import { RecordReferences } from '../controllers/record-references.ts';
import { recordsApi } from '../server/docker/mount.ts';
import { apiServerReviews } from '../server/reviews.ts';
import type { RouteGroup } from '../server/route-group.ts';
import { createRecordCounter } from './records.ts';
import type { RouteGroupParts } from './route-group-parts.ts';

/** On every replica: the client is not fenced, and what it writes has a resourceVersion or a name of its own. */
export function records({ process, catalogue }: RouteGroupParts): readonly RouteGroup[] {
  const { options, clock } = process;
  const { recordsNamespace: namespace, namespace: operatorNamespace } = options;
  if (namespace === undefined) return [];
  const client = process.client.unlimited();
  const references = new RecordReferences(client);
  return recordsApi({
    client,
    clock,
    reviews: apiServerReviews(client),
    type: dockerImageRecordType,
    namespace,
    operatorNamespace,
    catalogue: () => catalogue.current,
    primaryKeys: createRecordCounter(process, client),
    findReferences: (record, signal) => references.find(record, signal),
  });
}
