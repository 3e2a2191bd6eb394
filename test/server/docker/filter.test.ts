import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dockerImageRecordSchema } from '../../../src/api/docker-image-record.ts';
import { compileFilter } from '../../../src/server/docker/filter.ts';
import { filterSchema, readFilter } from '../../../src/server/docker/filter-schema.ts';
import { IMAGE_FIELDS, type ImageRow, imageRow } from '../../../src/server/docker/image-fields.ts';
import { NO_LOGIN, viewImage } from '../../../src/server/docker/image-view.ts';
import { parseJsonText } from '../../../src/server/docker/json-text.ts';
import { dockerImageRecord } from '../../support/builders.ts';
import { shippedCatalogue } from '../../support/records-api.ts';

const catalogue = shippedCatalogue();

interface Sketch {
  readonly name?: string;
  readonly tasks?: readonly string[];
  readonly cuda?: string;
  readonly generation?: string | undefined;
}

/** Images numbered from 1. */
function rows(...sketches: readonly Sketch[]): readonly ImageRow[] {
  return sketches.map(({ name = 'yolo', tasks = ['Train'], cuda = '11.1', generation = 'Pascal' }, index) => {
    const isCpu = generation === 'none';
    const record = dockerImageRecord({
      metadata: { labels: { 'larder.dev/pk': String(index + 1) } },
      spec: {
        name,
        version: String(index),
        tasks: [...tasks],
        cpu: isCpu,
        cuda: isCpu ? undefined : { version: cuda },
        minHardwareGeneration: isCpu ? undefined : generation,
      },
    });
    const view = viewImage(record, catalogue, NO_LOGIN);
    if (view === undefined) throw new Error('no pk');
    return imageRow(record, view, catalogue);
  });
}

/** Numbers of what is selected, or the reason why nothing can be. */
function select(body: unknown, items: readonly ImageRow[]): readonly number[] | string {
  const json = parseJsonText(JSON.stringify(body));
  const filter = json.ok ? readFilter(json.value) : json;
  if (!filter.ok) return `unreadable: ${filter.error}`;
  const compiled = compileFilter(filter.value, IMAGE_FIELDS);
  return compiled.ok ? compiled.value(items).map(({ pk }) => pk) : compiled.error;
}

function selectBy(expression: object, items: readonly ImageRow[]): readonly number[] | string {
  return select({ expressions: [expression] }, items);
}

const TASKS = rows(
  { tasks: ['Train'] },
  { tasks: ['Predict'] },
  { tasks: ['Train', 'Predict'] },
  { tasks: [] },
);
const train = { type: 'exact', field: 'tasks.name', value: 'Train' };
const predict = { type: 'exact', field: 'tasks.name', value: 'Predict' };

describe('tasks, of which an image has several', () => {
  it.each<[string, readonly object[], readonly number[]]>([
    ['one of them is enough', [train], [1, 3]],
    ['one and the same must be both', [{ type: 'and', sub_expressions: [train, predict] }], []],
    ['one after the other, each may be another', [train, predict], [3]],
    ['not X: none of them is', [{ ...train, invert: true }], [2, 4]],
    ['X and not Y', [{ type: 'and', sub_expressions: [train, { ...predict, invert: true }] }], [1]],
    ['neither', [{ type: 'or', sub_expressions: [train, predict], invert: true }], [4]],
    ['not both', [{ type: 'and', sub_expressions: [train, predict], invert: true }], [1, 2, 4]],
    ['without any', [{ type: 'isnull', field: 'tasks' }], [4]],
    ['with any', [{ type: 'isnull', field: 'tasks.name', invert: true }], [1, 2, 3]],
    ['or', [{ type: 'or', sub_expressions: [train, { type: 'isnull', field: 'tasks' }] }], [1, 3, 4]],
    ['by the number of a task', [{ type: 'exact', field: 'tasks', value: '1' }], [2, 3]],
  ])('%s', (_, expressions, expected) => {
    expect(select({ expressions }, TASKS)).toEqual(expected);
  });

  it('orders by the first of them in the asked direction', () => {
    const by = (ascending: boolean) => select({ order_by: [{ field: 'tasks.name', ascending }] }, TASKS);
    expect(by(true)).toEqual([4, 2, 3, 1]);
    expect(by(false)).toEqual([1, 3, 2, 4]);
  });
});

const MIXED = rows(
  { name: 'Alpha', cuda: '9.2', generation: 'Pascal' },
  { name: 'beta', cuda: '10.1', generation: 'Turing' },
  { name: 'gamma_cpu', generation: 'none' },
);

