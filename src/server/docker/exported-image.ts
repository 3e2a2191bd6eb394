/** An image as the original lists it, read back: what a person would have to send to create it. */

import type { Catalogue } from '../../api/catalogue.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { FieldErrors } from './answer.ts';
import { type ImageInput, readImageInput } from './image-input.ts';
import { type JsonMap, JsonNumber, type JsonValue } from './json-text.ts';

/** An image with the key that it brings. */
export interface ExportedImage {
  readonly pk: number;
  readonly input: ImageInput;
}

/** The image, or why it cannot be taken over. Rows of tables are found by their names, never by the numbers there. */
export function readExportedImage(value: JsonValue, catalogue: Catalogue): Result<ExportedImage> {
  if (!(value instanceof Map)) return err('it is not an object');
  const members: JsonMap = value;
  const pk = members.get('pk');
  if (!(pk instanceof JsonNumber) || !Number.isSafeInteger(pk.value) || pk.value < 1)
    return err('it has no pk');
  const unknown = unknownFramework(members, catalogue);
  if (unknown !== undefined) return err(unknown);
  const input = readImageInput(inputOf(members, catalogue), { catalogue, partial: false });
  if (!input.ok) return err(describeErrors(input.error));
  const tasks = members.get('tasks') as readonly string[];
  // In the order of the export: that is how the image is listed.
  return ok({ pk: pk.value, input: { ...input.value, tasks: [...new Set(tasks)] } });
}

/** Objects become what a request names them by; what cannot be found stays, and is refused in the words for it. */
function inputOf(members: JsonMap, catalogue: Catalogue): JsonMap {
  const input = new Map(members);
  const replace = (name: string, find: (value: JsonValue) => JsonValue | undefined): void => {
    const value = members.get(name);
    const found = value === undefined ? undefined : find(value);
    if (found !== undefined) input.set(name, found);
  };
  replace('cuda_version', (value) => memberOf(value, 'version'));
  replace('min_hardware_generation', (value) => memberOf(value, 'generation'));
  replace('framework', (value) => frameworkOf(value, catalogue));
  replace('domain', (value) => catalogue.domains.find(({ description }) => description === value)?.name);
  return input;
}

function frameworkOf(value: JsonValue, { frameworks }: Catalogue): JsonValue | undefined {
  const name = memberOf(value, 'name');
  const version = memberOf(value, 'version');
  const row = frameworks.find((each) => each.name === name && each.version === version);
  return row === undefined ? undefined : new JsonNumber(String(row.pk));
}

function unknownFramework(members: JsonMap, catalogue: Catalogue): string | undefined {
  const framework = members.get('framework') ?? null;
  const [name, version] = [memberOf(framework, 'name'), memberOf(framework, 'version')];
  if (typeof name !== 'string' || typeof version !== 'string') return undefined;
  const isKnown = frameworkOf(framework, catalogue) !== undefined;
  return isKnown ? undefined : `framework: the catalogue has no row for ${name} ${version}`;
}

function memberOf(value: JsonValue, name: string): JsonValue | undefined {
  return value instanceof Map ? (value as JsonMap).get(name) : undefined;
}

function describeErrors(errors: FieldErrors): string {
  return Object.entries(errors)
    .map(([name, messages]) => `${name}: ${messages.join(' ')}`)
    .join('; ');
}
