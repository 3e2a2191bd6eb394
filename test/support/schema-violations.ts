/** For every bound and every rule of a structural schema, the smallest change of a full object that breaks it. */
import type { StructuralSchema } from '../../src/api/structural.ts';
import { allPaths, type Json, type Path, valueAt, withValue } from './json-paths.ts';
import { RULE_BREAKERS } from './rule-breakers.ts';

/** One broken object, and what the refusal must say. */
export interface Violation {
  /** Such as `spec.interval maxLength`. */
  readonly name: string;
  /** `status` objects are written to the status subresource. */
  readonly part: 'spec' | 'status';
  readonly object: Json;
  /** Words of the refusal; the message of a rule, or the last named step of the path. */
  readonly says: string;
}

/** A place of the full object with the schema that governs it. */
interface Place {
  readonly path: Path;
  readonly schema: StructuralSchema;
}

/** `spec.select[].name`, whichever entry of the list it is. */
export function schemaPath(path: Path): string {
  return path.map((step) => (typeof step === 'number' ? '[]' : `.${step}`)).join('');
}

/** One place for each path of the schema that `full` reaches. */
export function places(root: StructuralSchema, full: Json): readonly Place[] {
  const found = new Map<string, Place>();
  for (const path of allPaths(full)) {
    const schema = path[0] === 'spec' || path[0] === 'status' ? schemaAt(root, path) : undefined;
    const key = schemaPath(path);
    if (schema !== undefined && !found.has(key)) found.set(key, { path, schema });
  }
  return [...found.values()];
}

function schemaAt(root: StructuralSchema, path: Path): StructuralSchema | undefined {
  let schema: StructuralSchema | undefined = root;
  for (const step of path) {
    schema =
      typeof step === 'number' ? schema?.items : (schema?.properties?.[step] ?? schema?.additionalProperties);
  }
  return schema;
}

/** Every bound of the schema, broken once. */
export function boundViolations(root: StructuralSchema, full: Json): readonly Violation[] {
  return places(root, full).flatMap(({ path, schema }) =>
    Object.entries(brokenValues(schema, valueAt(full, path) ?? null)).map(([keyword, value]) =>
      violation({ full, path, keyword, value, says: lastName(path) }),
    ),
  );
}

/** Every rule of the schema that a new object can break, broken once at each place. */
export function ruleViolations(root: StructuralSchema, full: Json): readonly Violation[] {
  return places(root, full).flatMap(({ path, schema }) =>
    rulesOf(schema).flatMap(({ message }) => {
      const breaker = RULE_BREAKERS[message];
      if (breaker === undefined) throw new Error(`no violation of "${message}" at ${schemaPath(path)}`);
      return breaker === 'transition'
        ? []
        : [
            violation({
              full,
              path,
              keyword: message,
              value: breaker(valueAt(full, path) ?? null),
              says: message,
            }),
          ];
    }),
  );
}

interface Rule {
  readonly rule: string;
  readonly message: string;
}

export function rulesOf(schema: StructuralSchema): readonly Rule[] {
  return (schema['x-kubernetes-validations'] as readonly Rule[] | undefined) ?? [];
}

interface Change {
  readonly full: Json;
  readonly path: Path;
  readonly keyword: string;
  readonly value: Json | undefined;
  readonly says: string;
}

function violation({ full, path, keyword, value, says }: Change): Violation {
  return {
    name: `${schemaPath(path).slice(1)}: ${keyword}`,
    part: path[0] === 'status' ? 'status' : 'spec',
    object: withValue(full, path, value),
    says,
  };
}

function lastName(path: Path): string {
  return path.findLast((step) => typeof step === 'string') ?? '';
}

function brokenValues(schema: StructuralSchema, value: Json): Record<string, Json | undefined> {
  const wrongType = { type: schema.type === 'string' ? 12_345 : 'wrong' };
  switch (schema.type) {
    case 'string':
      return { ...wrongType, ...brokenStrings(schema) };
    case 'integer':
      return { ...wrongType, minimum: Number(schema['minimum']) - 1, maximum: Number(schema['maximum']) + 1 };
    case 'array':
      return { ...wrongType, ...brokenLists(schema, value as readonly Json[]) };
    case 'object':
      return { ...wrongType, ...brokenObjects(schema, value as Readonly<Record<string, Json>>) };
    default:
      return wrongType;
  }
}

function brokenStrings(schema: StructuralSchema): Record<string, Json> {
  const { maxLength, minLength } = schema;
  return {
    ...(typeof maxLength === 'number' && { maxLength: 'a'.repeat(maxLength + 1) }),
    ...(typeof minLength === 'number' && { minLength: '' }),
    ...(schema['enum'] !== undefined && { enum: 'NoSuchValue' }),
  };
}

function brokenLists(schema: StructuralSchema, value: readonly Json[]): Record<string, Json> {
  const tooMany = Array.from({ length: Number(schema['maxItems']) + 1 }, () => value[0] ?? null);
  const first = value[0] ?? null;
  return {
    maxItems: tooMany,
    ...(schema['minItems'] !== undefined && { minItems: [] }),
    ...(schema['x-kubernetes-list-type'] !== 'atomic' && { duplicate: [first, first] }),
  };
}

function brokenObjects(
  schema: StructuralSchema,
  value: Readonly<Record<string, Json>>,
): Record<string, Json | undefined> {
  const required = (schema.required ?? []).map(
    (name) => [`required ${name}`, withValue(value, [name], undefined)] as const,
  );
  const { maxProperties } = schema;
  const entry = Object.values(value)[0] ?? '';
  const tooMany = Object.fromEntries(
    Array.from({ length: Number(maxProperties ?? 0) + 1 }, (_, index) => [`key${index}`, entry]),
  );
  return { ...Object.fromEntries(required), ...(maxProperties !== undefined && { maxProperties: tooMany }) };
}
