/**
 * Fuzzes the records API with schemathesis against its own OpenAPI document: nothing may answer 5xx, and every answer
 * must be as the document says. The API server behind it is the fake one, so nothing but Python is needed; a running
 * facade is attacked instead if LARDER_FUZZ_URL and LARDER_FUZZ_TOKEN say where and as whom.
 *
 *   node hack/fuzz/records.ts [seconds, default 60] [seed]
 *
 * Ends with 75 if schemathesis cannot be installed (Python without venv, no PyPI).
 */

import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SERVED_TABLES } from '../../src/server/docker/catalogue-tables.ts';
import { IMAGE_FIELDS } from '../../src/server/docker/image-fields.ts';
import { catalogueOperations, IMAGE_OPERATIONS } from '../../src/server/docker/operations.ts';
import { openApiDocument } from '../../src/server/openapi.ts';
import { VERSION } from '../../src/version.ts';
import { caller } from '../../test/support/http-server.ts';
import { RecordsApi, shippedCatalogue } from '../../test/support/records-api.ts';
import { CHECKS, fuzz, installSchemathesis, reportBroken } from './schemathesis.ts';

const ROOT = join(import.meta.dirname, '../..');
const REPORTS = join(ROOT, 'reports', 'fuzz');
const URL_VARIABLE = 'LARDER_FUZZ_URL';
const TOKEN_VARIABLE = 'LARDER_FUZZ_TOKEN';
const FAKE_TOKEN = 'token-of-admin';

/** Left out: that whatever the schema takes is accepted, because names must be in the catalogue. */
const RECORD_CHECKS = [...CHECKS, 'response_headers_conformance', 'negative_data_rejection'];

async function startFacade(): Promise<RecordsApi> {
  const facade = await RecordsApi.start();
  facade.served.reviews.tokens.set(FAKE_TOKEN, caller('admin'));
  const cases = readFileSync(join(ROOT, 'test/cases/data/ufdl-pushsource-cases.json'), 'utf8');
  const { ufdl } = JSON.parse(cases) as { ufdl: { catalogue: { dockerImages: readonly object[] } } };
  await facade.importImages(ufdl.catalogue.dockerImages);
  return facade;
}

type Json = Readonly<Record<string, unknown>>;

/** Documents, and what schemathesis reads besides: ours, and one that names what is there: half of the attempts must get past the validation of names. */
async function writeInputs(): Promise<readonly string[]> {
  const operations = [...IMAGE_OPERATIONS, ...SERVED_TABLES.flatMap(catalogueOperations)];
  const document = openApiDocument(operations, { version: VERSION, anonymousRead: false });
  await mkdir(REPORTS, { recursive: true });
  const files = { 'openapi.json': document, 'openapi-known-names.json': knownNames(document) };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(REPORTS, name), JSON.stringify(content, null, 2));
  }
  return Object.keys(files).map((name) => join(REPORTS, name));
}

/** The catalogue's own words wherever the schema takes any. */
function knownNames(document: Json): unknown {
  const { cuda, frameworks, domains, tasks, hardware, licences } = shippedCatalogue();
  const names: Json = {
    cuda_version: { enum: cuda.map(({ version }) => version) },
    framework: { enum: frameworks.map(({ pk }) => pk) },
    domain: { enum: domains.map(({ name }) => name) },
    tasks: { type: 'array', items: { enum: tasks.map(({ name }) => name) } },
    min_hardware_generation: { enum: hardware.map(({ generation }) => generation) },
    licence: { enum: licences.map(({ name }) => name) },
    cpu: { type: 'boolean' },
    url: { enum: ['registry.example.org/a/b:1', `localhost:5000/c@sha256:${'0'.repeat(64)}`] },
    field: { enum: [...IMAGE_FIELDS.keys()] },
  };
  const replace = (key: string, value: unknown): unknown => {
    if (key !== 'properties') return value;
    const properties = Object.entries(value as Json).map(([name, schema]) => [name, names[name] ?? schema]);
    return Object.fromEntries(properties);
  };
  const { schemas = {}, ...components } = document['components'] as { readonly schemas?: Json };
  const inputs: readonly (readonly [string, unknown])[] = [
    'DockerImageInput',
    'DockerImagePatch',
    'Filter',
  ].map((name) => [name, JSON.parse(JSON.stringify(schemas[name] ?? {}), replace) as unknown]);
  const paths = withKnownKeys(document['paths'] as Paths);
  return {
    ...document,
    paths,
    components: { ...components, schemas: { ...schemas, ...Object.fromEntries(inputs) } },
  };
}

type Paths = Readonly<Record<string, Readonly<Record<string, { readonly parameters?: readonly Json[] }>>>>;

/** Images that are deleted are others than those that are changed: there must be something left to change. */
function withKnownKeys({ '/v1/docker/{pk}': operations = {}, ...paths }: Paths): Paths {
  const keys = (from: number, to: number): Json => ({
    enum: Array.from({ length: to - from + 1 }, (_, index) => String(from + index)),
  });
  const known = Object.entries(operations).map(([method, { parameters = [], ...operation }]) => {
    const schema = method === 'delete' ? keys(13, 60) : keys(1, 12);
    return [method, { ...operation, parameters: parameters.map((parameter) => ({ ...parameter, schema })) }];
  });
  return { ...paths, '/v1/docker/{pk}': Object.fromEntries(known) as Paths[string] };
}

const [seconds = '60', seed = String(Math.floor(performance.timeOrigin % 1_000_000))] = process.argv.slice(2);
const program = await installSchemathesis();
const { [URL_VARIABLE]: givenUrl, [TOKEN_VARIABLE]: givenToken = '' } = process.env;
await using facade = givenUrl === undefined ? await startFacade() : undefined;
const documents = await writeInputs();
for (const document of documents) {
  const code = await fuzz(program, {
    folder: REPORTS,
    document,
    url: facade?.served.url ?? givenUrl ?? '',
    token: facade === undefined ? givenToken : FAKE_TOKEN,
    checks: RECORD_CHECKS,
    seconds: Number(seconds) / documents.length,
    seed,
  });
  if (code !== 0) process.exitCode = code;
}
if (facade !== undefined) {
  reportAnswers(facade);
  reportBroken(facade.served.log);
}

/** How many answers of each status, so that nobody takes refusals for coverage. */
function reportAnswers({ served }: RecordsApi): void {
  const answers = Map.groupBy(
    served.log.lines.filter(({ message }) => message === 'request'),
    ({ fields }) => `${String(fields['method'])} ${String(fields['status'])}`,
  );
  const counts = [...answers].map(([answer, all]) => `${answer}: ${all.length}`).toSorted();
  process.stdout.write(`answers: ${counts.join(', ')}\n`);
}
