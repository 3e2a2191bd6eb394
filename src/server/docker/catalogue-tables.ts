/** The tables of the catalogue as the original serves them: one path each, read-only here. */

import * as z from 'zod';
import type { Catalogue } from '../../api/catalogue.ts';
import { CATALOGUE_KEYS, type CatalogueTable } from '../../api/catalogue.ts';
import { type Field, type FieldKind, type FieldTable, type FieldValue, field } from './field-table.ts';
import type { Row } from './filter.ts';
import { cudaViewSchema, hardwareViewSchema, viewCudaRow, viewHardwareRow } from './image-view.ts';

/** A row as it is served. */
export type CatalogueRow = Row & Readonly<Record<string, unknown>>;

/** One table of the catalogue. */
export interface ServedTable {
  /** Last segment of the path. */
  readonly path: string;
  /** In the words of the original. */
  readonly model: string;
  readonly table: CatalogueTable;
  readonly rows: (catalogue: Catalogue) => readonly CatalogueRow[];
  /** What rows can be filtered and ordered by. */
  readonly fields: FieldTable<CatalogueRow>;
  readonly schema: z.ZodObject;
}

const pk = z.int().min(1);
const words = z.array(z.string());

function columns(kinds: Readonly<Record<string, FieldKind>>): FieldTable<CatalogueRow> {
  const column = (name: string, kind: FieldKind): readonly [string, Field<CatalogueRow>] => [
    name,
    field(kind, (row) => (row[name] ?? null) as FieldValue),
  ];
  const number = field<CatalogueRow>('integer', (row) => row.pk);
  return new Map([
    ['pk', number],
    ['id', number],
    ...Object.entries(kinds).map(([name, kind]) => column(name, kind)),
  ]);
}

/** All of them, with the columns of the original. */
export const SERVED_TABLES: readonly ServedTable[] = [
  {
    path: 'cuda',
    model: 'CUDAVersion',
    table: 'cuda',
    rows: ({ cuda }) => cuda.map((row) => ({ ...viewCudaRow(row), pk: row.pk })),
    fields: columns({ version: 'dotted', full_version: 'text', min_driver_version: 'text' }),
    schema: cudaViewSchema.extend({ pk }),
  },
  {
    path: 'hardware',
    model: 'Hardware',
    table: 'hardware',
    rows: ({ hardware }) => hardware.map((row) => ({ ...viewHardwareRow(row), pk: row.pk })),
    fields: columns({
      generation: 'text',
      min_compute_capability: 'float',
      max_compute_capability: 'float',
    }),
    schema: hardwareViewSchema.extend({ pk }),
  },
  {
    path: 'frameworks',
    model: 'Framework',
    table: 'frameworks',
    rows: ({ frameworks }) => frameworks,
    fields: columns({ name: 'text', version: 'text' }),
    schema: z.object({ pk, name: z.string(), version: z.string() }),
  },
  {
    path: 'domains',
    model: 'DataDomain',
    table: 'domains',
    rows: ({ domains }) => domains,
    fields: columns({ name: 'text', description: 'text' }),
    schema: z.object({ pk, name: z.string(), description: z.string() }),
  },
  {
    path: 'job-contracts',
    model: 'JobContract',
    table: 'tasks',
    rows: ({ tasks }) => tasks,
    fields: columns({ name: 'text', pkg: 'text', cls: 'text' }),
    schema: z.object({ pk, name: z.string(), pkg: z.string(), cls: z.string() }),
  },
  {
    path: 'licences',
    model: 'Licence',
    table: 'licences',
    rows: ({ licences }) => licences,
    fields: columns({ name: 'text', url: 'text' }),
    schema: z.object({
      pk,
      name: z.string(),
      url: z.string(),
      permissions: words,
      conditions: words,
      limitations: words,
      domains: words,
    }),
  },
];

/** Where people change the table: the key of the ConfigMap. */
export function dataKeyOf({ table }: ServedTable): string {
  return CATALOGUE_KEYS[table];
}
