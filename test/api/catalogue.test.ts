import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CATALOGUE_KEYS, CATALOGUE_NAME, readCatalogue } from '../../src/api/catalogue.ts';

const folder = new URL('../../config/catalogue/', import.meta.url);

function shipped(): Record<string, string> {
  const keys = Object.values(CATALOGUE_KEYS);
  return Object.fromEntries(keys.map((key) => [key, readFileSync(new URL(key, folder), 'utf8')]));
}

function problemsOf(changes: Readonly<Record<string, string>>): readonly string[] {
  const result = readCatalogue({ ...shipped(), ...changes }, parse);
  return result.ok ? [] : result.error;
}

interface UfdlCatalogue {
  readonly cuda: readonly Readonly<Record<string, unknown>>[];
  readonly hardware: readonly Readonly<Record<string, unknown>>[];
  readonly frameworks: readonly unknown[];
  readonly domains: readonly unknown[];
  readonly jobContracts: readonly unknown[];
  readonly licences: readonly unknown[];
}

test('the shipped tables are those of UFDL, row by row', () => {
  const cases = process.env['LARDER_CASES'] ?? join(import.meta.dirname, '../cases/data');
  const text = readFileSync(join(cases, 'ufdl-pushsource-cases.json'), 'utf8');
  const { catalogue } = (JSON.parse(text) as { readonly ufdl: { readonly catalogue: UfdlCatalogue } }).ufdl;
  const result = readCatalogue(shipped(), parse);
  expect(result).toEqual({
    ok: true,
    value: {
      cuda: catalogue.cuda.map((row) => ({
        pk: row['pk'],
        version: row['version'],
        fullVersion: row['full_version'],
        minDriverVersion: row['min_driver_version'],
      })),
      hardware: catalogue.hardware.map((row) => ({
        pk: row['pk'],
        generation: row['generation'],
        minComputeCapability: row['min_compute_capability'],
        maxComputeCapability: row['max_compute_capability'],
      })),
      frameworks: catalogue.frameworks,
      domains: catalogue.domains,
      tasks: catalogue.jobContracts,
      licences: catalogue.licences,
    },
  });
});

test('the kustomization makes the ConfigMap that the operator looks for', () => {
  const { configMapGenerator } = parse(readFileSync(new URL('kustomization.yaml', folder), 'utf8')) as {
    readonly configMapGenerator: readonly { readonly name: string; readonly files: readonly string[] }[];
  };
  expect(configMapGenerator).toEqual([{ name: CATALOGUE_NAME, files: Object.values(CATALOGUE_KEYS) }]);
});

describe('a catalogue is extended row by row, and checked', () => {
  const cuda = (row: string): Record<string, string> => ({
    'cuda.yaml': `${shipped()['cuda.yaml'] ?? ''}${row}\n`,
  });

  test.each([
    ['{pk: 22, version: "12.10", fullVersion: "12.10.0", minDriverVersion: "580.1"}', []],
    [
      '{pk: 22, version: 12.10, fullVersion: "12.10.0", minDriverVersion: "580.1"}',
      ['cuda.yaml row 22 version: must be text in quotes: without them YAML takes 12.10 for 12.1'],
    ],
    [
      '{pk: 1, version: "12.1", fullVersion: "x", minDriverVersion: "1"}',
      ['cuda.yaml row 22: another row has the same pk', 'cuda.yaml row 22: another row has the same version'],
    ],
    [
      '{pk: 22, version: "12", fullVersion: "12", minDriverVersion: "r580"}',
      [
        'cuda.yaml row 22 version: must be a version such as "11.1"',
        'cuda.yaml row 22 minDriverVersion: must be numbers between dots, such as "455.23.05"',
      ],
    ],
    [
      '{pk: 22, version: "12.2", fullVersion: "12.2", minDriver: "1", minDriverVersion: "1"}',
      ['cuda.yaml row 22: Unrecognized key: "minDriver"'],
    ],
  ])('- %s', (row, problems) => {
    expect(problemsOf(cuda(`- ${row}`))).toEqual(problems);
  });

  test('frameworks are unique by name and version together', () => {
    const rows = '- {pk: 1, name: yolo, version: v5}\n- {pk: 2, name: yolo, version: v7}\n';
    expect(problemsOf({ 'frameworks.yaml': rows })).toEqual([]);
    expect(problemsOf({ 'frameworks.yaml': `${rows}- {pk: 3, name: yolo, version: v5}` })).toEqual([
      'frameworks.yaml row 3: another row has the same name and version',
    ]);
  });

  test('an empty table is fine, a missing or broken one is named', () => {
    expect(problemsOf({ 'tasks.yaml': '# none yet' })).toEqual([]);
    const rest = Object.entries(shipped()).filter(([key]) => key !== 'tasks.yaml');
    const result = readCatalogue({ ...Object.fromEntries(rest), 'cuda.yaml': '- {pk: 1' }, parse);
    expect(!result.ok && result.error.map((line) => line.split('\n')[0])).toEqual([
      expect.stringMatching(/^cuda.yaml: .*flow/i),
      'tasks.yaml is missing',
    ]);
    expect(problemsOf({ 'domains.yaml': 'text' })).toEqual([
      'domains.yaml: Invalid input: expected array, received string',
    ]);
  });
});