describe('values', () => {
  it.each<[string, object, readonly number[]]>([
    [
      'versions compare as numbers',
      { type: 'compare', field: 'cuda_version.version', operator: '>', value: '9.2' },
      [2],
    ],
    ['11.10 is not 11.1', { type: 'exact', field: 'cuda_version.version', value: '10.10' }, []],
    ['leading zeros mean nothing', { type: 'exact', field: 'cuda_version.version', value: '010.1' }, [2]],
    ['no CUDA is 0.0', { type: 'exact', field: 'cuda_version.version', value: '0.0' }, [3]],
    [
      'floats from text',
      {
        type: 'compare',
        field: 'min_hardware_generation.min_compute_capability',
        operator: '<=',
        value: ' 7.5 ',
      },
      [1, 2],
    ],
    [
      'no value is on neither side',
      { type: 'compare', field: 'min_hardware_generation.pk', operator: '>=', value: 0 },
      [1, 2],
    ],
    [
      'but on the inverted one',
      { type: 'compare', field: 'min_hardware_generation.pk', operator: '>=', value: 0, invert: true },
      [3],
    ],
    ['two underscores are a dot', { type: 'exact', field: 'domain__name', value: 'od' }, [1, 2, 3]],
    ['text is searched in any case', { type: 'contains', field: 'name', sub_string: 'ALP' }, [1]],
    ['text is equal in its own case', { type: 'exact', field: 'name', value: 'alpha' }, []],
    ['or in any, if asked', { type: 'exact', field: 'name', value: 'alpha', case_insensitive: true }, [1]],
    ['text is ordered by code', { type: 'compare', field: 'name', operator: '<', value: 'a' }, [1]],
    ['booleans as Django spells them', { type: 'exact', field: 'cpu', value: 'True' }, [3]],
    ['booleans as numbers', { type: 'exact', field: 'cpu', value: 0 }, [1, 2]],
    ['digits of keys', { type: 'contains', field: 'pk', sub_string: '2' }, [2]],
    ['keys are whole numbers', { type: 'exact', field: 'pk', value: 2.9 }, [2]],
    ['id is pk', { type: 'exact', field: 'id', value: 2 }, [2]],
    ['the column of a relation', { type: 'exact', field: 'domain_id', value: 3 }, [1, 2, 3]],
    ['is_null is isnull', { type: 'is_null', field: 'min_hardware_generation' }, [3]],
  ])('%s', (_, expression, expected) => {
    expect(selectBy(expression, MIXED)).toEqual(expected);
  });

  it.each<[string, object]>([
    ['an unknown field', { type: 'exact', field: 'nope', value: 1 }],
    ['the registry password', { type: 'exact', field: 'registry_password', value: 'a' }],
    ['the registry user', { type: 'isnull', field: 'registry_username' }],
    ['a lookup', { type: 'exact', field: 'name__startswith', value: 'a' }],
    ['a relation as text', { type: 'contains', field: 'domain', sub_string: 'o' }],
    ['a boolean as text', { type: 'contains', field: 'cpu', sub_string: 'T' }],
    ['a word for a boolean', { type: 'exact', field: 'cpu', value: 'true' }],
    ['a word for a key', { type: 'exact', field: 'pk', value: 'one' }],
    ['a word for a version', { type: 'exact', field: 'cuda_version.version', value: 'latest' }],
  ])('refuses %s', (_, expression) => {
    expect(selectBy(expression, MIXED)).toEqual(expect.stringMatching(/^Cannot /));
    expect(selectBy({ type: 'or', sub_expressions: [expression, train] }, MIXED)).toEqual(
      expect.stringMatching(/^Cannot /),
    );
  });

  it.each<[string, object, readonly number[]]>([
    ['no value first', { field: 'min_hardware_generation.generation' }, [3, 1, 2]],
    [
      'no value last, descending',
      { field: 'min_hardware_generation.generation', ascending: false },
      [2, 1, 3],
    ],
    [
      'no value first all the same',
      { field: 'min_hardware_generation.generation', ascending: false, nulls_first: true },
      [3, 2, 1],
    ],
    ['versions as numbers', { field: 'cuda_version.version', nulls_first: false }, [3, 1, 2]],
    ['with underscores', { field: 'cuda_version__version', ascending: false }, [2, 1, 3]],
  ])('orders: %s', (_, order, expected) => {
    expect(select({ order_by: [order] }, MIXED)).toEqual(expected);
  });

  it('refuses to order by what it does not show', () => {
    expect(select({ order_by: [{ field: 'registry_password' }] }, MIXED)).toContain(
      "Cannot resolve 'registry_password'",
    );
    expect(select({ order_by: [{ field: '-name' }] }, MIXED)).toContain("Cannot resolve '-name'");
  });
});

