/** zod -> structural OpenAPI schema, as apiextensions.k8s.io/v1 wants it; whatever it would not keep is a build error. */
import * as z from 'zod';

/** A node of a structural schema. */
export interface StructuralSchema {
  readonly type: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly required?: readonly string[];
  readonly items?: StructuralSchema;
  readonly additionalProperties?: StructuralSchema;
  readonly default?: unknown;
  readonly [keyword: string]: unknown;
}

type Json = Readonly<Record<string, unknown>>;

/** Keywords we emit, in the order they are written. */
const KEYWORDS = [
  'description',
  'type',
  'format',
  'enum',
  'default',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
  'properties',
  'additionalProperties',
  'items',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
] as const;

const FORMATS: ReadonlySet<unknown> = new Set(['int32', 'int64']);
const TYPES: ReadonlySet<unknown> = new Set(['object', 'array', 'string', 'integer', 'boolean']);

/** The structural form of `schema`; throws with the path of the first thing a CRD cannot say. */
export function toStructural(schema: z.ZodType): StructuralSchema {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
  });
  return convert(json, []);
}

function convert(node: Json, path: readonly string[]): StructuralSchema {
  lint(node, path);
  const children: Record<string, unknown> = {};
  if (node['properties'] !== undefined) {
    const properties = Object.entries(node['properties'] as Record<string, Json>);
    children['properties'] = Object.fromEntries(
      properties.map(([name, child]) => [name, convert(child, [...path, name])]),
    );
  }
  if (node['items'] !== undefined) children['items'] = convert(node['items'] as Json, [...path, '[]']);
  if (node['additionalProperties'] !== undefined) {
    children['additionalProperties'] = convert(node['additionalProperties'] as Json, [...path, '{}']);
  }
  return ordered({ ...node, ...children, ...descriptionOf(node) });
}

function lint(node: Json, path: readonly string[]): void {
  const unknown = Object.keys(node).filter((keyword) => !(KEYWORDS as readonly string[]).includes(keyword));
  refuseIf(unknown.length > 0, path, `keyword ${unknown.join(', ')} is not for CRDs`);
  refuseIf(!TYPES.has(node['type']), path, `type ${JSON.stringify(node['type'])} is not for CRDs`);
  refuseIf(node['format'] !== undefined && !FORMATS.has(node['format']), path, 'format is not known');
  refuseIf(node['description'] === undefined && describable(path), path, 'description is missing');
  lintBounds(node, path);
}

/** Entries of lists and maps are described by their list. */
function describable(path: readonly string[]): boolean {
  const last = path.at(-1);
  return last !== undefined && last !== '[]' && last !== '{}';
}

function lintBounds(node: Json, path: readonly string[]): void {
  if (node['type'] === 'string') {
    const bounded = node['maxLength'] !== undefined || node['enum'] !== undefined;
    refuseIf(!bounded, path, 'string has neither maxLength nor enum');
    refuseIf(node['format'] !== undefined, path, 'the API server takes arrays for strings with a format');
  }
  if (node['type'] === 'integer') {
    refuseIf(node['minimum'] === undefined || node['maximum'] === undefined, path, 'integer has no bounds');
  }
  if (node['type'] === 'array') {
    refuseIf(node['maxItems'] === undefined, path, 'list has no maxItems');
    refuseIf(node['x-kubernetes-list-type'] === undefined, path, 'list has no list type');
  }
  if (node['type'] === 'object') {
    const isMap = node['additionalProperties'] !== undefined;
    refuseIf(isMap === (node['properties'] !== undefined), path, 'object is neither fields nor a map');
    refuseIf(isMap && node['maxProperties'] === undefined, path, 'map has no maxProperties');
  }
}

function refuseIf(wrong: boolean, path: readonly string[], problem: string): void {
  if (wrong) throw new Error(`building the schema of ${path.join('.') || 'the object'}: ${problem}`);
}

/** kubectl explain shows no defaults, so descriptions say them. */
function descriptionOf(node: Json): { description?: string } {
  const description = node['description'];
  if (typeof description !== 'string') return {};
  const value = node['default'];
  const told = value === undefined || JSON.stringify(value) === '{}';
  return { description: told ? description : `${description} Default: ${asText(value)}.` };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function ordered(node: Json): StructuralSchema {
  const present = KEYWORDS.filter((keyword) => node[keyword] !== undefined);
  return Object.fromEntries(
    present.map((keyword) => [keyword, node[keyword]]),
  ) as unknown as StructuralSchema;
}
