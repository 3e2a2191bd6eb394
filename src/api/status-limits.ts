/** Makes a status fit its schema: what came from a registry or a node must never get a whole status refused. */

import { rootSchema } from './crd.ts';
import type { KindDefinition } from './crd-definition.ts';
import type { StructuralSchema } from './structural.ts';

const schemas = new WeakMap<KindDefinition, StructuralSchema>();

/**
 * A copy of `status` within all limits: long texts are cut and end in "…", long lists and maps lose their last
 * entries; entries of a list of texts, and keys, are left out rather than cut, because half a tag is another tag.
 * Nothing else is judged: a wrong type stays for the API server to refuse.
 */
export function fitStatus<T extends object>(definition: KindDefinition, status: T): T {
  return fit(statusSchema(definition), status) as T;
}

function statusSchema(definition: KindDefinition): StructuralSchema {
  const known = schemas.get(definition);
  if (known !== undefined) return known;
  const schema = rootSchema(definition).properties?.['status'];
  if (schema === undefined) throw new Error(`${definition.kind} has no status`);
  schemas.set(definition, schema);
  return schema;
}

function fit(schema: StructuralSchema | undefined, value: unknown): unknown {
  if (schema === undefined) return value;
  if (typeof value === 'string') return cut(value, schema['maxLength']);
  if (Array.isArray(value)) return fitList(schema, value);
  return typeof value === 'object' && value !== null ? fitFields(schema, value) : value;
}

function cut(text: string, limit: unknown): string {
  if (typeof limit !== 'number' || text.length <= limit) return text;
  const characters = Array.from(text);
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`;
}

function fitList({ items, maxItems }: StructuralSchema, list: readonly unknown[]): readonly unknown[] {
  const whole = list.filter((item) => typeof item !== 'string' || cut(item, items?.['maxLength']) === item);
  return whole.slice(0, maxItems as number | undefined).map((item) => fit(items, item));
}

function fitFields(schema: StructuralSchema, fields: object): object {
  const { properties, additionalProperties } = schema;
  const entries = Object.entries(fields);
  if (additionalProperties === undefined) {
    return Object.fromEntries(entries.map(([name, value]) => [name, fit(properties?.[name], value)]));
  }
  const kept = entries.filter(([key]) => Array.from(key).length <= keyLimit(schema));
  const within = kept.slice(0, schema['maxProperties'] as number | undefined);
  return Object.fromEntries(within.map(([key, value]) => [key, fit(additionalProperties, value)]));
}

/** Structural schemas have no limit for keys; ours is a rule that `map` of fields.ts writes. */
function keyLimit(schema: StructuralSchema): number {
  const rules = (schema['x-kubernetes-validations'] ?? []) as readonly { readonly rule: string }[];
  const limits = rules.map(({ rule }) => /^self\.all\(key, size\(key\) <= (\d+)\)$/.exec(rule)?.[1]);
  return Math.min(...limits.map((limit) => (limit === undefined ? Infinity : Number(limit))));
}
