/** Bodies of create, PUT and PATCH: every field is looked at, and all that is wrong is told at once. */

import type { Catalogue, CudaRow, DomainRow, FrameworkRow } from '../../api/catalogue.ts';
import { imageReference } from '../../api/reference-fields.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { FieldErrors } from './answer.ts';
import { NO_CUDA } from './image-view.ts';
import {
  accept,
  booleanField,
  cudaField,
  type FieldResult,
  keyField,
  NOT_NULL,
  namesField,
  nullable,
  REQUIRED,
  type ReadField,
  reject,
  slugField,
  textField,
} from './input-fields.ts';
import type { JsonMap, JsonValue } from './json-text.ts';
import { pythonType } from './python-text.ts';

/** What a request states; what it leaves out is absent. */
export interface ImageInput {
  readonly name?: string;
  readonly version?: string;
  readonly url?: string;
  readonly registry_url?: string;
  /** Null clears it. */
  readonly registry_username?: string | null;
  /** Null clears it. */
  readonly registry_password?: string | null;
  readonly cuda_version?: CudaRow;
  readonly framework?: FrameworkRow;
  readonly domain?: DomainRow;
  /** In the order of the catalogue. */
  readonly tasks?: readonly string[];
  /** Name of a generation; null: none, because no GPU is used. */
  readonly min_hardware_generation?: string | null;
  readonly cpu?: boolean;
  readonly licence?: string;
}

/** What is there already, as far as the rules across fields ask. */
export interface PresentImage {
  readonly cpu: boolean;
  readonly hasGeneration: boolean;
  readonly hasCuda: boolean;
  readonly hasUsername: boolean;
}

/** `partial`: PATCH, where nothing is required. `present` is absent for a new image. */
export interface InputOptions {
  readonly catalogue: Catalogue;
  readonly partial: boolean;
  readonly present?: PresentImage;
}

type Readers = { readonly [Name in keyof Required<ImageInput>]: ReadField<unknown> };

/** In the order in which errors are told. */
function readersOf(catalogue: Catalogue): Readers {
  const taskNames = catalogue.tasks.map(({ name }) => name);
  return {
    name: textField(64),
    version: textField(32),
    url: textField(200, referenceProblem),
    registry_url: textField(200, registryProblem),
    registry_username: nullable(textField(64)),
    registry_password: nullable(textField(64)),
    cuda_version: cudaField(catalogue.cuda),
    framework: keyField(catalogue.frameworks),
    domain: slugField('name', (code) => catalogue.domains.find(({ name }) => name === code)),
    tasks: namesField(slugField('name', (task) => taskNames.find((name) => name === task))),
    min_hardware_generation: slugField('generation', (wanted) =>
      findName(catalogue.hardware, 'generation', wanted),
    ),
    cpu: booleanField,
    licence: slugField('name', (wanted) => findName(catalogue.licences, 'name', wanted)),
  };
}

function findName<K extends string>(
  rows: readonly Readonly<Record<K, string>>[],
  column: K,
  wanted: string,
): string | undefined {
  return rows.find((row) => row[column] === wanted)?.[column];
}

const reference = imageReference();

/** Unlike the original we pull what is stated here, so it must be something that can be pulled. */
function referenceProblem(text: string): string | undefined {
  const parsed = reference.safeParse(text);
  return parsed.success ? undefined : parsed.error.issues[0]?.message;
}

/** It stands in the record, for everybody to read. */
function registryProblem(text: string): string | undefined {
  return text.includes('@')
    ? 'The URL must hold no login: registry_username and registry_password do.'
    : undefined;
}

const OPTIONAL: ReadonlySet<string> = new Set(['registry_username', 'registry_password', 'cpu']);

/** The fields of a body, or messages by field. */
export function readImageInput(body: JsonValue, options: InputOptions): Result<ImageInput, FieldErrors> {
  if (!(body instanceof Map)) {
    const expected = `Invalid data. Expected a dictionary, but got ${pythonType(body)}.`;
    return err({ non_field_errors: [expected] });
  }
  const members: JsonMap = body;
  const errors: Record<string, readonly string[]> = {};
  const input: Record<string, unknown> = {};
  const cpu = effectiveCpu(members, options);
  for (const [name, read] of Object.entries(readersOf(options.catalogue))) {
    const result = readMember(name, members.get(name), { ...options, read, cpu });
    if (result?.ok === false) errors[name] = result.error;
    else if (result !== undefined) input[name] = result.value;
  }
  if (Object.keys(errors).length > 0) return err(errors);
  const image = withTasksInOrder(input, options.catalogue);
  const broken = brokenRules(image, options.present);
  return Object.keys(broken).length > 0 ? err(broken) : ok(image);
}

/** Whether the image uses no GPU once the request is carried out; an unreadable value is told elsewhere. */
function effectiveCpu(members: JsonMap, { present }: InputOptions): boolean {
  const stated = members.get('cpu');
  const read = stated === undefined ? undefined : booleanField(stated);
  return read?.ok === true ? read.value : (present?.cpu ?? false);
}

interface MemberOptions extends InputOptions {
  readonly read: ReadField<unknown>;
  readonly cpu: boolean;
}

/** Undefined: left out, and may be. */
function readMember(
  name: string,
  value: JsonValue | undefined,
  { read, cpu, partial }: MemberOptions,
): FieldResult<unknown> | undefined {
  const isGeneration = name === 'min_hardware_generation';
  if (value === undefined) {
    const mayMiss = partial || OPTIONAL.has(name) || (isGeneration && cpu);
    return mayMiss ? undefined : reject(REQUIRED);
  }
  // As the original documents it: an image without GPU needs no generation. Its code refuses null all the same.
  if (isGeneration && value === null) return cpu ? accept(null) : reject(NOT_NULL);
  return read(value);
}

function withTasksInOrder(input: Record<string, unknown>, { tasks }: Catalogue): ImageInput {
  const chosen = input['tasks'] as readonly string[] | undefined;
  if (chosen === undefined) return input;
  return { ...input, tasks: tasks.map(({ name }) => name).filter((name) => chosen.includes(name)) };
}

const NEW_IMAGE: PresentImage = { cpu: false, hasGeneration: false, hasCuda: false, hasUsername: false };

/** What each field allows and all of them together do not. */
function brokenRules(input: ImageInput, present: PresentImage = NEW_IMAGE): FieldErrors {
  return { ...brokenHardware(input, present), ...brokenLogin(input, present) };
}

function brokenHardware(input: ImageInput, present: PresentImage): FieldErrors {
  if (input.cpu ?? present.cpu) return {};
  const generation = input.min_hardware_generation;
  const hasGeneration = generation === undefined ? present.hasGeneration : generation !== null;
  const hasCuda = input.cuda_version === undefined ? present.hasCuda : input.cuda_version.version !== NO_CUDA;
  return {
    ...(!hasGeneration && { min_hardware_generation: ['This field is required unless cpu is true.'] }),
    ...(!hasCuda && { cuda_version: ['A GPU image needs a CUDA version: 0.0 is for cpu images.'] }),
  };
}

function brokenLogin(
  { registry_username: username, registry_password: password }: ImageInput,
  present: PresentImage,
): FieldErrors {
  const hasUsername = username === undefined ? present.hasUsername : username !== null;
  if (typeof password !== 'string' || hasUsername) return {};
  return { registry_username: ['This field is required with registry_password.'] };
}
