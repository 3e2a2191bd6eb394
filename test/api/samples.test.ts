/** Every sample, and every example of the documentation, is valid and explains itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { DEFINITIONS, rootSchema } from '../../src/api/crd.ts';
import { withoutNulls } from '../../src/api/parse.ts';
import type { StructuralSchema } from '../../src/api/structural.ts';

const root = new URL('../../', import.meta.url);

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

interface Manifest {
  readonly kind: string;
}

function problemsOf(manifest: unknown): readonly string[] {
  const { kind } = manifest as Manifest;
  const schema = DEFINITIONS.find((definition) => definition.kind === kind)?.schema;
  if (schema === undefined) return [`no kind ${kind}`];
  return schema.safeParse(withoutNulls(manifest)).error?.issues.map(({ message }) => message) ?? [];
}

const samples = readdirSync(new URL('config/samples', root)).filter((name) => name !== 'kustomization.yaml');

test('the kustomization lists every sample', () => {
  const { resources } = parse(read('config/samples/kustomization.yaml')) as { readonly resources: string[] };
  expect([...resources].sort()).toEqual(samples.sort());
});

test.each(samples)('%s is one valid object with a comment that says what it shows', (name) => {
  const text = read(`config/samples/${name}`);
  expect(text).toMatch(/^# [A-Z].*[.:]/);
  expect(problemsOf(parse(text))).toEqual([]);
});

/** Names of all fields below `spec`, without those of core/v1, which samples of one kind show for all. */
function fieldsOf({ properties = {}, items }: StructuralSchema): readonly string[] {
  const own = Object.entries({ ...properties, ...items?.properties });
  return own.flatMap(([name, field]) => [name, ...fieldsOf(field)]);
}

/** Set by owners, or known from core/v1. */
const NOT_SHOWN = [
  'grammar',
  'aliases',
  'aliasTarget',
  'recordRef',
  'matchFields',
  'tolerationSeconds',
  'build',
];

test('every field is shown in a sample', () => {
  const text = samples.map((name) => read(`config/samples/${name}`)).join('\n');
  const fields = DEFINITIONS.flatMap((definition) => {
    const spec = rootSchema(definition).properties?.['spec'];
    return spec === undefined ? [] : fieldsOf(spec);
  });
  const missing = [...new Set(fields)].filter((field) => !new RegExp(`\\b${field}:`).test(text));
  expect(missing.filter((field) => !NOT_SHOWN.includes(field))).toEqual([]);
});

test('names of samples are unique within a kind', () => {
  const names = samples.map((name) => {
    const { kind, metadata } = parse(read(`config/samples/${name}`)) as {
      readonly kind: string;
      readonly metadata: { readonly name: string };
    };
    return `${kind}/${metadata.name}`;
  });
  expect(new Set(names).size).toBe(names.length);
});

const pages = readdirSync(new URL('docs/spec', root)).filter((name) => name.endsWith('.md'));

describe.each(pages)('docs/spec/%s', (page) => {
  const blocks = [...read(`docs/spec/${page}`).matchAll(/^```yaml\n(.*?)^```$/gms)].map(
    ([, block]) => block ?? '',
  );
  const objects = blocks.filter((block) => block.includes('apiVersion: larder.dev/'));

  test('has an example', () => {
    expect(objects.length).toBeGreaterThan(0);
  });

  test.each(objects)('example %$ is valid', (block) => {
    for (const document of parseAllDocuments(block)) expect(problemsOf(document.toJS())).toEqual([]);
  });
});
