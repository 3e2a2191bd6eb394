/** The largest value that a structural schema accepts: every field set, every list full, every string at its limit. */
import type { StructuralSchema } from '../../src/api/structural.ts';
import type { Json } from './json-paths.ts';
import { rulesOf } from './schema-violations.ts';

export interface MaximalOptions {
  /** Longest text; default: as long as the schema takes. */
  readonly textLimit?: number;
}

interface Place extends MaximalOptions {
  /** Index in the list, which makes its entries differ. */
  readonly index: number;
}

export function maximal(schema: StructuralSchema, options: MaximalOptions = {}): Json {
  return largest(schema, { ...options, index: 0 });
}

function largest(schema: StructuralSchema, place: Place): Json {
  switch (schema.type) {
    case 'object':
      return largestFields(schema, place);
    case 'array':
      return Array.from({ length: Number(schema['maxItems']) }, (_, index) =>
        largest(schema.items ?? schema, { ...place, index }),
      );
    case 'integer':
      return Number(schema['maximum']);
    case 'boolean':
      return false;
    default:
      return largestText(schema, place);
  }
}

function largestFields(schema: StructuralSchema, place: Place): Json {
  const { properties = {}, additionalProperties } = schema;
  if (additionalProperties === undefined) {
    const fields = Object.entries(properties);
    return Object.fromEntries(fields.map(([name, child]) => [name, largest(child, place)]));
  }
  const keyLimit = Number(/size\(key\) <= (\d+)/.exec(rulesOf(schema)[0]?.rule ?? '')?.[1]);
  const keys = Array.from({ length: Number(schema['maxProperties']) }, (_, index) =>
    unique(keyLimit, { ...place, index }),
  );
  return Object.fromEntries(keys.map((key) => [key, largest(additionalProperties, place)]));
}

function largestText(schema: StructuralSchema, place: Place): string {
  const names = schema['enum'] as readonly string[] | undefined;
  if (names !== undefined) return names.reduce((left, right) => (right.length > left.length ? right : left));
  const messages = rulesOf(schema).map(({ message }) => message);
  if (messages.some((message) => message.startsWith('must be an instant'))) {
    return '2026-11-21T12:00:00.123456789+00:00';
  }
  if (messages.some((message) => message.startsWith('must be a digest'))) return `sha512:${'a'.repeat(128)}`;
  return unique(Number(schema['maxLength']), place);
}

/** Text of `length` characters, CamelCase so that it passes as a reason, too. */
function unique(length: number, { index, textLimit = length }: Place): string {
  const letters = String.fromCharCode(65 + (index % 26), 65 + Math.floor(index / 26));
  return (letters + 'A'.repeat(length)).slice(0, Math.min(length, textLimit));
}
