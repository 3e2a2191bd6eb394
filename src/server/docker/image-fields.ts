/** What images can be filtered and ordered by. Nothing of the registry's login: a filter would give it away. */

import type { Catalogue, DomainRow, LicenceRow, TaskRow } from '../../api/catalogue.ts';
import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import { type Field, type FieldTable, type FieldValue, field, relation } from './field-table.ts';
import type { ImageView } from './image-view.ts';

/** An image, and the rows of the catalogue that its view leaves out. */
export interface ImageRow {
  readonly pk: number;
  readonly view: ImageView;
  readonly record: DockerImageRecord;
  readonly domain: DomainRow | undefined;
  readonly licence: LicenceRow | undefined;
  /** One a task of the image that the catalogue knows. */
  readonly tasks: readonly TaskRow[];
}

/** `view` is that of the record. */
export function imageRow(record: DockerImageRecord, view: ImageView, catalogue: Catalogue): ImageRow {
  return {
    pk: view.pk,
    view,
    record,
    domain: catalogue.domains.find(({ name }) => name === record.spec.domain),
    licence: catalogue.licences.find(({ name }) => name === record.spec.licence),
    tasks: view.tasks.flatMap((task) => catalogue.tasks.filter(({ name }) => name === task)),
  };
}

function text(read: (view: ImageView) => string | null | undefined): Field<ImageRow> {
  return field('text', ({ view }) => read(view) ?? null);
}

function tasks(
  kind: Field<ImageRow>['kind'],
  read: (task: ImageRow['tasks'][number]) => FieldValue,
): Field<ImageRow> {
  return { kind, isMany: true, read: (row) => row.tasks.map(read) };
}

const pk = field<ImageRow>('integer', (row) => row.pk);
const domainPk = relation<ImageRow>(({ domain }) => domain?.pk ?? null);
const cudaPk = relation<ImageRow>(({ view }) => view.cuda_version.pk);
const frameworkPk = relation<ImageRow>(({ view }) => view.framework?.pk ?? null);
const hardware = ({ view }: ImageRow): ImageView['min_hardware_generation'] => view.min_hardware_generation;
const hardwarePk = relation<ImageRow>((row) => hardware(row)?.pk ?? (hardware(row) === null ? null : 0));
const licencePk = relation<ImageRow>(({ licence }) => licence?.pk ?? null);
const taskPk: Field<ImageRow> = { ...tasks('integer', (task) => task.pk), isRelation: true };

/** By the names of the original. */
export const IMAGE_FIELDS: FieldTable<ImageRow> = new Map<string, Field<ImageRow>>([
  ['pk', pk],
  ['id', pk],
  ['name', text(({ name }) => name)],
  ['version', text(({ version }) => version)],
  ['url', text(({ url }) => url)],
  ['cpu', field('boolean', ({ view }) => view.cpu)],
  ...keyed('cuda_version', cudaPk),
  ['cuda_version.version', field('dotted', ({ view }) => view.cuda_version.version)],
  ['cuda_version.full_version', text(({ cuda_version: cuda }) => cuda.full_version)],
  ['cuda_version.min_driver_version', text(({ cuda_version: cuda }) => cuda.min_driver_version)],
  ...keyed('framework', frameworkPk),
  ['framework.name', text(({ framework }) => framework?.name)],
  ['framework.version', text(({ framework }) => framework?.version)],
  ...keyed('domain', domainPk),
  ['domain.name', field('text', ({ record }) => record.spec.domain ?? null)],
  ['domain.description', text(({ domain }) => domain)],
  ...keyed('tasks', taskPk),
  ['tasks.name', tasks('text', ({ name }) => name)],
  ['tasks.pkg', tasks('text', ({ pkg }) => pkg)],
  ['tasks.cls', tasks('text', ({ cls }) => cls)],
  ...keyed('min_hardware_generation', hardwarePk),
  ['min_hardware_generation.generation', field('text', (row) => hardware(row)?.generation ?? null)],
  [
    'min_hardware_generation.min_compute_capability',
    field('float', (row) => hardware(row)?.min_compute_capability ?? null),
  ],
  [
    'min_hardware_generation.max_compute_capability',
    field('float', (row) => hardware(row)?.max_compute_capability ?? null),
  ],
  ...keyed('licence', licencePk),
  ['licence.name', text(({ licence }) => licence)],
  ['licence.url', field('text', ({ licence }) => licence?.url ?? null)],
]);

/** A relation by its own name, and its number by both names of it. */
function keyed(name: string, found: Field<ImageRow>): readonly (readonly [string, Field<ImageRow>])[] {
  const number: Field<ImageRow> = { ...found, isRelation: false };
  return [
    [name, found],
    [`${name}.pk`, number],
    [`${name}.id`, number],
    [`${name}_id`, number],
  ];
}
