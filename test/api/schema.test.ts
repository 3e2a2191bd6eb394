/** The schema values by themselves: full objects pass, every bound and rule has a zod twin, types fit the domain. */
import { describe, expect, test } from 'vitest';
import { DEFINITIONS, rootSchema } from '../../src/api/crd.ts';
import type { StructuralSchema } from '../../src/api/structural.ts';
import { FULL_OBJECTS, SOURCE_RECORD } from '../support/full-objects.ts';
import { boundViolations, places, ruleViolations, schemaPath } from '../support/schema-violations.ts';

/** Answered by the server only: RE2 syntax needs an engine, which schemas do not carry. */
const SERVER_ONLY = 'must be a regular expression in RE2 syntax (no look-ahead, no back-references)';

describe.each(DEFINITIONS)('$kind', (definition) => {
  const root = rootSchema(definition);
  const full = FULL_OBJECTS[definition.kind];

  test('the full object is valid and sets every field', () => {
    expect(definition.schema.safeParse(full).error?.issues).toBeUndefined();
    const reached = new Set(places(root, full).map(({ path }) => schemaPath(path)));
    if (definition.kind === 'DockerImageRecord') reached.add('.spec.sourceFor');
    expect(fieldsOf(root).filter((field) => !reached.has(field))).toEqual([]);
  });

  test.each(boundViolations(root, full))('refuses $name', ({ object }) => {
    expect(definition.schema.safeParse(object).success).toBe(false);
  });

  const twins = ruleViolations(root, full).filter(({ says }) => says !== SERVER_ONLY);
  test.each(twins)('refuses $name', ({ object, says }) => {
    const messages = definition.schema.safeParse(object).error?.issues.map(({ message }) => message);
    expect(messages).toContain(says);
  });
});

test('a source record needs no hardware, framework, domain or licence', () => {
  const record = DEFINITIONS.find(({ kind }) => kind === 'DockerImageRecord');
  expect(record?.schema.safeParse(SOURCE_RECORD).error?.issues).toBeUndefined();
});

/** Every field below spec and status, in the notation of schemaPath; entries of maps are left out. */
function fieldsOf(schema: StructuralSchema, path = ''): readonly string[] {
  const own = path === '' || path.endsWith('[]') ? [] : [path];
  const below = Object.entries(schema.properties ?? {})
    .filter(([name]) => path !== '' || name === 'spec' || name === 'status')
    .flatMap(([name, child]) => fieldsOf(child, `${path}.${name}`));
  const items = schema.items === undefined ? [] : fieldsOf(schema.items, `${path}[]`);
  return [...own, ...below, ...items];
}