describe('the language', () => {
  it.each<[string, unknown]>([
    ['an unknown property', { expression: [] }],
    [
      'too much at once',
      { expressions: Array.from({ length: 67 }, () => ({ type: 'or', sub_expressions: [train, train] })) },
    ],
    ['too many fields to order by', { order_by: Array.from({ length: 17 }, () => ({ field: 'pk' })) }],
    ['an unknown type', { expressions: [{ type: 'regex', field: 'name', value: 'a' }] }],
    [
      'or within and',
      {
        expressions: [
          { type: 'and', sub_expressions: [train, { type: 'or', sub_expressions: [train, train] }] },
        ],
      },
    ],
    [
      'and within and',
      {
        expressions: [
          { type: 'and', sub_expressions: [train, { type: 'and', sub_expressions: [train, train] }] },
        ],
      },
    ],
    [
      'or within or',
      {
        expressions: [
          { type: 'or', sub_expressions: [train, { type: 'or', sub_expressions: [train, train] }] },
        ],
      },
    ],
    ['a single part', { expressions: [{ type: 'or', sub_expressions: [train] }] }],
    ['an empty part of text', { expressions: [{ type: 'contains', field: 'name', sub_string: '' }] }],
    [
      'a comparison with a boolean',
      { expressions: [{ type: 'compare', field: 'pk', operator: '<', value: true }] },
    ],
    ['another operator', { expressions: [{ type: 'compare', field: 'pk', operator: '==', value: 1 }] }],
    ['null for a value', { expressions: [{ type: 'exact', field: 'pk', value: null }] }],
    ['a word for a toggle', { expressions: [{ ...train, invert: 'yes' }] }],
    ['a list with something in it', [train]],
    ['a text', 'name'],
    ['a number', 0],
    ['a boolean', false],
  ])('does not take %s', (_, body) => {
    expect(select(body, TASKS)).toEqual(expect.stringMatching(/^unreadable: /));
  });

  it('takes and within or', () => {
    const both = {
      type: 'and',
      sub_expressions: [train, { type: 'compare', field: 'pk', operator: '>', value: 1 }],
    };
    expect(selectBy({ type: 'or', sub_expressions: [both, predict] }, TASKS)).toEqual([2, 3]);
  });

  it.each([null, {}, [], { expressions: [], order_by: [], include_inactive: true }])(
    'takes %j for everything',
    (body) => {
      expect(select(body, TASKS)).toEqual([1, 2, 3, 4]);
    },
  );

  const field = fc.constantFrom(...IMAGE_FIELDS.keys());
  const leaf = fc.oneof(
    fc.record({
      type: fc.constant('exact'),
      field,
      value: fc.oneof(fc.integer(), fc.string(), fc.boolean()),
      invert: fc.boolean(),
    }),
    fc.record({
      type: fc.constant('contains'),
      field,
      sub_string: fc.string({ minLength: 1 }),
      invert: fc.boolean(),
    }),
    fc.record({ type: fc.constant('isnull'), field, invert: fc.boolean() }),
  );

  it('an expression and its inversion share the images between them', () => {
    const group = fc.record({
      type: fc.constantFrom('and', 'or'),
      sub_expressions: fc.array(leaf, { minLength: 2, maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.oneof(leaf, group), (expression) => {
        const base = { ...expression, invert: false };
        const isMany = JSON.stringify(expression).includes('"tasks');
        const kept = selectBy(base, TASKS);
        const dropped = selectBy({ ...base, invert: true }, TASKS);
        if (typeof kept === 'string' || typeof dropped === 'string') expect(dropped).toBe(kept);
        else if (!isMany) expect([...kept, ...dropped].sort()).toEqual([1, 2, 3, 4]);
        else expect(new Set([...kept, ...dropped]).size).toBeGreaterThan(0);
      }),
    );
  });

  it('never gives an image twice', () => {
    fc.assert(
      fc.property(fc.array(leaf, { maxLength: 3 }), (expressions) => {
        const found = select({ expressions }, TASKS);
        if (typeof found !== 'string') expect(new Set(found).size).toBe(found.length);
      }),
    );
  });

  it('has a schema of its own for every part', () => {
    expect(filterSchema.safeParse({ expressions: [train] }).success).toBe(true);
    expect(dockerImageRecordSchema.safeParse({}).success).toBe(false);
  });
});
