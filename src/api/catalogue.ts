/** The catalogue: a ConfigMap with the names that records may use, one table a key. */
import * as z from 'zod';
import type { Result } from '../domain/result.ts';
import type { Immutable } from './immutable.ts';

/** Name of the ConfigMap, in the namespace of the operator. */
export const CATALOGUE_NAME = 'larder-catalogue';

/** What to say, and to do, if the ConfigMap is not in the namespace of the operator. */
export function catalogueMissing(namespace: string): string {
  return `ConfigMap ${namespace}/${CATALOGUE_NAME} does not exist; kubectl apply -k config/catalogue makes it`;
}

/** Key of the ConfigMap for each table. */
export const CATALOGUE_KEYS = {
  cuda: 'cuda.yaml',
  hardware: 'hardware.yaml',
  frameworks: 'frameworks.yaml',
  domains: 'domains.yaml',
  tasks: 'tasks.yaml',
  licences: 'licences.yaml',
} as const;
/** One of the keys of `CATALOGUE_KEYS`. */
export type CatalogueTable = keyof typeof CATALOGUE_KEYS;

const MAX_ROWS = 1000;

const pk = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

function name(max: number): z.ZodString {
  return z.string().regex(/\S/, 'must not be blank').max(max);
}

/** YAML reads 12.10 as the number 12.1, so only text will do. */
function version(max: number): z.ZodString {
  return z
    .string({ error: 'must be text in quotes: without them YAML takes 12.10 for 12.1' })
    .min(1)
    .max(max);
}

const cudaVersion = version(17).regex(/^(0|[1-9][0-9]*)\.[0-9]+$/, 'must be a version such as "11.1"');

const dotted = version(16).regex(/^[0-9]+(\.[0-9]+)*$/, 'must be numbers between dots, such as "455.23.05"');

const cudaRow = z.strictObject({
  pk,
  version: cudaVersion,
  fullVersion: version(16),
  minDriverVersion: dotted,
});

const hardwareRow = z.strictObject({
  pk,
  generation: name(32),
  minComputeCapability: z.number().min(0).max(1000),
  maxComputeCapability: z.number().min(0).max(1000),
});

const frameworkRow = z.strictObject({ pk, name: name(32), version: version(32) });

const domainRow = z.strictObject({
  pk,
  name: z.string().regex(/^[a-z]{2}$/, 'must be two lower-case letters'),
  description: name(32),
});

const taskRow = z.strictObject({ pk, name: name(64), pkg: z.string().max(128), cls: z.string().max(128) });

const words = z.array(name(64)).max(32);

const licenceRow = z.strictObject({
  pk,
  name: name(100),
  url: z.url().max(256),
  permissions: words,
  conditions: words,
  limitations: words,
  domains: words,
});

/** A table whose rows differ in pk and in what records name them by. */
function table<S extends z.ZodRawShape>(
  row: z.ZodObject<S>,
  key: readonly (keyof S & string)[],
): z.ZodArray<z.ZodObject<S>> {
  return z
    .array(row)
    .max(MAX_ROWS)
    .superRefine((rows, context) => {
      for (const fields of [['pk'], key]) {
        for (const index of repeated(rows, fields)) {
          const message = `another row has the same ${fields.join(' and ')}`;
          context.addIssue({ code: 'custom', path: [index], message });
        }
      }
    });
}

/** Indexes of rows that repeat an earlier one in all of `fields`. */
function repeated(rows: readonly Record<string, unknown>[], fields: readonly string[]): readonly number[] {
  const seen = new Set<string>();
  return rows.flatMap((row, index) => {
    const key = JSON.stringify(fields.map((field) => row[field]));
    const isRepeated = seen.has(key);
    seen.add(key);
    return isRepeated ? [index] : [];
  });
}

const catalogueSchema = z.object({
  cuda: table(cudaRow, ['version']),
  hardware: table(hardwareRow, ['generation']),
  frameworks: table(frameworkRow, ['name', 'version']),
  domains: table(domainRow, ['name']),
  tasks: table(taskRow, ['name']),
  licences: table(licenceRow, ['name']),
});

/** All tables, as `readCatalogue` found them. */
export type Catalogue = Immutable<z.output<typeof catalogueSchema>>;
export type CudaRow = Catalogue['cuda'][number];
export type HardwareRow = Catalogue['hardware'][number];
export type FrameworkRow = Catalogue['frameworks'][number];
export type DomainRow = Catalogue['domains'][number];
export type TaskRow = Catalogue['tasks'][number];
export type LicenceRow = Catalogue['licences'][number];

/**
 * The catalogue in the data of the ConfigMap, or one line a problem, such as
 * `cuda.yaml row 3 version: must be text in quotes: …`. `parseYaml` may throw; its message becomes the problem.
 */
export function readCatalogue(
  data: Readonly<Record<string, string>>,
  parseYaml: (text: string) => unknown,
): Result<Catalogue, readonly string[]> {
  const tables: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name_, key] of Object.entries(CATALOGUE_KEYS)) {
    const text = data[key];
    try {
      if (text === undefined) problems.push(`${key} is missing`);
      else tables[name_] = parseYaml(text) ?? [];
    } catch (error) {
      problems.push(`${key}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (problems.length > 0) return { ok: false, error: problems };
  const parsed = catalogueSchema.safeParse(tables);
  return parsed.success
    ? { ok: true, value: parsed.data }
    : { ok: false, error: parsed.error.issues.map(describe) };
}

/** Rows are counted from 1, as people count. */
function describe({ path: [tableName, row, ...field], message }: z.core.$ZodIssue): string {
  const key = CATALOGUE_KEYS[tableName as CatalogueTable];
  const place = [key, ...(typeof row === 'number' ? ['row', row + 1] : []), ...field.map(String)];
  return `${place.join(' ')}: ${message}`;
}
