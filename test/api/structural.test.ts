import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { integer, list, map, set, text, withRules } from '../../src/api/fields.ts';
import { toStructural } from '../../src/api/structural.ts';

function fields(shape: z.ZodRawShape): z.ZodObject {
  return z.object(shape);
}

describe('what a CRD would lose or refuse is a build error that names the place', () => {
  test.each([
    [
      'a string without limit',
      z.string(),
      'building the schema of spec: string has neither maxLength nor enum',
    ],
    ['an instant as a format', z.iso.datetime().meta({ maxLength: 40 }), 'keyword pattern is not for CRDs'],
    ['a format without a pattern', text(9).meta({ format: 'uuid' }), 'format is not known'],
    ['a number', z.number(), 'type "number" is not for CRDs'],
    ['an unbounded list', z.array(text(1)), 'list has no maxItems'],
    ['a list without list type', z.array(text(1)).max(3), 'list has no list type'],
    ['an unbounded map', z.record(z.string(), text(1)), 'map has no maxProperties'],
    ['a union', z.union([text(1), z.boolean()]), 'keyword anyOf is not for CRDs'],
    ['a tuple', z.tuple([text(1)]), 'list has no list type'],
    ['a strict object', z.strictObject({ a: text(1) }), 'object is neither fields nor a map'],
    ['a loose object', z.looseObject({ a: text(1) }), 'object is neither fields nor a map'],
    ['anything', z.any(), 'type undefined is not for CRDs'],
    ['null', z.null(), 'is not for CRDs'],
    ['a nullable field', text(1).nullable(), 'keyword nullable is not for CRDs'],
    ['a pattern', z.string().max(3).regex(/a/), 'keyword pattern is not for CRDs'],
    ['a recursive schema', recursive(), 'Cycle detected'],
  ])('%s', (_, schema, message) => {
    expect(() => toStructural(fields({ spec: schema.describe('Some.') }))).toThrow(message);
  });

  test('a field without description', () => {
    expect(() => toStructural(fields({ a: fields({ b: text(1) }).describe('Some.') }))).toThrow(
      'building the schema of a.b: description is missing',
    );
  });
});

function recursive(): z.ZodType {
  const node = z.object({
    get next(): z.ZodOptional<z.ZodType> {
      return node.optional().describe('Next.');
    },
  });
  return node;
}

test('keywords come in a fixed order, defaults are told in the description', () => {
  const schema = fields({
    name: text(9, 1).default('a').describe('The name.'),
    many: integer(1, 5).optional().describe('How many.'),
  });
  expect(JSON.stringify(toStructural(schema))).toBe(
    JSON.stringify({
      type: 'object',
      properties: {
        name: {
          description: 'The name. Default: a.',
          type: 'string',
          default: 'a',
          minLength: 1,
          maxLength: 9,
        },
        many: { description: 'How many.', type: 'integer', format: 'int32', minimum: 1, maximum: 5 },
      },
    }),
  );
});

test('nested defaults need an empty default above them, which is not told', () => {
  const inner = fields({ on: z.boolean().default(true).describe('Whether.') });
  const { properties } = toStructural(fields({ inner: inner.prefault({}).describe('Inner.') }));
  expect(properties?.['inner']).toMatchObject({ description: 'Inner.', default: {} });
});

test('rules of several layers are kept in order', () => {
  const once = withRules(text(5), [{ rule: 'self != "a"', message: 'not a' }]);
  const twice = withRules(once, [{ rule: 'self != "b"', message: 'not b', fieldPath: '.x' }]);
  const { properties } = toStructural(fields({ name: twice.optional().describe('Name.') }));
  expect(properties?.['name']?.['x-kubernetes-validations']).toEqual([
    { rule: 'self != "a"', message: 'not a' },
    { rule: 'self != "b"', message: 'not b', fieldPath: '.x' },
  ]);
});

test('lists and maps carry their type and bounds', () => {
  const { properties } = toStructural(
    fields({
      names: list(text(5), 3, 1).describe('Names.'),
      tasks: set(text(5), 2).describe('Tasks.'),
      labels: map(text(5), 4, 63).describe('Labels.'),
    }),
  );
  expect(properties).toMatchObject({
    names: { minItems: 1, maxItems: 3, 'x-kubernetes-list-type': 'atomic' },
    tasks: { maxItems: 2, 'x-kubernetes-list-type': 'set' },
    labels: { maxProperties: 4, additionalProperties: { maxLength: 5 } },
  });
});
