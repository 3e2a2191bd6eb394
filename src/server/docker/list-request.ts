/** The body of `POST …/list`: a filter, checked and compiled for the fields of what is listed. */

import { refuse } from './answer.ts';
import type { FieldTable } from './field-table.ts';
import { compileFilter, type Row, type Selection } from './filter.ts';
import { type Filter, readFilter } from './filter-schema.ts';
import { type FacadeRequest, readJsonBody } from './request.ts';

/** What the caller wants to see, and in which order. */
export interface ListRequest<T> {
  readonly filter: Filter;
  readonly select: Selection<T>;
}

/** @throws RefusedRequest 400 in the words of the original, 415 */
export async function readListRequest<T extends Row>(
  request: FacadeRequest,
  fields: FieldTable<T>,
): Promise<ListRequest<T>> {
  const body = await readJsonBody(request);
  if (!body.ok) throw refuse(400, `Unable to parse JSON: ${JSON.stringify(body.error)} is not JSON`);
  const filter = readFilter(body.value);
  if (!filter.ok) throw refuse(400, `Unable to parse JSON: ${filter.error}`);
  const select = compileFilter(filter.value, fields);
  if (!select.ok) throw refuse(400, select.error);
  return { filter: filter.value, select: select.value };
}
