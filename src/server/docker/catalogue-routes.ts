/** Reading the tables of the catalogue; they are changed in the ConfigMap, by people. */

import type { Catalogue } from '../../api/catalogue.ts';
import { findGeneration } from '../../domain/hardware.ts';
import type { Authorizer, ObjectAccess } from '../authorize.ts';
import { type Answer, notFound, refuse } from './answer.ts';
import { requireAccess } from './call.ts';
import { type CatalogueRow, dataKeyOf, type ServedTable } from './catalogue-tables.ts';
import { viewHardwareRow } from './image-view.ts';
import { readListRequest } from './list-request.ts';
import type { CalledRequest } from './request.ts';
import { PK_PATTERN, pkOfPath, type Route } from './routes.ts';

/** What the routes of all tables need. */
export interface CatalogueRoutesOptions {
  /** @throws RefusedRequest if there is no usable catalogue */
  readonly catalogue: () => Catalogue;
  /** The ConfigMap with the catalogue, as `namespace/name`. */
  readonly configMap: string;
  readonly authorizer: Authorizer;
  /** The right that those have who may change what the facade serves. */
  readonly staff: ObjectAccess;
}

const WRITES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** The routes of one table. */
export function catalogueRoutes(
  served: ServedTable,
  { catalogue, configMap, authorizer, staff }: CatalogueRoutesOptions,
): readonly Route<CalledRequest>[] {
  const beforeRefusal = async (request: CalledRequest): Promise<void> => {
    if (!WRITES.has(request.method)) return;
    await requireAccess(request, staff, authorizer);
    const advice = `The catalogue is read-only here: edit ${dataKeyOf(served)} in ConfigMap ${configMap}.`;
    throw refuse(405, `Method "${request.method}" not allowed. ${advice}`, { Allow: 'GET, HEAD, OPTIONS' });
  };
  const rows = (): readonly CatalogueRow[] => served.rows(catalogue());
  const extra = served.table === 'hardware' ? [generationRoute(catalogue)] : [];
  return [
    { pattern: /^\/list$/, methods: { POST: (request) => list(served, rows, request) } },
    { pattern: /^\/create$/, methods: {}, beforeRefusal },
    ...extra,
    {
      pattern: PK_PATTERN,
      methods: {
        GET: (_, parameters) => {
          const pk = pkOfPath(parameters, served.model);
          const row = rows().find((each) => each.pk === pk);
          if (row === undefined) throw notFound(served.model);
          return Promise.resolve({ status: 200, body: row });
        },
      },
      beforeRefusal,
    },
  ];
}

async function list(
  { fields }: ServedTable,
  rows: () => readonly CatalogueRow[],
  request: CalledRequest,
): Promise<Answer> {
  const { select } = await readListRequest(request, fields);
  return { status: 200, body: select(rows()) };
}

/** The generation that a compute capability belongs to. */
function generationRoute(catalogue: () => Catalogue): Route<CalledRequest> {
  return {
    pattern: /^\/get-hardware-generation\/(?<compute>[^/]+)$/,
    methods: {
      GET: (_, { compute = '' }) => {
        const found = findGeneration(catalogue().hardware, compute);
        if (found.ok) return Promise.resolve({ status: 200, body: viewHardwareRow(found.value) });
        const parameter = `Bad value for get_hardware_generation parameter 'compute': ${compute}`;
        throw refuse(400, `${parameter}, options: ${found.error}`);
      },
    },
  };
}
