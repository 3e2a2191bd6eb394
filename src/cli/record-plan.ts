/** What an import is to do: compares the images of an export with the records that are there. */

import type { Catalogue } from '../api/catalogue.ts';
import type { DockerImageRecord } from '../api/docker-image-record.ts';
import { pkOf } from '../api/record-counter.ts';
import { loginOf } from '../server/docker/create-image.ts';
import { type ExportedImage, readExportedImage } from '../server/docker/exported-image.ts';
import { NO_LOGIN, type RegistryLogin, viewImage } from '../server/docker/image-view.ts';
import { JsonNumber, type JsonValue } from '../server/docker/json-text.ts';
import { buildSpec } from '../server/docker/record-spec.ts';

/** A record that is there, and its login as far as it may be read. */
export interface PresentRecord {
  readonly record: DockerImageRecord;
  readonly login: RegistryLogin;
}

/** The verdict on one image; `pk` is null, and texts are empty, where the export tells none. */
export interface PlannedImage {
  readonly pk: number | null;
  readonly name: string;
  readonly version: string;
  readonly verdict: 'create' | 'unchanged' | 'refused';
  /** Why it is refused, or what a reader of numbers should know. */
  readonly note: string;
  /** Only of images to create. */
  readonly image?: ExportedImage;
}

/** One verdict an image, in the order of the export. */
export function planImport(
  values: readonly JsonValue[],
  present: readonly PresentRecord[],
  catalogue: Catalogue,
): readonly PlannedImage[] {
  const seen: ExportedImage[] = [];
  return values.map((value) => {
    const head = headOf(value);
    const exported = readExportedImage(value, catalogue);
    if (!exported.ok) return { ...head, verdict: 'refused', note: exported.error };
    const image = exported.value;
    const planned = planImage(image, seen, present, catalogue);
    seen.push(image);
    const notes = [planned.note, numberNotes(value, image, catalogue)].filter(Boolean);
    return { ...head, ...planned, note: notes.join('; ') };
  });
}

type Verdict = Pick<PlannedImage, 'verdict' | 'note' | 'image'>;

function planImage(
  image: ExportedImage,
  seen: readonly ExportedImage[],
  present: readonly PresentRecord[],
  catalogue: Catalogue,
): Verdict {
  const { pk, input } = image;
  if (seen.some((other) => other.pk === pk)) return refused(`pk ${pk} comes twice`);
  if (seen.some(({ input: other }) => other.name === input.name && other.version === input.version)) {
    return refused('name and version come twice');
  }
  const same = present.find(
    ({ record }) => record.spec.name === input.name && record.spec.version === input.version,
  );
  const holder = present.find(({ record }) => pkOf(record) === pk);
  if (same === undefined) {
    if (holder === undefined) return { verdict: 'create', note: '', image };
    return refused(`pk ${pk} is taken by ${holder.record.spec.name} ${holder.record.spec.version}`);
  }
  if (holder !== same) return refused(`the record is there with pk ${pkOf(same.record) ?? 'none yet'}`);
  const differing = differences(image, same, catalogue);
  if (differing.length === 0) return { verdict: 'unchanged', note: '' };
  return refused(`the record is there and differs in ${differing.join(', ')}`);
}

function refused(note: string): Verdict {
  return { verdict: 'refused', note };
}

/** Names of fields that differ. A login that the export does not tell is not compared. */
function differences(
  { pk, input }: ExportedImage,
  { record, login }: PresentRecord,
  catalogue: Catalogue,
): readonly string[] {
  const wantedLogin = loginOf(input);
  const isLoginTold = wantedLogin.username !== null || wantedLogin.password !== null;
  const wanted = viewImage(
    { ...record, spec: buildSpec(input, undefined), status: { ...record.status, pk } },
    catalogue,
    isLoginTold ? wantedLogin : NO_LOGIN,
  );
  const found = viewImage(record, catalogue, isLoginTold ? login : NO_LOGIN);
  return Object.entries(wanted ?? {})
    .filter(([name, value]) => comparable(value) !== comparable(found?.[name as keyof typeof found]))
    .map(([name]) => name);
}

/** The order of tasks means nothing. */
function comparable(value: unknown): string {
  return JSON.stringify(Array.isArray(value) ? value.toSorted() : value);
}

function headOf(value: JsonValue): Pick<PlannedImage, 'pk' | 'name' | 'version'> {
  const member = (name: string): JsonValue | undefined =>
    value instanceof Map ? (value as ReadonlyMap<string, JsonValue>).get(name) : undefined;
  const text = (name: string): string => {
    const found = member(name);
    return typeof found === 'string' ? found : '';
  };
  const pk = member('pk');
  return { pk: pk instanceof JsonNumber ? pk.value : null, name: text('name'), version: text('version') };
}

/** Clients may hold numbers of rows, which are those of the catalogue here. */
function numberNotes(value: JsonValue, { input }: ExportedImage, { hardware }: Catalogue): string {
  const generation = hardware.find((row) => row.generation === input.min_hardware_generation)?.pk;
  const here = {
    cuda_version: input.cuda_version?.pk,
    framework: input.framework?.pk,
    min_hardware_generation: generation,
  };
  const moved = Object.entries(here).flatMap(([name, number]) => {
    const there = numberIn(value, name);
    return there === undefined || number === undefined || there === number
      ? []
      : [`${name} ${there} is ${number} here`];
  });
  return moved.join(', ');
}

function numberIn(value: JsonValue, name: string): number | undefined {
  const row = value instanceof Map ? (value as ReadonlyMap<string, JsonValue>).get(name) : undefined;
  const pk = row instanceof Map ? (row as ReadonlyMap<string, JsonValue>).get('pk') : undefined;
  return pk instanceof JsonNumber ? pk.value : undefined;
}
